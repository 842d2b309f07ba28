"""Argo CD's way with Lua scripts: what they are given, what they may call, and what becomes of what they return.

It runs Lua 5.1 with the libraries base, package and table; `require("os")` gives `time` and `date` and nothing else. What a script
returns passes through JSON, where an empty table is an empty list; such a list where the object had a map becomes that map again.
Anything that Argo CD would refuse raises here.
"""

import json
import time
from pathlib import Path
from typing import Any

from lupa.lua51 import LuaRuntime, lua_type

Object = dict[str, Any]
HEALTH = {"Unknown", "Progressing", "Suspended", "Healthy", "Degraded", "Missing"}
_FORBIDDEN = ("io", "os", "debug", "string", "math", "coroutine")
_DATE_FLAGS = set("aAbBcdFHImMpPSxXyYzZw")
"""Flags that its `os.date` knows; others stay in the text as they are."""


class LuaError(Exception):
    """A script did what Argo CD does not accept; it would show health Unknown, or refuse the action."""


def health(obj: Object, script: Path) -> tuple[str, str]:
    """Status and message of a resource. An object that is being deleted is never shown to a health check."""
    if "deletionTimestamp" in obj["metadata"]:
        return "Progressing", "Pending deletion"
    found = run(script.read_text(), obj)
    if not isinstance(found, dict) or found.get("status") not in HEALTH:
        raise LuaError(f"{script.name} returned no health: {found!r}")
    return found["status"], found["message"]


def offered(obj: Object, discovery: str) -> dict[str, bool]:
    """Actions by name, and whether each can be chosen now."""
    found = run(discovery, obj)
    return {name: not entry.get("disabled", False) for name, entry in found.items()}


def act(obj: Object, action: str, now: float | None = None) -> tuple[Object, Object]:
    """The object after an action, and the merge patch that Argo CD sends for it."""
    wanted = _restored(run(action, obj, now), obj)
    return wanted, merge_patch(obj, wanted)


def run(script: str, obj: Object, now: float | None = None) -> Any:
    """What a script returns, as JSON would carry it."""
    lua = LuaRuntime(unpack_returned_tuples=True, register_eval=False, register_builtins=False)
    lua.execute('getmetatable("").__index = nil')
    for library in _FORBIDDEN:
        lua.globals()[library] = None
    moment = time.time() if now is None else now
    safe_os = lua.table_from({"time": lambda: int(moment), "date": lambda form="%c": _date(form, moment)})
    lua.globals().package.loaded["os"] = safe_os
    lua.globals().obj = _to_lua(lua, obj)
    found = lua.execute(script)
    if lua_type(found) != "table":
        raise LuaError(f"a table is expected, not {lua_type(found) or type(found).__name__}")
    return json.loads(json.dumps(_from_lua(found)))


def merge_patch(old: Any, new: Any) -> Any:
    """RFC 7386: what leads from `old` to `new`."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    changed = {key: merge_patch(old.get(key), new[key]) for key in new if key not in old or old[key] != new[key]}
    return changed | {key: None for key in old if key not in new}


def _date(form: str, moment: float) -> str:
    if not form.startswith("!"):
        raise LuaError(f"{form!r} is local time: a script must not depend on where Argo CD runs")
    unknown = {form[at + 1] for at, sign in enumerate(form[:-1]) if sign == "%"} - _DATE_FLAGS
    if unknown:
        raise LuaError(f"os.date of Argo CD does not know {', '.join(sorted(unknown))}")
    return time.strftime(form[1:], time.gmtime(moment))


def _to_lua(lua: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return lua.table_from({key: _to_lua(lua, child) for key, child in value.items()})
    if isinstance(value, list):
        return lua.table_from([_to_lua(lua, child) for child in value])
    return value


def _from_lua(value: Any) -> Any:
    if lua_type(value) != "table":
        return value
    keys = list(value)
    if keys == list(range(1, len(keys) + 1)):  # an empty table too
        return [_from_lua(value[key]) for key in keys]
    if not all(isinstance(key, str) for key in keys):
        raise LuaError(f"a table with keys of several kinds cannot become JSON: {keys}")
    return {key: _from_lua(value[key]) for key in keys}


def _restored(new: Any, old: Any) -> Any:
    if isinstance(new, dict) and isinstance(old, dict):
        return {key: _restored(child, old.get(key)) for key, child in new.items()}
    if new == [] and isinstance(old, dict):
        return old
    if isinstance(new, list) and isinstance(old, list):
        return [_restored(child, was) for child, was in zip(new, [*old, *[None] * len(new)], strict=False)]
    return new
