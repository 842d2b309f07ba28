"""What a running cluster was made from, by its state record: asked before an engine begins on a spec that may be another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sealcluster.api import SealClusterSpec
from sealcluster.api.validation_change import made_from
from sealcluster.core.ports import Management


async def origin(management: Management, spec: SealClusterSpec) -> Mapping[str, str]:
    """As `validate_change` takes it; empty before the cluster exists.

    The record of a release that did not write it down takes it from `spec`, the last one that is known: that is the one write of this.
    """
    record, version = await management.load_state()
    if record is None or not record.init.initialized:
        return {}
    if not record.made_from:
        record = replace(record, made_from=made_from(spec))
        await management.save_state(record, version)
    return record.made_from
