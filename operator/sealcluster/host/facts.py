"""One look at a host: the script's variables, and its output as `HostFacts`."""

from __future__ import annotations

import base64
import binascii
import re

from sealcluster.core.facts import HostFacts, ManagedFile
from sealcluster.core.ports import FactsQuery
from sealcluster.host import machine, records
from sealcluster.host.etcd import parse_etcd
from sealcluster.host.framing import sections, text
from sealcluster.host.layout import Layout
from sealcluster.host.scripts import Value, assemble

TOOLS = (
    "awk bash base64 chmod cmp cp cut df flock grep gzip head ip iptables kill ln mkdir mkfifo modprobe mount mv nproc nsenter"
    " readlink rm sed setsid sha256sum sleep sync systemctl systemd-run tail tar tr umount uname xargs"
)
"""What our scripts and kubeadm's own preflight need on every host."""

_NOT_IN_IDS = re.compile(r"[^0-9A-Za-z-]")
"""A machine-id is shown in commands for a person to paste: nothing in it may mean something to a shell."""

LONGEST_NAME = 253
LONGEST_WORD = 64
LONGEST_LINE = 300
MOST_LEFTOVERS = 100
"""What a machine says of itself goes into status and messages: no machine may make those as large as it likes."""

MODULES = "overlay br_netfilter nf_conntrack"


def facts_script(layout: Layout, query: FactsQuery, nonce: str) -> str:
    """The script that answers `query`."""
    values: dict[str, Value] = {
        "R": layout.prefix,
        "N": nonce,
        "UNITS": " ".join(unit if "." in unit else f"{unit}.service" for unit in query.units),
        "FILES": query.files,
        "PROBE": [f"{address} {port}" for address, port in query.probe],
        "TOOLS": TOOLS,
        "MODULES": MODULES,
        "WANT_ETCD": query.etcd,
        "WANT_CERTS": query.certificates,
        "WANT_PREFLIGHT": query.preflight,
    }
    return assemble(values, "base", "etcd", "facts")


def parse_facts(output: bytes, nonce: str, query: FactsQuery, sent: float, started: float) -> HostFacts:
    """Read the script's output. ValueError when it is not complete."""
    blocks = sections(output, nonce)
    if not blocks or blocks[-1][0] != "end":
        raise ValueError("its answer ends too early")
    raw: dict[str, bytes] = dict(reversed(blocks))
    one = {title: text(content) for title, content in raw.items()}

    def lines(title: str) -> list[str]:
        return [line for line in one.get(title, "").splitlines() if line]

    def word(title: str, most: int = LONGEST_WORD) -> str:
        return shown(one.get(title, ""), most)

    release, _, arch = one["uname"].partition(" ")
    osr = machine.os_release(one.get("os", ""))
    memory = machine.memory(lines("memory"))
    journal, jobs = records.journal_and_jobs(lines("journal"), lines("jobs"))
    routes = lines("routes")
    return HostFacts(
        machine_id=_NOT_IN_IDS.sub("_", word("machine-id")),
        hostname=word("hostname", LONGEST_NAME),
        boot_id=_NOT_IN_IDS.sub("_", word("boot-id")),
        arch=shown(machine.oci_arch(arch.strip()), LONGEST_WORD),
        kernel=shown(release, LONGEST_WORD),
        os_id=shown(osr.get("ID", ""), LONGEST_WORD),
        os_version=shown(osr.get("VERSION_ID", ""), LONGEST_WORD),
        skew=machine.timestamp(one["date"]) - (sent + started) / 2,
        cpus=machine.integer(one.get("cpus", "")) or 1,
        memory_mib=memory.get("MemTotal", 0) // 1024,
        swap_mib=memory.get("SwapTotal", 0) // 1024,
        cgroup=2 if "cgroup2" in raw else 1,
        systemd=machine.systemd_version(one.get("systemd", "")),
        ipvs="ipvs" in raw,
        modules_missing=frozenset(lines("modules")),
        tools_missing=frozenset(lines("tools")),
        disks=machine.disks(lines("disks")),
        addresses=machine.addresses(lines("addresses")),
        routes=machine.routes(routes),
        mtu=machine.mtu(lines("mtu"), routes),
        listening=machine.ports(lines("listening")),
        answers=frozenset((f[0], machine.integer(f[1])) for f in (line.split() for line in lines("answers")) if len(f) == 2),
        nameservers=tuple(f[1] for f in (line.split() for line in lines("resolv")) if len(f) > 1 and f[0] == "nameserver"),
        leftovers=tuple(shown(line, LONGEST_LINE) for line in lines("leftovers")[:MOST_LEFTOVERS]),
        owner=records.owner(one.get("owner", "")),
        fence=records.fence(one.get("fence", "")),
        journal=journal,
        jobs=jobs,
        parts=frozenset(name for name in lines("parts") if records.is_digest(name)),
        files=_files(lines("managed"), lines("digests"), query),
        hosts_block=records.hosts_block(text(raw.get("hosts", b""))),
        units=machine.units(one.get("units", ""), query.units),
        kubelet_conf="kubelet-conf" in raw,
        manifests=frozenset(lines("manifests")),
        certificates=_certificates(raw),
        etcd=parse_etcd(one.get("etcd-status", ""), one.get("etcd-members", "")) if query.etcd else None,
    )


def shown(said: str, most: int) -> str:
    """One line that a person can read."""
    return "".join(c if c.isprintable() else "?" for c in said.strip()[:most])


def _files(managed: list[str], digests: list[str], query: FactsQuery) -> dict[str, ManagedFile]:
    actual = {"/" + line[66:]: line[:64] for line in digests}
    found = {path: ManagedFile("", actual.get(path)) for path in query.files}
    found |= {line[66:]: ManagedFile(line[:64], actual.get(line[66:])) for line in managed if len(line) > 66}
    return found


def _certificates(raw: dict[str, bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    for title, content in raw.items():
        kind, _, name = title.partition(" ")
        if kind == "certificate":
            found[name] = text(content) + "\n"
        elif kind == "kubeconfig" and content.strip():
            try:
                found[name] = base64.b64decode(content.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                found[name] = ""  # there, but no certificate: it does not cover anything, so it is made anew
    return found
