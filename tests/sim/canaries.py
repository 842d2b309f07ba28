"""A unique word in every secret of a cluster, and everything that an operator lets out, so that the words can be looked for."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import random
import traceback
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sealcluster.core.ops import Job
from sealcluster.core.ports import FactsQuery, Fence
from sealcluster.host.jobs import Running
from sealcluster.host.layout import Layout
from sealcluster.host.operations import recipe
from sealcluster.host.scripts import assemble
from sealcluster.kube import secretdata
from sealcluster.kube.pki_store import STAGED, SUFFIXES
from sealcluster.testing.fakemanagement import PKI_NAMES
from sealcluster.testing.model import paper
from sealcluster.testing.model.certs import ModelCerts
from sealcluster.testing.model.host import ModelHost
from sealcluster.testing.plane import NAMESPACE, Plane

PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n"


def canary(name: str) -> str:
    """A word that occurs nowhere else."""
    return f"canary{random.Random(name).getrandbits(80):020x}"


MEANT = {"ssh", "pull", "given", *(f"demo-{suffix}" for suffix in ("kubeconfig", STAGED, *SUFFIXES))}
"""Secrets that hold secrets."""


class Canaries:
    """The secrets that people give, by what they are."""

    def __init__(self) -> None:
        self.words = {name: canary(name) for name in ("password", "key", "passphrase", "sudo", "pull", "config")}
        self.private_key = PRIVATE_KEY.format(self.words["key"])

    def give(self, plane: Plane) -> None:
        """Secrets of the tenant, and machines that know them."""
        plane.secret(
            "ssh",
            {
                "username": "ops",
                "password": self.words["password"],
                "ssh-privatekey": self.private_key,
                "passphrase": self.words["passphrase"],
                "become-password": self.words["sudo"],
            },
        )
        auth = base64.b64encode(f"puller:{self.words['pull']}".encode()).decode()
        plane.secret("pull", {".dockerconfigjson": json.dumps({"auths": {"registry.example": {"auth": auth}}})})
        plane.secret("given", {"text": f"key: {self.words['config']}\n"})

    def made(self, plane: Plane) -> dict[str, str]:
        """What the operator made: authorities' keys, the registry's password."""
        found = {}
        for (plural, namespace, name), body in plane.kube.store.objects.items():
            if plural == "secrets" and namespace == NAMESPACE and name.startswith("demo-"):
                for key, value in secretdata.decode(body).items():
                    if key in ("tls.key", "password"):
                        found[f"{name}/{key}"] = value.decode()
        return found


class MarkedCerts(ModelCerts):
    """Remembers keys that were made and never stored (an authority that lost a race is as secret as any)."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.keys: set[str] = set()

    async def create(self, policy: Any) -> Any:
        pki = await super().create(policy)
        # the model's keys and certificates have the same body
        pairs = {name: (getattr(pki, name)[0], paper.write("PRIVATE KEY", secret=canary(f"{name} {self.created}"))) for name in PKI_NAMES}
        pki = replace(pki, **pairs)
        self.keys |= {pair[1] for pair in (pki.ca, pki.etcd, pki.proxy, pki.sa)} | {pki.registry_password}
        return pki


