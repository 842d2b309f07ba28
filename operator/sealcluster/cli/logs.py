"""Where the library's own log goes: to a file, and to standard error only with -v. Progress is printed by the command line itself."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

from sealcluster.cli import localfiles
from sealcluster.ssh.redact import Redactor

LARGEST = 4 << 20
"""Bytes; a log file that is larger when a command starts becomes `<name>.1`."""
_FIELDS = ("cluster", "host", "phase", "step", "reason", "why")
_QUIET = ("asyncio", "asyncssh", "aiohttp", "stamina")

redact = Redactor()
_open: list[logging.Handler] = []
logging.getLogger("sealcluster").addHandler(logging.NullHandler())
"""A command without a log (`convert`) would else have Python print what is logged beside what we say."""


class Line(logging.Formatter):
    """``2026-01-31 12:00:00.000 WARNING host=m1 phase=claim message``, and the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, free of what looks like a secret."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")
        fields = " ".join(f"{n}={record.__dict__[n]}" for n in _FIELDS if record.__dict__.get(n) not in {None, ""})
        text = f"{when} {record.levelname} {fields + ' ' if fields else ''}{record.getMessage()}"
        return redact(text + ("\n" + self.formatException(record.exc_info) if record.exc_info else ""))


class _File(logging.FileHandler):
    """Made (0600, in a private directory) when the first line is written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.path = path
        self._said = False

    def _open(self):  # type: ignore[no-untyped-def]  # the base class returns a private generic type
        if not self.path.parent.is_dir():
            localfiles.make_folder(self.path.parent)
        if self.path.is_file() and self.path.stat().st_size > LARGEST:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        self.path.touch(mode=0o600)
        return super()._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; the base class lets out what goes wrong when the file is opened."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class's name
        """A log that cannot be written must not end the work: said once."""
        if not self._said:
            self._said = True
            sys.stderr.write(f"sealcluster: writing the log {self.path}: {sys.exc_info()[1]}\n")


def configure(file: Path, verbose: int) -> None:
    """Send the log to `file` (debug messages only with -vv), and to standard error with -v. Replaces what was configured before."""
    root = logging.getLogger()
    for handler in _open:
        root.removeHandler(handler)
        handler.close()
    _open[:] = [_File(file), *([logging.StreamHandler(sys.stderr)] if verbose else [])]
    for handler in _open:
        handler.setFormatter(Line())
        root.addHandler(handler)
    level = logging.DEBUG if verbose > 1 else logging.INFO
    logging.getLogger("sealcluster").setLevel(level)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


def where() -> Path | None:
    """The log file, if one was written to."""
    return next((h.path for h in _open if isinstance(h, _File) and h.path.exists()), None)
