"""Checks of environments and of texts that must not hold secrets."""

import re
from collections.abc import Iterator, Mapping

from sealcluster.api.field_errors import FieldError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GENERATED = {"registryPassword", "registryUsername"}
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def env_errors(env: Mapping[str, str], path: str) -> Iterator[FieldError]:
    """Everything that is wrong with one environment; values are never repeated."""
    for name, value in env.items():
        field = f"{path}[{name}]"
        if not _NAME.fullmatch(name):
            yield FieldError(field, "is not the name of an environment variable: want letters, digits and '_'")
        if name in _GENERATED:
            yield FieldError(field, "is generated for each cluster and kept in its Secret: remove it")
        if "\x00" in value:
            yield FieldError(field, "holds a NUL character: remove it")
        yield from secret_errors(value, field)


def secret_errors(text: str, field: str) -> Iterator[FieldError]:
    """Refuse private keys in the spec, which anybody who may read the object can read."""
    if _PRIVATE_KEY.search(text):
        yield FieldError(field, "holds a private key: put it into a Secret and refer to it")
