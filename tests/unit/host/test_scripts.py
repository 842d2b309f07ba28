"""The shell scripts: checked by shellcheck, quoted, complete."""

import dataclasses
import shutil
import subprocess
from importlib import resources
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.tools import SHELLCHECK
from sealcluster.core import ops
from sealcluster.host import scripts
from sealcluster.host.operations import recipe

FOLDER = resources.files("sealcluster.host").joinpath("scripts")
NAMES = sorted(f.name.removesuffix(".sh") for f in FOLDER.iterdir() if f.name.endswith(".sh"))

# SC2154, SC2034: the values of a script stand in what is put before it. SC2015: `a && b || fail` ends the script in `fail`.
# SC1090, SC1091: files that exist on the host only.
EXCLUDED = "SC2154,SC2034,SC2015,SC1090,SC1091"

EXAMPLES = {
    ops.Claim: ops.Claim("c1", "m1", "m1"),
    ops.InstallRootfs: ops.InstallRootfs("/r", ("a" * 64,), (ops.File("etc/x", b"x"),)),
    ops.FetchParts: ops.FetchParts("10.0.0.1:5000", "repo", ("a" * 64,), "admin", "hunter22"),
    ops.CommitRegistry: ops.CommitRegistry("/r", ("a" * 64,), (("p/link", "sha256:" + "b" * 64),), ("c" * 64,), "parts"),
    ops.WriteHosts: ops.WriteHosts((("10.0.0.1", "sealos.hub"),)),
    ops.RunScript: ops.RunScript("/r/scripts", "init.sh $x", {"x": "hunter22"}),
    ops.PrepareRegistry: ops.PrepareRegistry("/var/lib/registry", "/r/registry", "/r/etc/htpasswd", "admin:hunter22"),
    ops.PullImages: ops.PullImages("/r", "v1.34.4", "worker", ("lvscare:v1",)),
    ops.GenerateCSRs: ops.GenerateCSRs("/r", b"token: hunter22", (ops.File("/etc/kubernetes/pki/ca.key", b"hunter22"),)),
    ops.InstallCertificates: ops.InstallCertificates({"apiserver": "PEM", "admin.conf": "PEM"}, "CA", "https://a:6443"),
    ops.KubeadmInit: ops.KubeadmInit(b"token: hunter22", (ops.File("/etc/x", b"hunter22"),)),
    ops.KubeadmJoin: ops.KubeadmJoin(b"token: hunter22"),
    ops.KubeadmReset: ops.KubeadmReset(),
    ops.PutFiles: ops.PutFiles((ops.File("/etc/x", b"hunter22"),), ("/etc/y",)),
    ops.Guest: ops.Guest("/w", ("true $x",), {"x": "hunter22"}, ("a" * 64,), (ops.File("x", b"hunter22"),)),
    ops.EtcdMember: ops.EtcdMember("remove", "abc"),
    ops.StartUnits: ops.StartUnits(("kubelet",)),
    ops.RestoreManifests: ops.RestoreManifests(),
    ops.CleanHost: ops.CleanHost("/r", ("clean.sh",), {"x": "hunter22"}, ("sealos.hub",)),
}


@pytest.mark.parametrize("name", NAMES)
def test_shellcheck_has_nothing_to_say(name):
    shell = "bash" if name == "fetch_tcp" else "sh"
    path = str(FOLDER.joinpath(f"{name}.sh"))
    done = subprocess.run([SHELLCHECK, "-s", shell, "-e", EXCLUDED, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("shell", [s for s in ("dash", "bash", "busybox sh") if shutil.which(s.split()[0])])
def test_every_shell_can_parse_them(shell):
    for name in NAMES:
        if name != "fetch_tcp":
            subprocess.run([*shell.split(), "-n"], input=scripts.load(name).encode(), check=True)


def test_every_op_has_a_recipe():
    assert {type(example) for example in EXAMPLES.values()} == set(get_args(ops.Op))
    for example in EXAMPLES.values():
        assert all(name in NAMES for name in recipe(example).scripts)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=lambda e: type(e).__name__)
def test_no_secret_is_part_of_a_script(example):
    assert all("hunter22" not in scripts.load(name) for name in recipe(example).scripts)
    assert "hunter22" not in repr(example)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=lambda e: type(e).__name__)
def test_everything_that_an_op_says_reaches_the_host(example):
    if not dataclasses.fields(example):
        return
    assert len(recipe(example).inputs.tar()) > 1024


text = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.from_regex(r"\A[A-Z_][A-Z0-9_]{3,10}\Z"), text, max_size=5))
def test_exports_arrive_as_they_are(env):
    names = "".join(f'printf "%s\\0" "${name}"\n' for name in sorted(env))
    done = subprocess.run(["sh", "-c", scripts.exports(env) + names], capture_output=True, check=True, env={"PATH": "/bin"})
    assert done.stdout.decode().split("\0")[:-1] == [env[name] for name in sorted(env)]


def test_names_that_no_shell_knows_are_left_out_of_exports():
    assert scripts.exports({"A-B": "1", "9": "2", "ok": "3", "x;rm": "4"}) == "export ok='3'\n"


def test_values_keep_their_kinds():
    assert scripts.assign({"a": True, "b": False, "c": 3, "d": ["x", "y"]}) == "a='1'\nb=''\nc='3'\nd='x\ny'"


@pytest.mark.parametrize("values", [{"a b": "x"}, {"x": ["a\nb"]}, {"x": "a\0b"}])
def test_values_that_no_shell_can_hold_are_refused(values):
    with pytest.raises(ValueError):
        scripts.assign(values)
