"""Distribute the root file system: each host receives only the parts it lacks.

The first registry host gets them over SSH and, once its registry serves, is the source for all others; bytes that leave the
operator are then O(image), not O(image x hosts). `Copy`, a lone host, and a failed download push over SSH.
"""

from __future__ import annotations

from sealcluster.core import paths
from sealcluster.core.digest import digest
from sealcluster.core.ops import FetchParts, File, InstallRootfs, Job, PutFiles
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context, image_set
from sealcluster.phases.environment import REGISTRY_USER
from sealcluster.phases.rootfs_files import files_digest, rootfs_files

PARTS_REPOSITORY = "sealcluster/parts"
"""Repository of the cluster's registry below which the parts are offered."""

STEP = "rootfs"
PARTS_STEP = "rootfs-parts"
SEND, FETCH, INSTALL = "send the root file system", "fetch the root file system", "install the root file system"


def rootfs_digest(view: ClusterView, host: HostView) -> str:
    """What makes the root file system of this host: parts and rendered files."""
    parts = [p.digest for i in image_set(view.images_for(host)) for p in i.parts]
    return digest(*parts, files_digest(rootfs_files(view, host)))


def rootfs_ready(view: ClusterView, host: HostView) -> bool:
    """True when the root file system lies on the host as wanted."""
    return bool(view.images_for(host)) and host.done(PARTS_STEP, parts_digest(view, host)) and host.done(STEP, rootfs_digest(view, host))


class DistributeRootfs:
    """Parts by digest, then unpacked and completed with the files rendered for this host."""

    name = "distribute-rootfs"
    title = "distributing the root file system"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Per host: fetch or push what it lacks, then install."""
        actions = []
        done = 0
        for host in view.wanted:
            if not host.done("claim") or not view.images_for(host):
                continue
            if rootfs_ready(view, host):
                done += 1
                continue
            actions.append(self._action(view, host))
        return PhasePlan(tuple(actions), done=done, total=len(view.wanted))

    def _action(self, view: ClusterView, host: HostView) -> Action:
        if parts_here(view, host):
            needs = "" if view.pki is not None else "the cluster's authorities and registry password"
            return Action(self.name, INSTALL, host.name, "its content differs from the image", needs, step=PARTS_STEP)
        registry = view.registry
        if registry is None or not self._fan_out(view, host, registry):
            return Action(self.name, SEND, host.name, "it lacks parts of the image", weight="upload")
        offered = registry.done("registry-parts", parts_digest(view, host)) and registry_serves(view, registry)
        return Action(
            self.name,
            FETCH,
            host.name,
            "it lacks parts of the image",
            "" if offered else f"the registry on {registry.name}",
            step="fetch-parts",
        )

    def _fan_out(self, view: ClusterView, host: HostView, registry: HostView) -> bool:
        return (
            str(view.spec.registry.distribution) == "Sync"
            and host.name != registry.name
            and not view.failing(registry)
            and registry.facts is not None
            and host.facts is not None
            and registry.facts.arch == host.facts.arch
            and f"{self.name}/{host.name}/{FETCH}" not in view.failures
        )

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Bring the parts, or install them and the files of this host."""
        host = view.hosts[action.host]
        if action.what == INSTALL:
            await self._install(context, view, host)
            return
        parts = part_digests(view, host)
        lacking = await context.gate.missing(host.name, parts)
        if action.what == SEND:
            await context.gate.send(host.name, [p for p in parts if p in lacking], context.progress)
            return
        assert view.registry is not None
        server = f"{view.registry.node_ip}:{view.spec.registry.port}"
        wanted = tuple(p for p in parts if p in lacking)
        op = FetchParts(server, PARTS_REPOSITORY, wanted, REGISTRY_USER, view.registry_password)
        await context.gate.run(host.name, Job("fetch-parts", parts_digest(view, host), op, timeout=1200), reason="RegistryFailed")

    async def _install(self, context: Context, view: ClusterView, host: HostView) -> None:
        root = paths.rootfs(view.name)
        if not host.done(PARTS_STEP, parts_digest(view, host)):
            keep = any(h.name == host.name for h in view.registry_hosts)
            op = InstallRootfs(root, part_digests(view, host), keep_parts=keep)
            await context.gate.run(host.name, Job(PARTS_STEP, parts_digest(view, host), op, timeout=900), reason="DistributionFailed")
        files = tuple(File(f"{root}/{f.path}", f.content, f.mode) for f in rootfs_files(view, host))
        await context.gate.run(host.name, Job(STEP, rootfs_digest(view, host), PutFiles(files), timeout=120), reason="DistributionFailed")


def part_digests(view: ClusterView, host: HostView) -> tuple[str, ...]:
    """Parts of rootfs and patches for this host's architecture, in order."""
    return tuple(p.digest for i in image_set(view.images_for(host)) for p in i.parts)


def parts_here(view: ClusterView, host: HostView) -> bool:
    """True when nothing has to travel any more: the parts lie in the host's store, are installed, or are being installed."""
    identity = parts_digest(view, host)
    if host.done(PARTS_STEP, identity) or host.running(PARTS_STEP, identity):
        return True
    return host.facts is not None and set(part_digests(view, host)) <= host.facts.parts


def parts_digest(view: ClusterView, host: HostView) -> str:
    """Identity of the parts that hosts of this architecture need."""
    return digest(*sorted(part_digests(view, host)))


def registry_serves(view: ClusterView, registry: HostView) -> bool:
    """True when the registry on this host was set up and listens."""
    return registry.facts is not None and registry.done("registry") and view.spec.registry.port in registry.facts.listening
