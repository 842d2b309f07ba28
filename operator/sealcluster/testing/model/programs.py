"""What the scripts of the fake images do to a machine (``model VERB …``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from sealcluster.testing.model.execution import Execution, Failed
from sealcluster.testing.model.machine import ADMIN_CONF

MIRRORS = "/etc/containerd/certs.d"
BINARIES = ("kubeadm", "kubelet", "kubectl")
Program = Callable[[Execution, list[str], Mapping[str, str]], Awaitable[None]]


async def run(run: Execution, words: list[str], env: Mapping[str, str]) -> None:
    """Run a verb. Raises `Failed`."""
    program = _PROGRAMS.get(words[0])
    if program is None:
        raise Failed(127, f"model: {words[0]}: no such verb")
    await program(run, words[1:], env)


async def _install_registry(run: Execution, words: list[str], env: Mapping[str, str]) -> None:
    if run.machine.registry.tree is None:
        raise Failed(1, "registry: no data directory")
    run.machine.units.install("registry")
    run.machine.units.start("registry", run.now)


async def _install_containerd(run: Execution, words: list[str], env: Mapping[str, str]) -> None:
    domain, port = env.get("registryDomain", "sealos.hub"), env.get("registryPort", "5000")
    run.machine.files.write(f"{MIRRORS}/{domain}:{port}/hosts.toml", f'server = "http://{domain}:{port}"\n'.encode())
    run.machine.units.install("containerd")
    run.machine.units.start("containerd", run.now)


async def _install_kubelet(run: Execution, words: list[str], env: Mapping[str, str]) -> None:
    for binary in BINARIES:
        content = run.machine.files.read(f"{words[0]}/bin/{binary}")
        if content is None:
            raise Failed(1, f"cp: cannot stat '{words[0]}/bin/{binary}': No such file or directory")
        run.machine.files.write(f"/usr/bin/{binary}", content, 0o755)
    run.machine.units.install("kubelet")
    run.machine.units.table["kubelet"].enabled = True


async def _remove_registry(run: Execution, words: list[str], env: Mapping[str, str]) -> None:
    run.machine.units.remove("registry")


async def _remove_containerd(run: Execution, words: list[str], env: Mapping[str, str]) -> None:
    run.world.pods.kill(run.machine)
    run.machine.units.remove("containerd")
    run.machine.images.clear()
    run.machine.files.remove("/etc/containerd")


async def _remove_kubelet(run: Execution, words: list[str], env: Mapping[str, str]) -> None:
    run.machine.units.remove("kubelet")
    for binary in BINARIES:
        run.machine.files.remove(f"/usr/bin/{binary}")


async def _apply(run: Execution, words: list[str], env: Mapping[str, str]) -> None:
    """``kubectl apply`` of an application; ``cni`` makes the network."""
    kube = run.world.planes.of(run.machine)
    if kube is None or not run.machine.files.exists(ADMIN_CONF):
        raise Failed(1, "kubectl: no configuration: connection to the server localhost:8080 was refused")
    if not run.world.planes.api_at(run.machine, kube.domain, kube.port, kube, run.now):
        raise Failed(1, f"kubectl: dial tcp {kube.domain}:{kube.port}: connection refused")
    kube.guests.add(words[0])
    kube.cni = kube.cni or words[0] == "cni"


async def _fail(run: Execution, words: list[str], env: Mapping[str, str]) -> None:
    raise Failed(int(words[0]), " ".join(words[1:]) or "failed on purpose")


_PROGRAMS: Mapping[str, Program] = {
    "install-registry": _install_registry,
    "install-containerd": _install_containerd,
    "install-kubelet": _install_kubelet,
    "remove-registry": _remove_registry,
    "remove-containerd": _remove_containerd,
    "remove-kubelet": _remove_kubelet,
    "apply": _apply,
    "fail": _fail,
}
