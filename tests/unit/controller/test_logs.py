"""What a line of the log looks like, and what is never in it."""

import json
import logging

import pytest

from sealcluster.controller.logs import ConsoleFormatter, JsonFormatter


def record(message: str, *arguments: object, **extra: str) -> logging.LogRecord:
    made = logging.getLogger("sealcluster.engine").makeRecord(
        "sealcluster.engine", logging.WARNING, "f", 1, message, arguments, None, extra=extra
    )
    made.created = 0.0
    return made


def test_json_has_the_fields_that_are_there() -> None:
    line = JsonFormatter().format(record("join %s", "é", cluster="ns/a", host="m1", phase="join-masters", step=""))
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000Z",
        "level": "warning",
        "logger": "sealcluster.engine",
        "message": "join é",
        "cluster": "ns/a",
        "host": "m1",
        "phase": "join-masters",
    }
    assert "\n" not in line


def test_console_is_for_people() -> None:
    assert ConsoleFormatter().format(record("done", cluster="ns/a", host="m1")) == "00:00:00 WARNING ns/a m1: done"
    assert ConsoleFormatter().format(record("done")) == "00:00:00 WARNING done"


@pytest.mark.parametrize("formatter", [JsonFormatter(), ConsoleFormatter()])
@pytest.mark.parametrize(
    "secret",
    [
        "abcdef.0123456789abcdef",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "Authorization: Bearer hunter2-token",
    ],
)
def test_no_secret_gets_through_message_fields_or_traceback(formatter: logging.Formatter, secret: str) -> None:
    made = record("saw %s", secret, host=secret)
    try:
        raise ValueError(secret)
    except ValueError as error:
        made.exc_info = (ValueError, error, error.__traceback__)
    line = formatter.format(made)
    assert not {part for part in ("0123456789abcdef", "MIIE", "hunter2") if part in line}
    assert "Traceback" in line
