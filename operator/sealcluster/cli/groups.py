"""Options that several commands share, as dataclasses: a command's parameter of such a type becomes the options of its fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_type_hints


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """The command that typer sees: every option flat, its own before the shared ones; `function` gets them by group again."""
    hints = get_type_hints(function, include_extras=True)
    own_ones: list[inspect.Parameter] = []
    shared: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind = hints[name]
        if isinstance(kind, type) and is_dataclass(kind):
            groups[name] = kind
            own = get_type_hints(kind, include_extras=True)
            shared += [_parameter(field, own[field.name]) for field in fields(kind)]
        else:
            own_ones.append(parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))
    flat = [*own_ones, *shared]

    def command(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{field.name: values.pop(field.name) for field in fields(kind)})
        function(**values)

    command.__name__, command.__doc__, command.__module__ = function.__name__, function.__doc__, function.__module__
    command.__annotations__ = {p.name: p.annotation for p in flat}
    command.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]  # inspect looks for it, typeshed does not know
    return command


def _parameter(field: Field[Any], annotation: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
