"""Bootstrap every machine: name resolution, the image's check and init scripts, the container images that its role needs."""

from __future__ import annotations

from sealcluster.core import paths
from sealcluster.core.digest import digest
from sealcluster.core.ops import Job, PullImages, RunScript, WriteHosts
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.balancer_choice import balancer_image
from sealcluster.phases.base import Context, image_set
from sealcluster.phases.distribute import registry_serves, rootfs_ready
from sealcluster.phases.environment import host_env
from sealcluster.phases.hosts_file import hosts_block, hosts_entries
from sealcluster.phases.registry import tree_ready


class HostsFile:
    """Our block of /etc/hosts, kept right for ever: a reboot may rewrite the file, the masters may change."""

    name = "hosts-entries"
    title = "writing host entries"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Every claimed machine whose block differs."""
        actions = []
        done = 0
        for host in view.wanted:
            if host.facts is None or not host.done("claim") or not view.images_for(host):
                continue
            if host.facts.hosts_block == hosts_block(hosts_entries(view, host)):
                done += 1
            else:
                actions.append(Action(self.name, "write /etc/hosts", host.name, "its entries differ"))
        return PhasePlan(tuple(actions), done=done, total=len(view.wanted))

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Write the block."""
        entries = hosts_entries(view, view.hosts[action.host])
        await context.gate.run(
            action.host, Job("hosts", digest(hosts_block(entries)), WriteHosts(entries), timeout=60), reason="ScriptFailed"
        )


def _scripts(view: ClusterView, host: HostView) -> dict[str, str]:
    return {name: text for image in image_set(view.images_for(host)) for name, text in image.scripts.items()}


def script_digest(view: ClusterView, host: HostView, name: str) -> str:
    """Identity of one of the image's scripts on a host: the rootfs that brings it and its label text."""
    rootfs = view.rootfs_for(host)
    return digest(rootfs.digest if rootfs else "", name, _scripts(view, host).get(name, ""))


def bootstrapped(view: ClusterView, host: HostView) -> bool:
    """True when the image's init scripts ran on the host."""
    return bool(view.images_for(host)) and host.done("init", script_digest(view, host, "init"))


class Bootstrap:
    """check, init-cri (where the image has it), init: once each per image, in this order."""

    name = "bootstrap"
    title = "bootstrapping machines"

    def plan(self, view: ClusterView) -> PhasePlan:
        """The next script of each machine."""
        actions = []
        done = 0
        for host in view.wanted:
            if not host.done("claim") or not view.images_for(host):
                continue
            if bootstrapped(view, host):
                done += 1
                continue
            scripts = _scripts(view, host)
            needs = "" if rootfs_ready(view, host) else "its root file system"
            step = self._next(view, host, scripts)
            if not needs and step != "check" and host.facts is not None:
                needs = self._needs(view, host)
            actions.append(Action(self.name, f"run {step} script", host.name, "it did not run", needs, args={"step": step}, step=step))
        return PhasePlan(tuple(actions), done=done, total=len(view.wanted))

    @staticmethod
    def _needs(view: ClusterView, host: HostView) -> str:
        if host.facts is None or host.facts.hosts_block != hosts_block(hosts_entries(view, host)):
            return "its entries in /etc/hosts"
        registry = view.registry
        if registry is None or not registry_serves(view, registry) or not tree_ready(view, registry):
            return f"the registry on {registry.name}" if registry else "a registry host"
        return ""

    @staticmethod
    def _next(view: ClusterView, host: HostView, scripts: dict[str, str]) -> str:
        for step in ("check", "init-cri"):
            if step in scripts and not host.done(step, script_digest(view, host, step)):
                return step
        return "init"

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Run the script the way its author expects."""
        host = view.hosts[action.host]
        step = action.args["step"]
        text = _scripts(view, host).get(step, f"{step}.sh")
        op = RunScript(f"{paths.rootfs(view.name)}/scripts", text, host_env(view, host))
        job = Job(step, script_digest(view, host, step), op, timeout=900)
        await context.gate.run(host.name, job, reason="CheckScriptFailed" if step == "check" else "ScriptFailed")


class PullContainerImages:
    """Each machine pulls what its role needs while others initialise: no join waits for a pull."""

    name = "pull-container-images"
    title = "pulling container images"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Machines whose container runtime runs and that have not joined."""
        actions = []
        done = 0
        for host in view.wanted:
            if not bootstrapped(view, host):
                continue
            if host.done("pull") or view.joined(host):
                done += 1
            else:
                actions.append(Action(self.name, "pull container images", host.name, "they are not on the machine", step="pull"))
        return PhasePlan(tuple(actions), done=done, total=len(view.wanted))

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """One job per machine."""
        host = view.hosts[action.host]
        extra = () if host.master or str(view.spec.endpoint.load_balancer) == "External" else (balancer_image(view, host),)
        op = PullImages(paths.rootfs(view.name), view.version, "master" if host.master else "worker", extra)
        job = Job("pull", digest(view.version, op.role, *extra), op, timeout=1200)
        await context.gate.run(host.name, job, reason="ContainerImagePullFailed")
