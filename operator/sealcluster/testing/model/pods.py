"""Containers of one machine: static pods that kubelet starts from manifests, as long as containerd can run them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sealcluster.testing.model.machine import MANIFESTS, Machine


@dataclass
class StaticPods:
    """Running static pods by machine: manifest name to (the manifest's digest, when it answers first)."""

    delay: Callable[[Machine], float]
    running: dict[str, dict[str, tuple[str, float]]] = field(default_factory=dict)

    def sync(self, machine: Machine, now: float) -> dict[str, tuple[str, float]]:
        """What runs now. Called before every look; kubelet alone starts and stops pods, shims outlive it and containerd."""
        pods = self.running.setdefault(machine.name, {})
        names = machine.files.names(MANIFESTS)
        if not pods and not names:
            return pods
        if not machine.powered:
            pods.clear()
            return pods
        if not (machine.units.active("kubelet") and machine.units.active("containerd")):
            return pods
        began = max(machine.units.since("kubelet"), machine.units.since("containerd"))
        wanted = {name: machine.files.sha256(f"{MANIFESTS}/{name}") or "" for name in names}
        for name in list(pods):
            if name not in wanted:
                del pods[name]
        for name, digest in sorted(wanted.items()):
            if name not in pods or pods[name][0] != digest:
                pods[name] = (digest, max(began, now) + self.delay(machine))
        return pods

    def answers(self, machine: Machine, manifest: str, now: float) -> bool:
        """Does the pod of this manifest run and answer?"""
        pod = self.sync(machine, now).get(manifest)
        return pod is not None and pod[1] <= now

    def kill(self, machine: Machine) -> None:
        """Remove every container, as `kubeadm reset` does."""
        self.running.pop(machine.name, None)
