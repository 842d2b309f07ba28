"""Turning a script into the one command line that a host's login shell runs, as root.

The script travels as an argument of `/bin/sh -c` (so it must hold no secret) and standard input is left to its data. A random mark
separates what shell start-up files print from what the script prints. A sudo password is the first line of standard input;
everything up to the mark is skipped after sudo, because sudo reads that line only when it feels like asking.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sealcluster.core.ports import Credentials

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def quote(value: str) -> str:
    """One word for a POSIX shell, whatever it holds; NUL cannot be in a word."""
    if "\0" in value:
        raise ValueError("quoting for a shell: the value holds a NUL character")
    return "'" + value.replace("'", "'\\''") + "'"


@dataclass(frozen=True, slots=True)
class Become:
    """How to get root."""

    sudo: bool = False
    password: str | None = None

    @classmethod
    def of(cls, credentials: Credentials) -> Become:
        """root needs nothing; others sudo, with the login password where no other one is given."""
        if credentials.user == "root" or not credentials.become:
            return cls()
        return cls(True, credentials.become_password or credentials.password)


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, what precedes the data on standard input, and the line that marks the beginning of the output."""

    line: str
    preface: bytes
    mark: bytes
    ready: bytes
    """Printed when input may be sent; empty: at once."""


def compose(script: str, become: Become, *, terminal: bool = False, size: int | None = None, path: str = PATH) -> Command:
    """The command for `script`.

    On a terminal (sudo's requiretty) the end of input does not travel: the script gets exactly `size` bytes, or must itself know
    how many to read (None); and errors would mix with output, so they are dropped there.
    """
    nonce = secrets.token_hex(8)
    asks = become.sudo and become.password is not None
    body = f"printf '\\n@@{nonce}\\n'\nPATH={quote(path)} LC_ALL=C; export PATH LC_ALL; umask 077\n{script}"
    if terminal:
        body = "exec 2>/dev/null\n" + body
        if size is not None:
            body = f"head -c {size} | /bin/sh -c {quote(body)}"
    if asks:
        body = f'while IFS= read -r sc; do [ "$sc" = {nonce} ] && break; done; unset sc\n{body}'
    line = f"/bin/sh -c {quote(body)}"
    if become.sudo:
        line = ("sudo -S -p '' -- " if asks else "sudo -n -- ") + line
    line = f"exec {line}"
    if terminal:
        line = f"stty raw -echo && printf '\\n!!{nonce}\\n'; {line}"
    return Command(
        line,
        f"{become.password}\n{nonce}\n".encode() if asks else b"",
        f"@@{nonce}".encode(),
        f"!!{nonce}".encode() if terminal else b"",
    )
