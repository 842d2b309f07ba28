"""What every HostPort must do, whatever is behind it: the same suite runs on the model and on real machines.

A case is an async function of a `Rig`: one machine nobody has claimed yet, and the means to treat it badly. Cases know only the
port. `CASES` lists them; a runner parametrises over it and gives each a fresh machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import io
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import pytest

from sealcluster.core.errors import Fenced, SealError, TerminalError, TransientError
from sealcluster.core.facts import HostFacts, Owner
from sealcluster.core.ops import Claim, CleanHost, File, InstallRootfs, Job, JobResult, Op, PutFiles, RunScript, WriteHosts
from sealcluster.core.ports import FactsQuery, Fence, HostPort

CLUSTER = "c0ffee00c0ffee00"
OTHER = "deadbeefdeadbeef"
WORK = "/var/lib/sealcluster-contract"


class Rig(Protocol):
    """One machine under test."""

    def connect(self) -> HostPort:
        """A new link, as a new operator makes it."""
        ...

    async def cut(self) -> None:
        """The operator loses its way to the machine; the machine runs on."""
        ...

    async def heal(self) -> None:
        """The way is there again."""
        ...

    async def power_cycle(self) -> None:
        """Power is lost without warning and comes back; returns when sshd answers."""
        ...

    async def read(self, path: str) -> bytes | None:
        """A file's content, past the port; None when there is none."""
        ...

    async def write(self, path: str, content: bytes) -> None:
        """Change a file behind the port's back."""
        ...

    def part(self, content: bytes) -> tuple[str, Path]:
        """A local file with this content: its digest and path."""
        ...


Case = Callable[[Rig], Awaitable[None]]
CASES: list[Case] = []


def case(function: Case) -> Case:
    """Register a case."""
    CASES.append(function)
    return function


def fence(number: int = 1, cluster: str = CLUSTER) -> Fence:
    return Fence(cluster, number)


def job(step: str, op: Op, digest: str = "d1", timeout: float = 120.0) -> Job:
    return Job(step, hashlib.sha256(digest.encode()).hexdigest(), op, timeout)


async def claim(host: HostPort, number: int = 1) -> JobResult:
    return await host.run(job("claim", Claim(CLUSTER, "m1")), 1, fence(number))


async def script(host: HostPort, name: str, text: str) -> RunScript:
    """Put a script on the machine; the op that runs it."""
    put = PutFiles((File(f"{WORK}/{name}", text.encode(), 0o755),))
    result = await host.run(job(f"put-{name}", put, text), 1, fence())
    assert result.rc == 0, result.log
    return RunScript(WORK, name)


async def look(host: HostPort) -> HostFacts:
    return await host.facts(FactsQuery())


async def count(rig: Rig, name: str) -> int:
    return len((await rig.read(f"{WORK}/{name}") or b"").splitlines())


