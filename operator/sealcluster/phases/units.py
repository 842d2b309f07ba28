"""Drift of machines that belong to the cluster: stopped units, missing static pods, changed files of ours. Found by looking, put right.

Entries in /etc/hosts, balancers and certificates have their own phases, which see drift as any other difference.
"""

from __future__ import annotations

from sealcluster.core import paths
from sealcluster.core.digest import digest
from sealcluster.core.ops import File, Job, PutFiles, RestoreManifests, StartUnits
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.distribute import rootfs_ready
from sealcluster.phases.hosts_file import hosts_block, hosts_entries
from sealcluster.phases.rootfs_files import files_digest, rootfs_files

UNITS = ("containerd", "image-cri-shim", "registry", "kubelet")
"""In the order in which they need each other."""
STOPPED = ("inactive", "failed")
CONTROL_PLANE = ("etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml")
START, RESTORE, REWRITE = "start units", "restore static pods", "rewrite files"


def stopped_units(view: ClusterView, host: HostView) -> tuple[str, ...]:
    """Units that must run on a joined machine and do not; one that the image does not have is not missed."""
    if host.facts is None or not view.joined(host):
        return ()
    serves = any(h.name == host.name for h in view.registry_hosts)
    return tuple(u for u in UNITS if host.facts.units.get(u) in STOPPED and (u != "registry" or serves))


def missing_manifests(view: ClusterView, host: HostView) -> tuple[str, ...]:
    """Static pods of the control plane whose files are gone."""
    if host.facts is None or not host.master or not view.joined(host):
        return ()
    return tuple(m for m in CONTROL_PLANE if m not in host.facts.manifests)


def changed_files(view: ClusterView, host: HostView) -> tuple[File, ...]:
    """Rendered files of the root file system that are not as we left them."""
    if host.facts is None or not rootfs_ready(view, host):
        return ()
    prefix = paths.rootfs(view.name) + "/"
    odd = {p for p, f in host.facts.files.items() if p.startswith(prefix) and f.recorded and f.actual != f.recorded}
    if not odd:
        return ()
    return tuple(File(prefix + f.path, f.content, f.mode) for f in rootfs_files(view, host) if prefix + f.path in odd)


def drift(view: ClusterView) -> tuple[tuple[str, str], ...]:
    """(host, what) of everything that somebody else changed since we left it."""
    found: list[tuple[str, str]] = []
    for host in view.wanted:
        if host.facts is None or not view.joined(host):
            continue
        found += [(host.name, f"{unit}.service is {host.facts.units[unit]}") for unit in stopped_units(view, host)]
        found += [(host.name, f"static pod {name} is gone") for name in missing_manifests(view, host)]
        for path, file in sorted(host.facts.files.items()):
            if file.recorded and file.actual != file.recorded:
                found.append((host.name, f"{path} is {'gone' if file.actual is None else 'changed'}"))
        block = hosts_block(hosts_entries(view, host)) if view.images_for(host) else ""
        if block and host.facts.hosts_block != block and host.done("hosts", digest(block)):
            found.append((host.name, "our entries in /etc/hosts are changed"))
    return tuple(found)


class Units:
    """Repairs, one machine at a time where they interrupt something, which none of these does."""

    name = "units"
    title = "repairing machines"

    def plan(self, view: ClusterView) -> PhasePlan:
        """What is stopped, missing or changed on machines that are part of the cluster."""
        actions = []
        joined = [h for h in view.wanted if view.joined(h) and h.facts is not None]
        for host in joined:
            stopped, missing = stopped_units(view, host), missing_manifests(view, host)
            if missing:
                actions.append(Action(self.name, RESTORE, host.name, f"{', '.join(missing)} missing"))
            if stopped:
                actions.append(Action(self.name, START, host.name, f"{', '.join(stopped)} stopped", args={"units": " ".join(stopped)}))
            changed = changed_files(view, host)
            if changed:
                actions.append(Action(self.name, REWRITE, host.name, f"{len(changed)} changed"))
        touched = {a.host for a in actions}
        return PhasePlan(tuple(actions), done=len(joined) - len(touched), total=len(joined))

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """One repair."""
        host = view.hosts[action.host]
        if action.what == START:
            units = tuple(action.args["units"].split())
            job = Job("start-units", digest(*units), StartUnits(units), timeout=120)
        elif action.what == RESTORE:
            job = Job("restore-manifests", digest(*missing_manifests(view, host)), RestoreManifests(), timeout=60)
        else:
            files = changed_files(view, host)
            job = Job("rewrite-files", files_digest(files), PutFiles(files), timeout=60)
        await context.gate.run(host.name, job, reason="DriftFound")
