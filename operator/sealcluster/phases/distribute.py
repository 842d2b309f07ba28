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
        needs, source = "", "push"
        registry = view.registry
        fan_out = (
            str(view.spec.registry.distribution) == "Sync"
            and registry is not None
            and host.name != registry.name
            and not view.failing(registry)
            and registry.facts is not None
            and host.facts is not None
            and registry.facts.arch == host.facts.arch
            and f"{self.name}/{host.name}/install root file system" not in view.failures
        )
        if fan_out and registry is not None and not host.done(PARTS_STEP, parts_digest(view, host)):
            source = "fetch"
            if not registry.done("registry-parts", parts_digest(view, host)) or not registry_serves(view, registry):
                needs = f"the registry on {registry.name}"
        if view.pki is None:
            needs = "the cluster's authorities and registry password"
        return Action(
            self.name, "install root file system", host.name, "its content differs from the image", needs, args={"source": source},
            weight="upload" if source == "push" else "light",
        )  # fmt: skip

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Bring the parts, then install."""
        host = view.hosts[action.host]
        if not host.done(PARTS_STEP, parts_digest(view, host)):
            await self._install_parts(context, view, host, action.args["source"])
        root = paths.rootfs(view.name)
        files = tuple(File(f"{root}/{f.path}", f.content, f.mode) for f in rootfs_files(view, host))
        await context.gate.run(host.name, Job(STEP, rootfs_digest(view, host), PutFiles(files), timeout=120), reason="DistributionFailed")

    async def _install_parts(self, context: Context, view: ClusterView, host: HostView, source: str) -> None:
        parts = tuple(p.digest for i in image_set(view.images_for(host)) for p in i.parts)
        # A job that runs takes its parts away when it ends: they are not missing.
        under_way = host.running(PARTS_STEP, parts_digest(view, host))
        lacking = frozenset() if under_way else await context.gate.missing(host.name, parts)
        if lacking and source == "fetch":
            assert view.registry is not None
            op = FetchParts(
                f"{view.registry.node_ip}:{view.spec.registry.port}",
                PARTS_REPOSITORY,
                tuple(p for p in parts if p in lacking),
                REGISTRY_USER,
                view.registry_password,
            )
            await context.gate.run(host.name, Job("fetch-parts", parts_digest(view, host), op, timeout=1200), reason="RegistryFailed")
        elif lacking:
            await context.gate.send(host.name, [p for p in parts if p in lacking], context.progress)
        keep = any(h.name == host.name for h in view.registry_hosts)
        install = InstallRootfs(paths.rootfs(view.name), parts, keep_parts=keep)
        await context.gate.run(host.name, Job(PARTS_STEP, parts_digest(view, host), install, timeout=900), reason="DistributionFailed")


def parts_digest(view: ClusterView, host: HostView) -> str:
    """Identity of the parts that hosts of this architecture need."""
    return digest(*sorted(p.digest for i in image_set(view.images_for(host)) for p in i.parts))


def registry_serves(view: ClusterView, registry: HostView) -> bool:
    """True when the registry on this host was set up and listens."""
    return registry.facts is not None and registry.done("registry") and view.spec.registry.port in registry.facts.listening