async def until(what: str, holds: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, f"waited {seconds:.0f} s for {what}"
        await asyncio.sleep(0.2)


# --- looking ---------------------------------------------------------------------------------------------------------
@case
async def an_untouched_machine_is_nobodys(rig: Rig) -> None:
    facts = await look(rig.connect())
    assert (facts.owner, facts.fence, dict(facts.journal), dict(facts.jobs)) == (None, 0, {}, {})
    assert facts.hosts_block is None
    assert facts.machine_id
    assert facts.boot_id
    assert facts.arch in ("amd64", "arm64")


@case
async def looking_twice_changes_nothing_and_shows_the_host_key(rig: Rig) -> None:
    host = rig.connect()
    first, second = await look(host), await look(host)
    assert (first.machine_id, first.boot_id, first.owner) == (second.machine_id, second.boot_id, second.owner)
    assert host.host_key.startswith("ssh-") or host.host_key.startswith("ecdsa-")


# --- owner and fence --------------------------------------------------------------------------------------------------
@case
async def a_claim_is_remembered(rig: Rig) -> None:
    host = rig.connect()
    assert (await claim(host, 3)).rc == 0
    facts = await look(host)
    assert facts.owner == Owner(CLUSTER, "m1")
    assert facts.fence == 3
    assert facts.done("claim")
    assert facts.journal["claim"].attempt == 1


@case
async def a_machine_of_another_cluster_is_refused(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    with pytest.raises(TerminalError) as error:
        await host.run(job("claim", Claim(OTHER, "m1"), "other"), 1, fence(9, OTHER))
    assert error.value.reason == "HostOfAnotherCluster"
    with pytest.raises(TerminalError):
        await host.run(job("hosts", WriteHosts((("10.9.9.9", "evil"),))), 1, fence(9, OTHER))
    facts = await look(host)
    assert facts.owner == Owner(CLUSTER, "m1")
    assert facts.fence == 1
    assert "evil" not in (facts.hosts_block or "")


@case
async def an_older_operator_is_fenced_off(rig: Rig) -> None:
    host = rig.connect()
    await claim(host, 5)
    with pytest.raises(Fenced):
        await host.run(job("hosts", WriteHosts((("10.1.1.1", "late"),))), 1, fence(4))
    assert (await look(host)).hosts_block is None
    assert (await host.run(job("hosts", WriteHosts((("10.1.1.1", "right"),))), 1, fence(6))).rc == 0
    assert (await look(host)).fence == 6


# --- jobs -------------------------------------------------------------------------------------------------------------
@case
async def a_failure_is_a_result_with_its_last_words(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "fails.sh", "echo going down\nexit 3\n")
    result = await host.run(job("fails", op), 1, fence())
    assert result.rc == 3
    assert "going down" in result.log
    entry = (await look(host)).journal["fails"]
    assert (entry.state, entry.rc, entry.attempt) == ("failed", 3, 1)


@case
async def the_same_attempt_never_runs_twice(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "once.sh", f"echo ran >> {WORK}/once\nexit 4\n")
    first = await host.run(job("once", op), 1, fence())
    again = await rig.connect().run(job("once", op), 1, fence(2))
    assert (first.rc, again.rc) == (4, 4)
    assert await count(rig, "once") == 1
    await host.run(job("once", op), 2, fence(2))
    assert await count(rig, "once") == 2


@case
async def many_callers_of_one_attempt_share_one_run(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "shared.sh", f"echo ran >> {WORK}/shared\nsleep 2\n")
    results = await asyncio.gather(*(rig.connect().run(job("shared", op), 1, fence()) for _ in range(4)))
    assert [r.rc for r in results] == [0, 0, 0, 0]
    assert await count(rig, "shared") == 1


@case
async def a_job_outlives_the_one_who_started_it(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "long.sh", f"echo ran >> {WORK}/long\nsleep 12\necho ended >> {WORK}/long\n")
    caller = asyncio.create_task(host.run(job("long", op), 1, fence()))

    async def runs() -> bool:
        found = (await look(rig.connect())).jobs.get("long")
        return found is not None and found.state == "running"

    await until("the job to run", runs)
    caller.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    new = rig.connect()
    assert await runs()
    assert (await new.run(job("long", op), 1, fence(2))).rc == 0
    assert await count(rig, "long") == 2
    facts = await look(new)
    assert facts.done("long")
    assert "long" not in facts.jobs


@case
async def a_job_outlives_the_link(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "far.sh", f"echo ran >> {WORK}/far\nsleep 5\n")
    caller = asyncio.create_task(host.run(job("far", op), 1, fence()))

    async def began() -> bool:
        return await count(rig, "far") == 1

    await until("the job to begin", began)
    await rig.cut()
    with pytest.raises(TransientError):
        await caller
    await rig.heal()
    assert (await rig.connect().run(job("far", op), 1, fence())).rc == 0
    assert await count(rig, "far") == 1


@case
async def a_job_cut_off_by_power_loss_is_interrupted_not_forgotten(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "cut.sh", f"echo ran >> {WORK}/cut\nsleep 300\n")
    caller = asyncio.create_task(host.run(job("cut", op, timeout=900), 1, fence()))

    async def began() -> bool:
        return await count(rig, "cut") == 1

    await until("the job to begin", began)
    boot = (await look(rig.connect())).boot_id
    await rig.power_cycle()
    with pytest.raises(TransientError):
        await caller
    new = rig.connect()
    facts = await look(new)
    assert facts.boot_id != boot
    assert facts.owner == Owner(CLUSTER, "m1")
    assert facts.jobs["cut"].state == "interrupted"
    assert facts.attempts("cut") == 1
    assert not facts.done("cut")
    with pytest.raises(TransientError):
        await new.run(job("cut", op, timeout=900), 1, fence())
    quick = await script(new, "quick.sh", "true\n")
    assert (await new.run(job("cut", quick, "d2"), 2, fence())).rc == 0
    assert (await look(new)).done("cut")
    assert await count(rig, "cut") == 1


@case
async def a_job_that_takes_too_long_is_ended(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "slow.sh", "sleep 600\n")
    result = await host.run(job("slow", op, timeout=12), 1, fence())
    assert result.rc == 124
    assert (await look(host)).journal["slow"].state == "failed"


@case
async def scripts_get_their_environment(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "env.sh", "echo got $WORD\n")
    result = await host.run(job("env", RunScript(op.cwd, op.text, {"WORD": "seal"})), 1, fence())
    assert "got seal" in result.log


# --- files ------------------------------------------------------------------------------------------------------------
@case
async def managed_files_show_drift_and_are_forgotten_when_removed(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    path = f"{WORK}/managed.conf"
    wanted = hashlib.sha256(b"one").hexdigest()
    assert (await host.run(job("files", PutFiles((File(path, b"one"),))), 1, fence())).rc == 0
    found = (await look(host)).files[path]
    assert (found.recorded, found.actual) == (wanted, wanted)
    await rig.write(path, b"two")
    found = (await look(host)).files[path]
    assert (found.recorded, found.actual) == (wanted, hashlib.sha256(b"two").hexdigest())
    assert (await host.run(job("files", PutFiles((), (path,)), "gone"), 2, fence())).rc == 0
    assert path not in (await look(host)).files
    assert await rig.read(path) is None


@case
async def our_block_of_etc_hosts_leaves_other_lines_alone(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    before = await rig.read("/etc/hosts") or b""
    await host.run(job("hosts", WriteHosts((("10.1.1.1", "a.example"), ("10.1.1.2", "b.example")))), 1, fence())
    assert (await look(host)).hosts_block == "10.1.1.1 a.example\n10.1.1.2 b.example\n"
    await host.run(job("hosts", WriteHosts((("10.1.1.3", "a.example"),)), "second"), 2, fence())
    assert (await look(host)).hosts_block == "10.1.1.3 a.example\n"
    assert (await rig.read("/etc/hosts") or b"").startswith(before)
    await host.run(job("hosts", WriteHosts(()), "none"), 3, fence())
    assert (await look(host)).hosts_block is None
    assert await rig.read("/etc/hosts") == before


# --- content ----------------------------------------------------------------------------------------------------------
def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


@case
async def parts_of_an_earlier_boot_are_looked_at_before_they_are_believed(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    digest, file = rig.part(b"a" * 100_000)
    await host.send(digest, file)
    await rig.power_cycle()
    host = rig.connect()
    assert (await look(host)).parts == frozenset()
    lacking = await host.missing([digest])
    assert lacking <= {digest}
    assert (await look(host)).parts == {digest} - lacking
    await host.send(digest, file)
    assert (await look(host)).parts == {digest}


@case
async def a_part_travels_once(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    content = packed({"bin/tool": b"x" * 100_000})
    digest, path = rig.part(content)
    assert await host.missing([digest, "0" * 64]) == {digest, "0" * 64}
    assert await host.send(digest, path) == len(content)
    assert await host.missing([digest, "0" * 64]) == {"0" * 64}
    assert await host.send(digest, path) == 0
    assert digest in (await look(host)).parts


@case
async def a_part_that_lies_about_its_digest_never_enters_the_store(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    _, path = rig.part(b"something else")
    with pytest.raises(SealError):
        await host.send("1" * 64, path)
    assert "1" * 64 not in (await look(host)).parts


@case
async def a_root_file_system_is_replaced_whole(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    root = f"{WORK}/rootfs"
    one, two = packed({"bin/a": b"a1", "bin/old": b"old"}), packed({"bin/a": b"a2"})
    for number, content in enumerate((one, two), 1):
        digest, path = rig.part(content)
        await host.send(digest, path)
        op = InstallRootfs(root, (digest,), (File("etc/rendered.conf", f"v{number}".encode(), 0o644),))
        assert (await host.run(job("rootfs", op, str(number)), number, fence())).rc == 0
        assert digest not in (await look(host)).parts
    assert await rig.read(f"{root}/bin/a") == b"a2"
    assert await rig.read(f"{root}/bin/old") is None
    assert await rig.read(f"{root}/etc/rendered.conf") == b"v2"


@case
async def a_root_file_system_without_its_parts_fails_and_says_so(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    result = await host.run(job("rootfs", InstallRootfs(f"{WORK}/rootfs", ("2" * 64,))), 1, fence())
    assert result.rc != 0
    assert "2" * 12 in result.log


# --- the end ----------------------------------------------------------------------------------------------------------
@case
async def a_cleaned_machine_is_nobodys_again(rig: Rig) -> None:
    host = rig.connect()
    before = await rig.read("/etc/hosts")
    await claim(host, 7)
    await host.run(job("hosts", WriteHosts((("10.1.1.1", "a.example"),))), 1, fence(7))
    await host.run(job("files", PutFiles((File(f"{WORK}/f", b"x"),))), 1, fence(7))
    clean = job("clean", CleanHost(f"{WORK}/rootfs", hosts_names=("a.example",)))
    assert (await host.run(clean, 1, fence(7))).rc == 0
    facts = await look(host)
    assert (facts.owner, facts.fence, dict(facts.journal), dict(facts.files)) == (None, 0, {}, {})
    assert facts.hosts_block is None
    assert await rig.read("/etc/hosts") == before
    assert await rig.read(f"{WORK}/f") is None
    for late in (clean, job("files", PutFiles((File(f"{WORK}/f", b"x"),)), "late")):
        with pytest.raises(TransientError):
            await rig.connect().run(late, 1, fence(7))
    assert await rig.read(f"{WORK}/f") is None
    result = await host.run(job("claim", Claim(OTHER, "n1"), "other"), 1, fence(1, OTHER))
    assert result.rc == 0
    assert (await look(host)).owner == Owner(OTHER, "n1")
