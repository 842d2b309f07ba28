"""What `status`, `plan` and `preflight` share: looks at a cluster that change nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sealcluster.cli.change import Wish, stamped, texts_of
from sealcluster.cli.here import Here
from sealcluster.cli.observer import Observer
from sealcluster.cli.outside import Opened
from sealcluster.cli.records import Records
from sealcluster.cli.session import desired_of, look
from sealcluster.engine import Report


def glance(here: Here, wish: Wish, *, images: bool = True) -> Report:
    """Look at every host once. What was typed is used and not stored."""
    records = Records(here.common.root, wish.cluster.name)
    cluster = stamped(records.document(), wish.cluster)
    settings = records.settings().overlaid(tuple(wish.registries.insecure_registry or ()), wish.registries.registry_ca)
    observer = Observer(records.management, texts_of(records, wish))

    async def work() -> Report:
        opened = here.outside.open(here.common.root, settings)
        try:
            return await look(desired_of(cluster), opened.ports(observer), images=images)
        finally:
            await opened.close()

    hosts = len(cluster.spec.hosts)
    with here.patience(f"looking at {hosts} machine{'s' if hosts != 1 else ''}{' and the cluster images' if images else ''}"):
        return here.outside.run(work())


def keep_looking(here: Here, records: Records, draw: Callable[[Report], None], every: float) -> None:
    """Look at a known cluster every few seconds, until interrupted; connections stay open. A cluster that is deleted meanwhile ends it."""

    async def again(opened: Opened) -> None:
        while (wanted := records.document()) is not None:
            draw(await look(desired_of(wanted), opened.ports(Observer(records.management))))
            await asyncio.sleep(every)

    async def work() -> None:
        opened = here.outside.open(here.common.root, records.settings())
        try:
            await again(opened)
        finally:
            await opened.close()

    here.outside.run(work())
