"""The images that the spec names: resolved when a phase asks for them, forgotten when the spec names others."""

from __future__ import annotations

from collections.abc import Sequence

from sealcluster.core.errors import SealError, TerminalError
from sealcluster.core.images import ImageInfo
from sealcluster.core.ports import PullAuth
from sealcluster.engine.memory import Memory
from sealcluster.engine.references import References
from sealcluster.phases.kubeadm_inputs import cluster_inputs


class Resolver:
    """Keeps `Memory.images` true to the spec."""

    def __init__(self, memory: Memory, references: References) -> None:
        self._memory = memory
        self._references = references

    async def resolve(self, arch: str) -> None:
        """Pull what is missing for an architecture and remember what the images say of themselves."""
        desired, ports = self._memory.desired, self._memory.ports
        auth = PullAuth()
        if desired.spec.pull_secret_refs:
            await self._references.used(desired.spec)
            auth = await ports.management.pull_auth([str(r.name) for r in desired.spec.pull_secret_refs])
        infos = [await ports.images.resolve(str(i.name), str(i.ref), arch, auth, None) for i in desired.spec.images]
        self._refuse_upgrade(arch, infos)
        before = dict(self._memory.images)
        self._memory.images[arch] = tuple(infos)
        try:
            cluster_inputs(self._memory.view(frozenset()))
        except SealError:  # what kubeadm is to be told cannot be made from these images: nothing is touched
            self._memory.images = before
            raise
        self._memory.image_refs = tuple((str(i.name), str(i.ref)) for i in desired.spec.images)
        self._memory.stale |= {h.name for h in self._memory.view(frozenset()).masters}

    def forget_others(self) -> None:
        """Forget images that the spec no longer names as it did."""
        wanted = tuple((str(i.name), str(i.ref)) for i in self._memory.desired.spec.images)
        if self._memory.image_refs and wanted != self._memory.image_refs:
            self._memory.images.clear()
            self._memory.image_refs = ()

    def _refuse_upgrade(self, arch: str, infos: Sequence[ImageInfo]) -> None:
        state = self._memory.state
        rootfs = next((i for i in infos if i.type == "rootfs"), None)
        recorded = state.rootfs.get(arch)
        if not state.init.initialized or rootfs is None:
            return
        if (recorded is not None and recorded != rootfs.digest) or rootfs.version != state.version:
            raise TerminalError(
                f"the running cluster was made from {recorded or state.version}, {rootfs.ref} is {rootfs.digest} ({rootfs.version})",
                reason="UpgradeNotSupported",
                hint="upgrades of Kubernetes are not supported yet: put the previous reference back into spec.images",
            )
