"""The workers' way to the masters: a static pod on each, rewritten when the masters change."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from sealcluster.core.digest import digest
from sealcluster.core.ops import File, Job, PutFiles
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.balancer_choice import (
    EXTERNAL,
    HAPROXY_MANIFEST,
    LVSCARE,
    LVSCARE_MANIFEST,
    balancer,
    balancer_answers,
    balancer_image,
)
from sealcluster.phases.base import Context
from sealcluster.phases.releasing import ours
from sealcluster.render.staticpod import haproxy_files, lvscare_files

MANIFESTS = "/etc/kubernetes/manifests"


class LoadBalancer:
    """lvscare or haproxy, towards all masters that are ours."""

    name = "load-balancer"
    title = "balancing workers' traffic to the masters"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Joined workers whose files differ, then those whose balancer does not answer yet."""
        actions = []
        done = 0
        workers = [h for h in view.workers if view.joined(h) and h.facts is not None and view.images_for(h)]
        if not view.joined_masters:
            return PhasePlan(total=len(view.workers))
        for host in workers:
            if balancer(view, host) == EXTERNAL:
                done += 1
                continue
            if not balancer_written(view, host):
                actions.append(Action(self.name, "write the balancer", host.name, "its list of masters differs"))
            elif not balancer_answers(view, host):
                actions.append(
                    Action(self.name, "wait for the balancer", host.name, "its pod starts", "the balancer to answer", watch=(host.name,))
                )
            else:
                done += 1
        return PhasePlan(tuple(actions), done=done, total=len(view.workers))

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Write the files; kubelet does the rest."""
        host = view.hosts[action.host]
        files = balancer_files(view, host)
        remove = tuple(f"{MANIFESTS}/{m}" for m in _others(view, host))
        identity = digest(*(part for f in files for part in (f.path, f.content)), *remove)
        await context.gate.run(host.name, Job("load-balancer", identity, PutFiles(files, remove), timeout=60), reason="ScriptFailed")


def balancer_written(view: ClusterView, host: HostView) -> bool:
    """True when the worker's balancer files are those that the masters of now ask for."""
    assert host.facts is not None
    if any(f"{MANIFESTS}/{m}" in host.facts.files for m in _others(view, host)):
        return False
    for file in balancer_files(view, host):
        known = host.facts.files.get(file.path)
        if known is None or known.actual != digest_of(file):
            return False
    return True


def _others(view: ClusterView, host: HostView) -> tuple[str, ...]:
    return (HAPROXY_MANIFEST,) if balancer(view, host) == LVSCARE else (LVSCARE_MANIFEST,)


def balancer_files(view: ClusterView, host: HostView) -> tuple[File, ...]:
    """The static pod and its configuration, from the masters that are part of the cluster or soon will be."""
    port = int(view.spec.endpoint.port)
    masters = tuple(f"{h.node_ip}:{port}" for h in balanced_masters(view))
    image = balancer_image(view, host)
    vip = str(view.spec.endpoint.vip)
    return _files(balancer(view, host), image, vip, port, masters, host.node_ip if balancer(view, host) == LVSCARE else "")


def balanced_masters(view: ClusterView) -> list[HostView]:
    """Masters that serve, and those that are ours and will: every balancer asks a master how it is before it leads anybody there.

    So a balancer need not be started again for each master that joins. A machine that is not ours yet is never named: another
    cluster's API server may answer there.
    """
    claimed = [m for m in view.masters if m.row is not None and (m.facts is None or ours(view, m))]
    return [*view.serving_masters, *(m for m in claimed if not view.joined(m))]


ANY_NODE = "203.0.113.254"
"""Stands for the node's own address: of a range that is for documentation alone, so that it is nobody's."""


def _files(kind: str, image: str, vip: str, port: int, masters: tuple[str, ...], node_ip: str) -> tuple[File, ...]:
    """Written out once for all workers: they differ in their own address only, and there may be thousands at every turn."""
    return tuple(
        replace(f, content=f.content.replace(ANY_NODE.encode(), node_ip.encode())) for f in _template(kind, image, vip, port, masters)
    )


@lru_cache(maxsize=1024)
def _template(kind: str, image: str, vip: str, port: int, masters: tuple[str, ...]) -> tuple[File, ...]:
    if kind == LVSCARE:
        return lvscare_files(image=image, vip=vip, port=port, masters=masters, node_ip=ANY_NODE)
    return haproxy_files(image=image, port=port, masters=masters)


def digest_of(file: File) -> str:
    """sha256 of the content, as facts report it."""
    import hashlib  # noqa: PLC0415 - one use

    return hashlib.sha256(file.content).hexdigest()
