"""Renders the `*.tmpl` files of cluster images: the dialect of Go's text/template with sprig that they use.

Templates come from images and are not trusted. The interpreter has no way to run code or to reach anything
but the data that it is given, and ends within fixed bounds of steps, text handled and output. What it does
not know is an error that names file and line.
"""

import functools
from collections.abc import Mapping

from sealcluster.render.gotemplate_budget import Budget
from sealcluster.render.gotemplate_errors import TemplateError
from sealcluster.render.gotemplate_eval import Evaluator
from sealcluster.render.gotemplate_funcs import FUNCTIONS
from sealcluster.render.gotemplate_nodes import Node
from sealcluster.render.gotemplate_parse import Parser
from sealcluster.render.gotemplate_values import ValueProblem

MAX_TEMPLATE = 256 << 10
"""The longest template in characters."""

_REMEMBERED = 16 << 10

__all__ = ["MAX_TEMPLATE", "TemplateError", "render"]


def render(text: str, data: Mapping[str, object], *, name: str, budget: Budget | None = None) -> str:
    """Render a template; a missing key prints `<no value>`, as in Go.

    `data` holds strings, integers, booleans, None, lists and mappings of such. `name` is the file's name in
    errors. `budget` bounds the cost of all renderings that it is given to; its default is meant for the configuration files of an image.
    """
    if len(text) > MAX_TEMPLATE:
        raise TemplateError(name, 1, f"template longer than {MAX_TEMPLATE} characters")
    # The same few templates are rendered for every host; large ones are rare and not worth the memory.
    nodes, words = _remembered(text, name) if len(text) <= _REMEMBERED else _parse(text, name)
    budget = budget or Budget()
    try:
        budget.read(words)
    except ValueProblem as problem:
        raise TemplateError(name, 1, str(problem)) from None
    return Evaluator(name, data, budget).render(nodes)


def _parse(text: str, name: str) -> tuple[tuple[Node, ...], int]:
    parser = Parser(text, name, FUNCTIONS)
    return parser.parse(), parser.words


_remembered = functools.lru_cache(maxsize=128)(_parse)
