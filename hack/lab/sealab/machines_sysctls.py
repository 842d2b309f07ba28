"""The host's kernel settings that a machine can change: remembered before the first lab, restored after the last.

net.* belongs to a machine's own network namespace; vm.*, fs.* and kernel.* are the host's. Labs share one memory of
them, since one lab's `down` must not undo what another still works with. Call everything here under the global lock.
"""

import json
from pathlib import Path

from sealab import paths

ROOTS = ("vm", "fs", "kernel")

UNSTEADY = {
    "kernel/ns_last_pid",  # changes with every process
    "kernel/random/boot_id",
    "kernel/random/uuid",
    "vm/compact_memory",
    "vm/drop_caches",  # an order, not a setting: 0 cannot be written back
    "vm/stat_refresh",
}


def _file() -> Path:
    return paths.RUN / "host-sysctls.json"


NEEDED = {"fs/inotify/max_user_instances": 8192, "fs/inotify/max_user_watches": 1048576}
"""inotify counts per user, and root of all machines is one user: with the usual 128 a second containerd fails to start."""


def remember() -> None:
    """Write down the settings, unless an earlier lab has done so, and raise what several machines need."""
    if not _file().exists():
        _write_down()
    for name, least in NEEDED.items():
        file = Path("/proc/sys", name)
        if int(file.read_text()) < least:
            file.write_text(str(least))


def _write_down() -> None:
    _file().parent.mkdir(parents=True, exist_ok=True)
    partial = _file().with_suffix(".part")
    partial.write_text(json.dumps(_read()))
    partial.rename(_file())


def restore_after_last_lab() -> list[str]:
    """When no lab is left, write back what differs; returns the names of what was restored."""
    if not _file().exists() or any(paths.RUN.glob("*/lab.json")):
        return []
    before, now = json.loads(_file().read_text()), _read()
    changed = [name for name, value in before.items() if name in now and now[name] != value]
    for name in changed:
        Path("/proc/sys", name).write_text(before[name])
    _file().unlink()
    return [name.replace("/", ".") for name in changed]


def _read() -> dict[str, str]:
    values = {}
    for root in ROOTS:
        for file in sorted(Path("/proc/sys", root).rglob("*")):
            name = str(file.relative_to("/proc/sys"))
            if name in UNSTEADY or not file.is_file() or file.stat().st_mode & 0o600 != 0o600:
                continue
            try:
                values[name] = file.read_text()
            except OSError:
                continue  # some can only be read when their feature is in use
    return values
