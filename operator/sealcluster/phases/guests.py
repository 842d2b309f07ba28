"""The images' own commands, in the order of the list: rootfs and patches on every machine, applications on one healthy master.

That an application's commands succeeded is remembered in the state record, not on a machine: no master is special.
"""

from __future__ import annotations

from sealcluster.core import paths
from sealcluster.core.digest import digest, digest_items
from sealcluster.core.errors import JobFailed
from sealcluster.core.images import ImageInfo
from sealcluster.core.ops import Guest, Job
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.policies.preflight import CLUSTER, preflight
from sealcluster.core.state import BEGUN, GuestRecord
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context, image_set
from sealcluster.phases.environment import application_env, host_env
from sealcluster.phases.registry import tree_ready
from sealcluster.phases.releasing import ours, under_way
from sealcluster.phases.rootfs_files import application_files
from sealcluster.render.expand import expand

NETWORK = "sealcluster.io/network"
"""Label of an application image."""
LONGEST = 1800.0
"""Seconds after which the commands of an image are ended."""
UNSEEN = LONGEST + 60.0
"""Seconds after which they have ended on a machine that cannot be seen."""


def _run(image: ImageInfo) -> str:
    return f"run the commands of {image.name}"


def commands(view: ClusterView, image: ImageInfo, env: dict[str, str]) -> tuple[str, ...]:
    """ENTRYPOINT and CMD (or the spec's args in its place), variables expanded."""
    return tuple(expand(t, env) for t in _texts(view, image))


def _texts(view: ClusterView, image: ImageInfo) -> tuple[str, ...]:
    wanted = next((i for i in view.spec.images if i.name == image.name), None)
    if wanted is None or wanted.args is None:
        return image.commands
    return (*image.commands[: image.entrypoint], *wanted.args)


def is_network(image: ImageInfo) -> bool:
    """True when the image says that it is the pods' network: nodes become Ready with it, and it works for those that join later."""
    return image.labels.get(NETWORK) == "true"


def application_digest(view: ClusterView, image: ImageInfo) -> str:
    """What makes an application run: its image, its commands, the env that the spec gives it."""
    wanted = next((i for i in view.spec.images if i.name == image.name), None)
    env = {**(wanted.env if wanted else {}), **view.spec.env}
    return digest(image.digest, *_texts(view, image), digest_items(env.items()))


def _to_join(view: ClusterView) -> list[str]:
    """Machines that will join by themselves: not those that fail, nor those that preflight leaves out until a person mends them."""
    waiting = [h for h in view.wanted if not view.joined(h) and not view.failing(h)]
    if all(ours(view, h) for h in waiting):
        return [h.name for h in waiting]
    unfit = {c.host for c in preflight(view) if c.blocks and c.scope != CLUSTER}
    return [h.name for h in waiting if ours(view, h) or h.name not in unfit]


