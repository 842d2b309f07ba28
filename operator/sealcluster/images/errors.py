"""What can be wrong with an image, a registry or the store.

::

    TerminalError
    ├── InvalidReference      the text is no image reference
    ├── ImageNotFound         no such repository, tag or file
    ├── ImageAuthFailed       the registry wants other credentials
    ├── RegistryUntrusted     its TLS certificate is not signed by a CA that we know
    ├── ArchMismatch          the image is not made for the host's architecture
    ├── UnsupportedImage      k3s, docker or cri-o flavour, or no cluster image at all
    └── ImageCorrupt          what arrived is not what was promised
        ├── DigestMismatch    content does not have its digest or size
        ├── UnsafeImage       entries that a careful unpacker must not write
        └── TooLarge          more than a limit allows
    TransientError
    ├── RegistryUnavailable   no answer, 5xx, 429, the connection broke
    └── StoreFull             no room in the content store
"""

from sealcluster.core.errors import TerminalError, TransientError


class InvalidReference(TerminalError):
    """The text is no image reference."""

    default_reason = "InvalidSpec"


class ImageNotFound(TerminalError):
    """No such repository, tag or file."""

    default_reason = "ImageNotFound"


class ImageAuthFailed(TerminalError):
    """The registry refuses the credentials, or wants some."""

    default_reason = "ImagePullFailed"


class RegistryUntrusted(TerminalError):
    """The registry's certificate cannot be verified."""

    default_reason = "ImagePullFailed"


class ArchMismatch(TerminalError):
    """The image is not made for this architecture; the message lists what is offered."""

    default_reason = "ArchMismatch"


class UnsupportedImage(TerminalError):
    """An image that this project does not install, and why."""

    default_reason = "UnsupportedImage"


class ImageCorrupt(TerminalError):
    """What arrived is not what was promised."""

    default_reason = "ImageCorrupt"


class DigestMismatch(ImageCorrupt):
    """Content that does not have its digest or its size."""


class UnsafeImage(ImageCorrupt):
    """Entries that a careful unpacker must not write."""


class TooLarge(ImageCorrupt):
    """More than a limit allows."""


class RegistryUnavailable(TransientError):
    """No usable answer from the registry this time; `delay` is what it asked for, in seconds."""

    default_reason = "ImagePullFailed"

    def __init__(self, message: str, *, delay: float | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.delay = delay


class StoreFull(TransientError):
    """No room in the content store."""

    default_reason = "ImagePullFailed"
