"""The one place where a failure becomes what a person reads and a script gets: one clear line, a hint, an exit code, never a traceback."""

from __future__ import annotations

import errno
import logging
import re
import sys
from typing import Any

import typer
import typer.core

from sealcluster.api import InvalidSealCluster
from sealcluster.cli import exits, logs
from sealcluster.core.errors import SealError
from sealcluster.render.kubeadm_inputs import FieldError

log = logging.getLogger("sealcluster.cli")

_INSECURE = re.compile(r"allow (?:it|plain HTTP) for this host in the operator's settings")
_ANNOTATE = re.compile(r"kubectl annotate sealcluster (\S+) sealcluster\.io/acknowledge-lost=(\S+)")


class Group(typer.core.TyperGroup):
    """The root command: runs a subcommand and explains what stopped it."""

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand; raises nothing but what click itself turns into an exit code."""
        try:
            return super().invoke(ctx)
        except SealError as error:
            log.error("%s", error.message, extra={"host": error.host, "reason": error.reason})
            say(f"{error.message}{'; ' + spoken(error.hint) if error.hint else ''}")
            raise typer.Exit(exits.of(error)) from error
        except InvalidSealCluster as error:
            for item in error.errors:
                say(str(item))
            raise typer.Exit(exits.INVALID) from error
        except FieldError as error:
            say(str(error))
            raise typer.Exit(exits.INVALID) from error
        except KeyboardInterrupt:
            say("interrupted; what was started on the machines ends there, run the same command again to go on")
            raise typer.Exit(exits.INTERRUPTED) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            say(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
            raise typer.Exit(exits.FAILED) from error
        except Exception as error:
            if type(error).__module__.startswith(("click", "typer")):  # Exit, Abort, wrong usage: they explain themselves
                raise
            raise _internal(error) from error


def _internal(error: Exception) -> typer.Exit:
    log.error("internal error", exc_info=error)
    where = logs.where()
    say(f"internal error: {type(error).__name__}: {error}; " + (f"the traceback is in {where}" if where else "run it again with -v"))
    return typer.Exit(exits.INTERNAL)


def spoken(hint: str) -> str:
    """A hint in the words of the command line: what an operator's user annotates is an option here."""
    own = _ANNOTATE.sub(r"sealcluster retry \1 --acknowledge-lost \2", hint)
    return _INSECURE.sub(r"give --insecure-registry with its HOST:PORT", own)


def say(text: str) -> None:
    """One line to standard error, free of secrets."""
    typer.echo(f"sealcluster: {logs.redact(text)}", err=True, file=sys.stderr)
