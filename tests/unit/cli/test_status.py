"""What `status` shows: hosts and steps as a tree, and the same again and again with --watch."""

import io
import re

import pytest
from rich.console import Console

from sealcluster.api import HostState, HostStatus, PlanStatus, PlanStep, Progress, SealClusterStatus
from sealcluster.api.status import Condition, Failure
from sealcluster.cli.show_status import Shown, lines
from sealcluster.cli.show_tree import tree
from sealcluster.cli.watching import Drawn, Printed


def step(what, host=None, phase="join-nodes"):
    return PlanStep(host=host, phase=phase, what=what)


WORKING = SealClusterStatus(
    phase="Provisioning",
    version="v1.34.4",
    hosts=(
        HostStatus(name="m1", address="10.0.0.1", roles=("master",), state=HostState.READY, node_ready=True),
        HostStatus(name="w1", address="10.0.0.2", roles=("node",), state=HostState.JOINING, message="[preflight] running checks"),
        HostStatus(name="w2", address="10.0.0.3", roles=("node",), state=HostState.FAILED, reason="DiskFull", message="the disk is full"),
    ),
    progress=Progress(phase="join-nodes", done=1, total=3, message="joining workers 1/3"),
    plan=PlanStatus(
        digest="sha256:0",
        total=60,
        steps=(
            step("join: it is not part of the cluster", "w1"),
            *(step(f"write file {n}: it is missing, after its root file system", "w1") for n in range(6)),
            step("install the root file system: its content differs", "w2", "distribute-rootfs"),
            step("run the commands of cni: they did not succeed yet, after w1 to join", phase="guests"),
        ),
    ),
)


def test_hosts_and_what_is_left_for_each(golden):
    golden("status-working.txt", "\n".join(lines(Shown("demo", WORKING))) + "\n")


def test_a_large_cluster_shows_what_needs_attention_first():
    hosts = [HostStatus(name=f"w{n}", state=HostState.READY) for n in range(500)]
    hosts[77] = HostStatus(name="w77", state=HostState.UNREACHABLE)
    hosts[400] = HostStatus(name="w400", state=HostState.JOINING)
    found = tree(SealClusterStatus(hosts=tuple(hosts)), (), 5)
    assert [line.split()[1] for line in found] == ["w0", "w1", "w2", "w77", "w400", "…"]
    assert found[-1] == "└─ … 495 more; 498 of 500 are Ready"
    assert len(tree(SealClusterStatus(hosts=tuple(hosts)), ())) == 500


def test_a_half_made_cluster(cli, golden):
    cli.machines("a", "b")
    cli.outside.interrupt_after = 60.0
    assert cli.run(nodes="10.0.0.12").code == 130
    text = cli("status").out
    golden("status-half.txt", text)
    assert not re.search("\x1b", text)


def test_watching_without_a_terminal_prints_what_changed(cli):
    machines = cli.machines("a")
    cli.run()
    real = cli.outside.world.power_off
    cli.outside.interrupt_after = 150.0

    async def soon():
        return loop.create_task(later())

    async def later():
        import asyncio

        await asyncio.sleep(70)
        real(machines["a"])

    loop = cli.outside.loop
    task = loop.run_until_complete(soon())
    done = cli("status", "--watch")
    loop.run_until_complete(task)
    assert done.code == 0
    assert done.err == ""
    heads = [line for line in done.out.splitlines() if line.startswith("default  ")]
    assert heads[0].split()[1] == "Ready"
    texts = done.out.split("\n\ndefault  ")
    assert len(texts) == len(set(texts)) >= 2  # several looks; what did not change is not printed again
    assert "HostUnreachable" in done.out
    assert cli.outside.opened == cli.outside.closed


def test_watching_is_for_people(cli):
    cli.machines("a")
    refused = cli("status", "--watch", "-o", "json")
    assert (refused.code, "--watch shows text" in refused.err) == (2, True)


def terminal(height):
    return Console(file=io.StringIO(), force_terminal=True, width=60, height=height, highlight=False, color_system="standard")


@pytest.mark.parametrize("height", [8, 60])
def test_watching_on_a_terminal(height):
    console = terminal(height)
    with Drawn(console) as screen:
        screen.draw(lines(Shown("demo", WORKING)))
        screen.draw(lines(Shown("demo", WORKING.model_copy(update={"phase": "Ready"}))))
        during = console.file.getvalue()
    text = console.file.getvalue()
    assert ("more lines" in during) == (height == 8)
    left = text[text.rindex("\x1b[2K") :]  # what stays when the picture is gone: the whole of the last one
    assert "more lines" not in left
    assert "conditions" in left
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    assert all(len(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)) <= 60 for line in text.splitlines())


def test_the_same_text_is_printed_once(capsys):
    with Printed() as screen:
        for text in (["a"], ["a"], ["b"], ["b"], ["a"]):
            screen.draw(text)
    assert capsys.readouterr().out == "a\n\nb\n\na\n"


def test_a_step_of_the_cluster_that_failed_for_good_is_no_step_under_way():
    stalled = Condition(type="Stalled", status="True", reason="ImageNotFound", message="", last_transition_time="2026-01-31T12:00:00Z")
    failure = Failure(phase="pull-images", step="pull", reason="ImageNotFound", message="not there", time="2026-01-31T12:00:00Z")
    steps = [PlanStep(phase="pull-images", what="pull images: not in the store"), PlanStep(phase="pki", what="make authorities: none")]
    status = SealClusterStatus(conditions=(stalled,), last_failure=failure, plan=PlanStatus(digest="sha256:0", total=2, steps=steps))
    assert tree(status, ())[1:] == ["   ├─ ! pull images: not in the store", "   └─ ▸ make authorities: none"]
    healed = status.model_copy(update={"conditions": ()})
    assert tree(healed, ())[1] == "   ├─ ▸ pull images: not in the store"
