"""Resolve the spec's images for every architecture among the hosts, into the content store of the operator."""

from __future__ import annotations

from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView
from sealcluster.phases.base import Context


class PullImages:
    """Nothing on a host is touched before the images are known to exist and to fit."""

    name = "pull-images"
    title = "pulling images"

    def plan(self, view: ClusterView) -> PhasePlan:
        """One action per architecture that is not resolved yet."""
        wanted = sorted({h.facts.arch for h in view.wanted if h.facts is not None and h.facts.arch in ("amd64", "arm64")})
        actions = tuple(
            Action(self.name, f"pull images for {arch}", why="they are not in the store yet", args={"arch": arch})
            for arch in wanted
            if arch not in view.images
        )
        return PhasePlan(actions, done=len(wanted) - len(actions), total=max(len(wanted), 1))

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Pull and verify; the content lands in the store, no host is involved."""
        await context.resolve_images(action.args["arch"])
