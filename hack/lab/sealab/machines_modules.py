"""What modprobe(8) knows in a machine: the kernel is the host's, so are its modules.

A kernel with everything built in has no /lib/modules, and every `modprobe br_netfilter` of an install script would fail
although the feature is there. Such a kernel gets the list that a distribution would ship with it.
"""

import os
from pathlib import Path

from sealab.machines_command import run
from sealab.machines_layout import Layout

BUILT_IN = {
    "br_netfilter": "/proc/sys/net/bridge",
    "overlay": "/sys/module/overlay",
    "vxlan": "/sys/module/vxlan",
    "nf_conntrack": "/sys/module/nf_conntrack",
    "ip_set": "/sys/module/ip_set",
    "bridge": "/sys/module/bridge",
    "loop": "/sys/module/loop",
    "fuse": "/sys/module/fuse",
    "tun": "/dev/net/tun",
    "ip_tables": "/proc/net/ip_tables_names",
    "ip6_tables": "/proc/net/ip6_tables_names",
    "ip_vs": "/proc/net/ip_vs",
}
"""Modules that Kubernetes' install scripts load, and the sign that the running kernel has each built in."""


def host_modules() -> Path | None:
    """The host's folder of loadable modules; None when its kernel has everything built in."""
    folder = Path("/lib/modules") / os.uname().release
    return folder if folder.is_dir() else None


def write_module_list(layout: Layout, machine: str) -> None:
    """Write the list of built-in modules into a machine's root, unless the host's folder is mounted there."""
    root = layout.rootfs(machine)
    folder = root / "lib/modules" / os.uname().release
    folder.mkdir(parents=True, exist_ok=True)
    if host_modules():
        return
    present = [name for name, sign in BUILT_IN.items() if Path(sign).exists()]
    (folder / "modules.builtin").write_text("".join(f"kernel/{name}.ko\n" for name in present))
    (folder / "modules.order").touch()
    run("depmod", "--basedir", str(root), os.uname().release, lab=layout.lab)
