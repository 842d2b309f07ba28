"""A story on a management plane: one object, the whole operator, and judges that are heard at the end."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from sealcluster.api import SealClusterSpec
from sealcluster.testing import clock
from sealcluster.testing.plane import Plane

CRD = Path(__file__).parents[2] / "crds/sealclusters.sealcluster.io.yaml"


def supervised(
    tell: Callable[[Plane], Awaitable[None]],
    spec: SealClusterSpec,
    *,
    ready: bool = False,
    seed: int = 1,
    limit: float = 50_000,
    **wish: object,
) -> None:
    """Wish for `spec`, start an operator (`ready`: and wait until it is so), tell the story. `limit`: virtual seconds."""

    async def main() -> None:
        plane = Plane(seed, CRD)
        try:
            plane.wish(spec, **wish)
            plane.start()
            if ready:
                await plane.until(plane.ready, 3600)
            await tell(plane)
            assert plane.problems() == []
        finally:
            await plane.end()

    clock.run(main(), limit=limit)
