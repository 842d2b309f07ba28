"""What is on a machine, as a picture that can be compared with an earlier one. Shares no code with the product.

A picture covers files outside of caches and logs (type, mode, owner, content or target), systemd units, network links, addresses,
routes, policy rules, packet filter rules and sets, mounts, listening ports, processes, network namespaces and kernel settings.
"""

import ast
import fnmatch
from dataclasses import dataclass
from typing import Any

LOOK = r"""
import hashlib, os, re, subprocess

SKIP = ("/proc", "/sys", "/dev", "/tmp", "/var/tmp", "/var/cache", "/run/systemd", "/run/udev", "/run/log", "/run/user", "/run/dbus")
LOGS = "/var/log"
VOLATILE = re.compile(
    r"^(kernel\.(random|ns_last_pid|pty|sched_domain)|fs\.(dentry-state|inode|file-nr|aio-nr|quota)|.*nf_conntrack_count"
    r"|net\.(ipv4|ipv6)\.(conf|neigh)\.(?!all|default)|net\.ipv[46]\.route\.|kernel\.(perf|hung_task_detect|tainted|osrelease|version))"
)


def run(*words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace")
    except FileNotFoundError:
        return []
    return [line.rstrip() for line in done.stdout.splitlines() if line.strip()]


def files():
    found = {}
    for top, folders, names in os.walk("/", followlinks=False):
        folders[:] = [f for f in folders if os.path.join(top, f) not in SKIP]
        for name in [*folders, *names]:
            path = os.path.join(top, name)
            try:
                info = os.lstat(path)
            except OSError:
                continue
            mode = oct(info.st_mode)
            if path.startswith(LOGS + "/") or path.startswith("/run/"):
                found[path] = "present"
            elif os.path.islink(path):
                found[path] = "-> " + os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as stream:
                    found[path] = f"{mode} {info.st_uid}:{info.st_gid} " + hashlib.sha256(stream.read()).hexdigest()[:16]
            else:
                found[path] = f"{mode} {info.st_uid}:{info.st_gid}"
    return found


def rules(tool):
    return [re.sub(r"\[\d+:\d+\]", "", line).strip() for line in run(tool) if not line.startswith("#")]


def ports():
    found = set()
    for kind, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in open(f"/proc/net/{kind}").readlines()[1:]:
            fields = line.split()
            if fields[3] == state:
                found.add(f"{kind} {int(fields[1].rpartition(':')[2], 16)}")
    return sorted(found)


def processes():
    found = set()
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                if os.readlink(f"/proc/{pid}/exe"):
                    found.add(open(f"/proc/{pid}/comm").read().strip())
            except OSError:
                continue
    return sorted(found - {"python3", "sh", "bash", "runc", "nsenter", "(sd-pam)"})


def units():
    found = {}
    for line in run("systemctl", "list-unit-files", "--no-legend", "--plain"):
        fields = line.split()
        found["file " + fields[0]] = fields[1]
    for line in run("systemctl", "list-units", "--all", "--no-legend", "--plain"):
        fields = line.split()
        if not re.match(r"(session-|user|run-|init\.scope|.*\.(device|mount|timer|automount|slice)$|.*@\d|ssh@|systemd-)", fields[0]):
            found["unit " + fields[0]] = " ".join(fields[1:4])
    return found


def settings():
    found = {}
    for line in run("sysctl", "-a"):
        key, _, value = line.partition(" = ")
        if not VOLATILE.match(key):
            found[key] = value
    return found


def mounts():
    found = set()
    for line in open("/proc/self/mountinfo"):
        fields = line.split()
        at = fields.index("-")
        found.add(f"{fields[4]} {fields[at + 1]}")
    return sorted(found)


print({
    "files": files(), "units": units(), "settings": settings(),
    "links": [l.split(": ")[1].split("@")[0] for l in run("ip", "-o", "link")],
    "addresses": sorted(" ".join(l.split()[1:4]) for l in run("ip", "-o", "addr") if " fe80" not in l),
    "routes": sorted(run("ip", "route", "show", "table", "all")),
    "routes6": sorted(l for l in run("ip", "-6", "route", "show", "table", "all") if "fe80" not in l and "ff00" not in l),
    "policy": run("ip", "rule"),
    "iptables": rules("iptables-save"), "ip6tables": rules("ip6tables-save"), "nft": run("nft", "list", "tables"),
    "ipsets": run("ipset", "list", "-n"), "ipvs": run("ipvsadm", "-Ln") if os.path.exists("/proc/net/ip_vs") else [],
    "mounts": mounts(), "ports": ports(), "processes": processes(), "netns": sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else [],
})
"""

Picture = dict[str, Any]


@dataclass(frozen=True)
class Intended:
    """A difference that is meant to be there: what (a shell pattern over the lines of `differences`) and why."""

    pattern: str
    why: str


INTENDED = (
    Intended("settings [!n]*", "lab machines share one kernel: only net.* is a machine's own, the lab restores the rest"),
    Intended("settings net.netfilter.nf_conntrack_*", "limits of the one connection table that all machines of the lab share"),
    Intended("files /run/motd.dynamic: *", "written by pam_motd at the first login over SSH"),
    Intended("files /run/xtables.lock: *", "lock file of iptables, left by any call of it, gone at the next boot"),
    Intended(
        "units unit network-online.target: *",
        "systemd reached it because a unit asked for it; it does nothing and lasts until the next boot",
    ),
    Intended("ip*tables [*][a-z]*: new", "an empty table: any call of iptables makes it, it holds no rule"),
    Intended("ip*tables :* ACCEPT: new", "built-in chain of an empty table, with the policy that it has anyway"),
    Intended("ip*tables COMMIT: new", "end of an empty table in iptables-save's output"),
    Intended("nft table ip* [fmn]*: new", "the same empty tables filter, mangle and nat, as nft shows them"),
)
"""Differences that any clean machine may show."""


def picture(machine: Any) -> Picture:
    """Look at everything."""
    done = machine.exec("python3 - <<'LOOK'\n" + LOOK + "\nLOOK", timeout=300)
    seen: Picture = ast.literal_eval(done.stdout.decode())
    return seen


def differences(before: Picture, after: Picture) -> list[str]:
    """One line per difference: aspect, item, what was and what is."""
    lines = []
    for aspect in before:
        old, new = before[aspect], after[aspect]
        if isinstance(old, dict):
            changed = (key for key in sorted({*old, *new}) if old.get(key) != new.get(key))
            lines += [f"{aspect} {key}: {old.get(key, 'nothing')} became {new.get(key, 'nothing')}" for key in changed]
        else:
            lines += [f"{aspect} {item}: gone" for item in sorted({*old} - {*new})]
            lines += [f"{aspect} {item}: new" for item in sorted({*new} - {*old})]
    return lines


def dirt(before: Picture, after: Picture, *more: Intended) -> list[str]:
    """Differences that nobody intended."""
    intended = (*INTENDED, *more)
    return [line for line in differences(before, after) if not any(fnmatch.fnmatchcase(line, i.pattern) for i in intended)]


def assert_clean(before: dict[str, Picture], after: dict[str, Picture], *more: Intended) -> None:
    """Every machine is as it was; else all differences are said."""
    found = [f"{name}: {line}" for name in before for line in dirt(before[name], after[name], *more)]
    if found:
        raise AssertionError(f"{len(found)} differences that nobody intended:\n" + "\n".join(found))
