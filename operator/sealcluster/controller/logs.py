"""Logs on stderr through the standard library: one JSON object per line, or lines for people; never a secret."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from sealcluster.ssh.redact import Redactor

FIELDS = ("cluster", "host", "phase", "step", "reason", "why")
"""What `extra` may carry, in the order in which it is shown."""
QUIET = {
    "kopf": logging.WARNING,
    # It runs in a thread of its own on purpose: signals are ours.
    "kopf._core.reactor.running": logging.ERROR,
    "aiohttp.access": logging.WARNING,
    "asyncssh": logging.WARNING,
    "stamina": logging.ERROR,
}
"""Levels of libraries whose ordinary chatter says nothing that we do not say better."""

_redact = Redactor()


class JsonFormatter(logging.Formatter):
    """An object with time, level, logger, message, the fields that are there, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _redact(record.getMessage()),
            **{name: _redact(str(value)) for name, value in fields_of(record).items()},
        }
        if record.exc_info:
            entry["exception"] = _redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


class ConsoleFormatter(logging.Formatter):
    """``12:00:01 WARNING default/demo m1 init: message``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it."""
        fields = fields_of(record)
        where = " ".join(str(fields[name]) for name in ("cluster", "host", "phase") if name in fields)
        line = f"{datetime.fromtimestamp(record.created, UTC):%H:%M:%S} {record.levelname:7} {where + ': ' if where else ''}{record.getMessage()}"
        return _redact(line + ("\n" + self.formatException(record.exc_info) if record.exc_info else ""))


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of `extra` that have a value."""
    return {name: record.__dict__[name] for name in FIELDS if record.__dict__.get(name) not in {None, ""}}


def configure(log_format: str, level: str) -> None:
    """Send everything to stderr. Replaces what was configured before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else ConsoleFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(True)
