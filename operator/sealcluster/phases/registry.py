"""The cluster's registry: set up on the registry hosts early, then filled. `Sync` sends blob by blob what is missing, `Copy` all of it."""

from __future__ import annotations

from sealcluster.core import paths
from sealcluster.core.digest import digest
from sealcluster.core.images import RegistryTree
from sealcluster.core.ops import CommitRegistry, Job, PrepareRegistry, RunScript
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context, image_set
from sealcluster.phases.distribute import PARTS_REPOSITORY, parts_digest, parts_here, registry_serves, rootfs_ready
from sealcluster.phases.environment import REGISTRY_USER, host_env
from sealcluster.phases.releasing import under_way
from sealcluster.render.htpasswd import htpasswd

SEND = "send images"


def registry_tree(view: ClusterView, host: HostView) -> RegistryTree:
    """The union of all images' registry trees; later images win where link files clash."""
    blobs = {b.digest: b for image in view.images_for(host) for b in image.registry.blobs}
    links = {path: link for image in view.images_for(host) for path, link in image.registry.links}
    return RegistryTree(tuple(blobs.values()), tuple(sorted(links.items())))


def tree_ready(view: ClusterView, host: HostView) -> bool:
    """True when the registry on this host holds everything that the images bring."""
    return bool(view.images_for(host)) and host.done("registry-tree", digest(registry_tree(view, host).digest_source))


class DistributeRegistry:
    """Serve first, then fill: other machines download their parts while the blobs arrive."""

    name = "distribute-registry"
    title = "filling the registry"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Three steps per registry host, in this order."""
        actions = []
        done = 0
        for host in view.registry_hosts:
            if not host.done("claim") or not view.images_for(host):
                continue
            if self._early(view, host):
                why = "the registry will need them"
                actions.append(Action(self.name, SEND, host.name, why, aside="upload", weight="upload"))
            if not rootfs_ready(view, host):
                actions.append(Action(self.name, "start the registry", host.name, "it does not serve", "its root file system"))
            elif not host.done("registry", _registry_digest(view, host)):
                actions.append(Action(self.name, "start the registry", host.name, "it does not serve", step="registry"))
            elif not host.done("registry-parts", parts_digest(view, host)) and len(view.wanted) > 1:
                needs = "" if registry_serves(view, host) else "the registry to answer"
                actions.append(Action(self.name, "offer parts", host.name, "other machines fetch them here", needs, watch=(host.name,)))
            elif not tree_ready(view, host):
                needs = "its images to arrive" if f"{host.name}/upload" in view.running else ""
                actions.append(
                    Action(self.name, "sync images", host.name, "the registry lacks images", needs, weight="upload", step="registry-tree")
                )
            else:
                done += 1
        return PhasePlan(tuple(actions), done=done, total=len(view.registry_hosts))

    @staticmethod
    def _early(view: ClusterView, host: HostView) -> bool:
        """True while blobs can travel beside the set-up of the machine: the parts are there, the registry was never filled."""
        if host.facts is None or "registry-tree" in host.facts.journal or "registry-tree" in host.facts.jobs:
            return False
        blobs = {b.digest for b in registry_tree(view, host).blobs}
        return parts_here(view, host) and not blobs <= host.facts.parts

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """One of the four."""
        host = view.hosts[action.host]
        if action.what == SEND:
            blobs = [b.digest for b in registry_tree(view, host).blobs]
            lacking = await context.gate.missing(host.name, blobs)
            await context.gate.send(host.name, [b for b in blobs if b in lacking], context.progress)
            return
        if action.what == "start the registry":
            await self._start(context, view, host)
        elif action.what == "offer parts":
            parts = tuple(p.digest for i in image_set(view.images_for(host)) for p in i.parts)
            lacking = await context.gate.missing(host.name, parts, paths.registry_tree(view.name))
            await context.gate.send(host.name, sorted(lacking), context.progress)
            op = CommitRegistry(paths.registry_tree(view.name), (), (), parts, PARTS_REPOSITORY)
            await context.gate.run(host.name, Job("registry-parts", parts_digest(view, host), op), reason="RegistryFailed")
        else:
            await self._fill(context, view, host)

    async def _start(self, context: Context, view: ClusterView, host: HostView) -> None:
        env = host_env(view, host)
        root = paths.rootfs(view.name)
        prepare = PrepareRegistry(
            data=env.get("registryData", "/var/lib/registry"),
            tree=paths.registry_tree(view.name),
            htpasswd_path=f"{root}/etc/registry_htpasswd",
            htpasswd=htpasswd(REGISTRY_USER, view.registry_password),
        )
        identity = _registry_digest(view, host)
        if not under_way(host, "registry"):  # an earlier operator's script runs: it is waited for, and nothing is changed beneath it
            await context.gate.run(host.name, Job("registry-prepare", identity, prepare), reason="RegistryFailed")
        text = _script(view, host)
        script = RunScript(f"{root}/scripts", text, env)
        await context.gate.run(host.name, Job("registry", identity, script, timeout=300), reason="RegistryFailed")

    async def _fill(self, context: Context, view: ClusterView, host: HostView) -> None:
        tree = registry_tree(view, host)
        root = paths.registry_tree(view.name)
        blobs = tuple(b.digest for b in tree.blobs)
        identity = digest(tree.digest_source)
        if host.running("registry-tree", identity):
            lacking = frozenset[str]()  # its job moves them
        elif str(view.spec.registry.distribution) == "Sync":
            lacking = await context.gate.missing(host.name, blobs, root)
        else:
            lacking = frozenset(blobs)
        await context.gate.send(host.name, [b for b in blobs if b in lacking], context.progress)
        op = CommitRegistry(root, blobs, tree.links)
        await context.gate.run(host.name, Job("registry-tree", identity, op), reason="RegistryFailed")


def _script(view: ClusterView, host: HostView) -> str:
    merged = {name: text for image in image_set(view.images_for(host)) for name, text in image.scripts.items()}
    return merged.get("init-registry", "init-registry.sh")


def _registry_digest(view: ClusterView, host: HostView) -> str:
    env = host_env(view, host)
    identity = [i.digest for i in image_set(view.images_for(host)) if i.type == "rootfs"]
    keys = ("registryData", "registryConfig", "registryDomain", "registryPort", "registryPassword")
    return digest(*identity, _script(view, host), *(env.get(k, "") for k in keys))