class Outlets:
    """Everything that leaves the operator, as text by where it was seen."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = {}
        self.jobs: list[tuple[str, Job]] = []
        self.tokens: set[str] = set()

    def add(self, where: str, text: str) -> None:
        self.seen.setdefault(where, set()).add(text)

    def leaks(self, words: dict[str, str]) -> list[str]:
        """Which secret was seen where; also as base64, and single long lines of it."""
        forms = [(name, form) for name, word in words.items() for form in _forms(word)]
        return sorted(
            {f"{name} in {where}" for where, texts in self.seen.items() for text in texts for name, form in forms if form in text}
        )


def _forms(word: str) -> set[str]:
    lines = [line for line in word.splitlines() if len(line) >= 16 and not line.startswith("-----")] or [word]
    return {form for line in lines for form in (line, base64.b64encode(line.encode()).decode()[:-4])}


class _Listener(logging.Handler):
    def __init__(self, outlets: Outlets) -> None:
        super().__init__(logging.DEBUG)
        self._outlets = outlets

    def emit(self, record: logging.LogRecord) -> None:
        trouble = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self._outlets.add("logs", f"{record.getMessage()} {record.args} {record.__dict__} {trouble}")


@contextlib.contextmanager
def listening(outlets: Outlets) -> Iterator[None]:
    """All loggers at DEBUG, before anything redacts what is formatted; every job that a machine is given."""
    root, handler = logging.getLogger(), _Listener(outlets)
    level, asyncssh = root.level, logging.getLogger("asyncssh").level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("asyncssh").setLevel(logging.DEBUG)
    run = ModelHost.run

    async def watched(self: ModelHost, job: Job, attempt: int, fence: Fence, progress: Any = None) -> Any:
        outlets.jobs.append((self.target.name, job))
        outlets.add("what is logged of a job", repr(job))
        _command(outlets, Running(self.target.name, job, attempt, fence))
        try:
            result = await run(self, job, attempt, fence, progress)
        except Exception as error:
            outlets.add("exceptions", "".join(traceback.format_exception(error)))
            raise
        outlets.add("results of jobs", f"{result.log} {result.output}")
        return result

    facts = ModelHost.facts

    async def looked(self: ModelHost, query: FactsQuery) -> Any:
        try:
            return await facts(self, query)
        except Exception as error:
            outlets.add("exceptions", "".join(traceback.format_exception(error)))
            raise

    ModelHost.run, ModelHost.facts = watched, looked  # type: ignore[method-assign]
    try:
        yield
    finally:
        ModelHost.run, ModelHost.facts = run, facts  # type: ignore[method-assign]
        root.removeHandler(handler)
        root.setLevel(level)
        logging.getLogger("asyncssh").setLevel(asyncssh)


def _command(outlets: Outlets, running: Running) -> None:
    """What the real port would send as a command for this job, and what would lie on the host while it runs."""
    running.check()
    values = {**running.values(Layout()), "N": "mark", "wait": 1}
    outlets.add("argv", assemble(values, "base", "journal", "start"))
    how = recipe(running.job.op)
    for script in how.scripts:
        outlets.add("argv", assemble({}, script))
    names = [row.split(" ", 2) for row in _file(how, "in/files.list").splitlines()]
    for mode, number, path in names:
        if int(mode, 8) & 0o077:
            outlets.add(f"a file that others may read: {path}", _file(how, f"in/files/{number}"))
    env = getattr(running.job.op, "env", None) or {}
    outlets.add("environment", " ".join(f"{k}={v}" for k, v in env.items()))


def _file(how: Any, path: str) -> str:
    found: bytes = how.inputs._files.get(path, b"")
    return found.decode(errors="backslashreplace")


def machines(plane: Plane, outlets: Outlets) -> None:
    """What lies on machines now: files that others than root may read, the journal, the list of managed files."""
    for machine in plane.world.machines.values():
        for path, entry in machine.files.entries.items():
            if entry.mode & 0o077:
                outlets.add(f"{machine.name}:{path} of mode {entry.mode:04o}", entry.content.decode(errors="backslashreplace"))
        outlets.add("journal", repr(machine.journal))
        outlets.add("managed files", repr(machine.managed))
        outlets.add("owner file", repr(machine.owner))


def objects(plane: Plane, outlets: Outlets) -> None:
    """Whatever is stored in the API server and is not meant to be secret: state record and evidence of failures, too."""
    for (plural, _, name), body in plane.kube.store.objects.items():
        if plural != "secrets":
            outlets.add(f"{plural}/{name}", json.dumps(body))
        elif name not in MEANT:
            outlets.add(f"Secret {name}", " ".join(v.decode(errors="replace") for v in secretdata.decode(body).values()))
        outlets.add("metadata", json.dumps(body["metadata"]))
