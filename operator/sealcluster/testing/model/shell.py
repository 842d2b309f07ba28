"""A tiny shell for images' scripts: what the fake images need, and the few words that contract tests use on real machines too.

Words: ``bash FILE``, ``cd``, ``export``, ``echo [>> FILE]``, ``touch``, ``sleep``, ``exit``, ``true``, ``false``, ``test -f``, and
``model VERB …``, which stands for what a real image's script would do to the machine.
"""

from __future__ import annotations

import asyncio
import posixpath
import re
import shlex
from collections.abc import Mapping

from sealcluster.testing.model import programs
from sealcluster.testing.model.execution import Execution, Failed

_SEPARATORS = re.compile(r"&&|;|\n")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_DEPTH = 8


async def bash(run: Execution, cwd: str, text: str, env: Mapping[str, str], depth: int = 0) -> None:
    """Run commands one after another; the first that fails fails everything (raises `Failed`)."""
    if depth > _DEPTH:
        raise Failed(2, "bash: scripts call each other without end")
    for raw in _SEPARATORS.split(text):
        line = raw.strip()
        if line and not line.startswith("#"):
            words = shlex.split(_VARIABLE.sub(lambda m: env.get(m.group(1), ""), line))
            cwd = await _command(run, cwd, words, env, depth)


async def _command(run: Execution, cwd: str, words: list[str], env: Mapping[str, str], depth: int) -> str:
    word, rest = words[0], words[1:]
    if word == "cd":
        return rest[0] if rest[0].startswith("/") else f"{cwd}/{rest[0]}"
    if word == "bash":
        await _script(run, cwd, rest, env, depth)
    elif word == "model":
        await programs.run(run, [posixpath.normpath(f"{cwd}/{w}") if w.startswith(".") else w for w in rest], env)
    elif word == "sleep":
        await asyncio.sleep(float(rest[0]))
    else:
        _builtin(run, cwd, word, rest)
    return cwd


async def _script(run: Execution, cwd: str, words: list[str], env: Mapping[str, str], depth: int) -> None:
    if words[0] == "-c":
        await bash(run, cwd, words[1], env, depth + 1)
        return
    path = words[0] if words[0].startswith("/") else f"{cwd}/{words[0]}"
    text = run.machine.files.read(path)
    if text is None:
        raise Failed(127, f"bash: {path}: No such file or directory")
    await bash(run, cwd, text.decode(), env, depth + 1)


def _builtin(run: Execution, cwd: str, word: str, rest: list[str]) -> None:
    if word == "exit":
        if int(rest[0]) != 0:
            raise Failed(int(rest[0]), f"exit {rest[0]}")
    elif word == "echo":
        _echo(run, cwd, rest)
    elif word == "touch":
        path = _path(cwd, rest[0])
        run.machine.files.write(path, run.machine.files.read(path) or b"")
    elif word == "test" and rest[0] == "-f":
        if run.machine.files.read(_path(cwd, rest[1])) is None:
            raise Failed(1, f"test -f {rest[1]}")
    elif word == "false":
        raise Failed(1, "false")
    elif word not in ("true", "export", "set"):
        raise Failed(127, f"bash: {word}: command not found")


def _echo(run: Execution, cwd: str, rest: list[str]) -> None:
    if ">>" in rest:
        at = rest.index(">>")
        path = _path(cwd, rest[at + 1])
        run.machine.files.write(path, (run.machine.files.read(path) or b"") + " ".join(rest[:at]).encode() + b"\n")
    else:
        run.log.append(" ".join(rest))


def _path(cwd: str, name: str) -> str:
    return name if name.startswith("/") else f"{cwd}/{name}"
