"""What `status`, `plan` and `preflight` share: one look at a cluster that changes nothing."""

from __future__ import annotations

from sealcluster.cli.change import Wish, stamped, texts_of
from sealcluster.cli.here import Here
from sealcluster.cli.observer import Observer
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

    return here.outside.run(work())