class Guests:
    """Strictly one application after another; a failed one is tried again and never called done."""

    name = "guests"
    title = "running the images' commands"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Host commands of rootfs and patches, then the first application that is not done."""
        actions: list[Action] = []
        done = 0
        total = 0
        for host in view.wanted:
            if not view.images_for(host) or not view.joined(host):
                continue
            for image in image_set(view.images_for(host)):
                if not commands(view, image, {}):
                    continue
                total += 1
                if host.done(f"guest-{image.name}", self._host_digest(view, host, image)):
                    done += 1
                else:
                    actions.append(
                        Action(
                            self.name,
                            _run(image),
                            host.name,
                            "they did not run here",
                            args={"image": image.name},
                            step=f"guest-{image.name}",
                        )
                    )
        previous = ""
        for image in (i for i in view.any_images if i.type == "application"):
            total += 1
            if self._recorded(view, image):
                done += 1
                continue
            needs = previous or self._hidden(view, image) or self._needs(view, image)
            leader = self._runner(view, image)
            actions.append(
                Action(self.name, _run(image), leader.name if leader else "", "they did not succeed yet", needs,
                       args={"image": image.name}, step=f"guest-{image.name}")
            )  # fmt: skip
            previous = f"{image.name} before it in the list"
        return PhasePlan(tuple(actions), done=done, total=total)

    @staticmethod
    def _recorded(view: ClusterView, image: ImageInfo) -> bool:
        record = view.state.guests.get(image.name)
        return record is not None and record.rc == 0 and record.digest == application_digest(view, image)

    @staticmethod
    def _hidden(view: ClusterView, image: ImageInfo) -> str:
        """They may still run on a master that nobody sees: they are not run on another one beside that."""
        record = view.state.guests.get(image.name)
        host = view.hosts.get(record.host) if record is not None and record.rc == BEGUN else None
        if host is None or host.facts is not None or host.unseen >= UNSEEN:
            return ""
        return f"{host.name} to answer, for at most {UNSEEN / 60:.0f} minutes: the commands may still run there"

    @staticmethod
    def _runner(view: ClusterView, image: ImageInfo) -> HostView | None:
        """The master where it runs, else the one where it already ran (its record was lost), else the leader."""
        step = f"guest-{image.name}"
        identity = application_digest(view, image)
        for host in view.joined_masters:
            if Action(Guests.name, _run(image), host.name).key in view.running or under_way(host, step):
                return host
        for host in view.joined_masters:
            if host.facts is None:
                continue
            job = host.facts.jobs.get(step)
            if host.done(step, identity) or (job is not None and job.digest == identity):
                return host
        return view.leader

    @staticmethod
    def _needs(view: ClusterView, image: ImageInfo) -> str:
        if not view.initialized or view.leader is None:
            return "a master whose API server answers"
        waiting = _to_join(view)
        alone = sum(view.joined(h) for h in view.wanted) < 2
        if is_network(image) and not alone and all(view.hosts[name].master for name in waiting):
            waiting = []  # masters join one by one, which takes longest
        if waiting:
            return f"{waiting[0]} to join"
        registry = view.registry
        if registry is None or (not tree_ready(view, registry) and not view.failing(registry)):
            return "the registry to hold the images"
        return ""

    @staticmethod
    def _host_digest(view: ClusterView, host: HostView, image: ImageInfo) -> str:
        return digest(image.digest, *commands(view, image, host_env(view, host)))

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Run, then remember."""
        host = view.hosts[action.host]
        image = next(i for i in view.images_for(host) if i.name == action.args["image"])
        step = f"guest-{image.name}"
        if image.type != "application":
            env = host_env(view, host)
            op = Guest(paths.rootfs(view.name), commands(view, image, env), env)
            await context.gate.run(host.name, Job(step, self._host_digest(view, host, image), op, timeout=LONGEST), reason="GuestFailed")
            return
        identity = application_digest(view, image)
        if not host.done(step, identity):
            env = application_env(view, host, image)
            files = application_files(view, host, image)
            parts = tuple(p.digest for p in image.parts)
            lacking = frozenset() if host.running(step, identity) else await context.gate.missing(host.name, parts)
            await context.gate.send(host.name, [p for p in parts if p in lacking], context.progress)
            workdir = paths.application(view.name, image.name)
            op = Guest(workdir, commands(view, image, env), env, parts, files)
            await self._remember(context, image, GuestRecord(identity, BEGUN, host.name, context.clock.now()))
            try:
                await context.gate.run(host.name, Job(step, identity, op, timeout=LONGEST), reason="GuestFailed")
            except JobFailed as error:
                await self._remember(context, image, GuestRecord(identity, error.exit_code or 1, host.name, context.clock.now()))
                raise
        await self._remember(context, image, GuestRecord(identity, 0, host.name, context.clock.now()))

    @staticmethod
    async def _remember(context: Context, image: ImageInfo, record: GuestRecord) -> None:
        await context.gate.update_state(lambda state: state.with_guest(image.name, record))
