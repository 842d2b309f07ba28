"""Help as people read it: arguments are named as in the usage line, without the types of a programming language."""

from __future__ import annotations

from typing import Any

import typer.core


class Command(typer.core.TyperCommand):
    """One command."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What the usage line says after the command's name."""
        return [self.options_metavar or "", *(_named(p) for p in _arguments(self, ctx))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Two lists: arguments, options."""
        options = [p.get_help_record(ctx) for p in self.get_params(ctx) if p.param_type_name == "option"]
        arguments = [(_named(p), p.help or "") for p in _arguments(self, ctx)]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl(arguments)
        with formatter.section("Options"):
            formatter.write_dl([record for record in options if record is not None])


def _arguments(command: typer.core.TyperCommand, ctx: Any) -> list[Any]:
    return [p for p in command.get_params(ctx) if p.param_type_name == "argument"]


def _named(argument: Any) -> str:
    name = f"{argument.metavar}{'...' if argument.nargs != 1 else ''}"
    return name if argument.required else f"[{name}]"
