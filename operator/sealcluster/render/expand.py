"""Replaces variables in label texts and guest commands: `$X`, `${X}` and `$(X)`; `$$` is a dollar sign.

A name that the environment does not have is left exactly as written, so that `$HOME`, `awk '{print $1}'` and
`$(hostname)` reach the shell on the host.
"""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?:(\$)|\{([\w.-]+)\}|\(([\w.-]+)\)|([A-Za-z_]\w*))")


def expand(text: str, env: Mapping[str, str]) -> str:
    """Return the text with every variable of `env` replaced, in one pass: values are not looked at again."""

    def replaced(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        name = match[2] or match[3] or match[4]
        return env.get(name, match[0])

    return _REFERENCE.sub(replaced, text)
