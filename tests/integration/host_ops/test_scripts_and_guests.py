"""The image's scripts and guests run as sealos runs them."""

import pytest

from sealcluster.core.ops import File, Guest, RunScript
from sealcluster.core.ports import FactsQuery
from sshkit.ops import ROOT, do, done, part, tree


async def test_scripts_run_as_sealos_runs_them(m1):
    scripts = m1.file(f"{ROOT}/scripts")
    scripts.mkdir(parents=True)
    (scripts / "one.sh").write_text('echo "one $1 $2 in $(basename "$PWD")"')
    (scripts / "two.sh").write_text('echo "two $value"; exit 5')
    env = {"registryDomain": "sealos.hub", "registryPort": "5000", "value": 'it\'s $HOME `x` "q"\nline', "bad-name": "x"}
    result = await do(m1, RunScript(f"{ROOT}/scripts", "one.sh $registryDomain $registryPort && bash two.sh", env))
    assert result.rc == 5
    assert result.log == 'one sealos.hub 5000 in scripts\ntwo it\'s $HOME `x` "q"\nline'


@pytest.mark.parametrize("name", ["d", "S", "R", "N", "step", "attempt", "number", "workdir", "parts", "IFS"])
async def test_an_environment_may_use_any_name(m1, name):
    m1.file("/w").mkdir()
    await done(m1, Guest("/w", ("echo 1 >one", "echo 2 >two"), {name: "/surprise x"}))
    assert tree(m1.file("/w")) == {"one": b"1\n", "two": b"2\n"}


async def test_a_guest_runs_its_commands_in_order(m1):
    parts = (part(m1, {"bin/tool": b"#!/bin/sh\necho tool $1 $KUBECONFIG $who"}),)
    op = Guest("/apps/hello", ("bin/tool a >log", "cat values >>log"), {"who": "me"}, parts, (File("values", b"rendered\n"),))
    await done(m1, op)
    assert m1.file("/apps/hello/log").read_text() == f"tool a {m1.box.root}/etc/kubernetes/admin.conf me\nrendered\n"
    assert (await m1.port_.facts(FactsQuery())).parts == frozenset()


async def test_the_first_command_that_fails_fails_the_guest(m1):
    result = await do(m1, Guest("/w", ("echo 1 >one", "exit 9", "echo 3 >three")))
    assert result.rc == 9
    assert "command 2 failed" in result.log
    assert tree(m1.file("/w")) == {"one": b"1\n"}
