"""What the verbs do to a machine's files, run by a real sshd below a directory; commands that need a real machine are stand-ins."""

import asyncio
import gzip
import hashlib
import io
import os
import shutil
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from sealcluster.core.ops import (
    Claim,
    CleanHost,
    CommitRegistry,
    FetchParts,
    File,
    GenerateCSRs,
    Guest,
    InstallCertificates,
    InstallRootfs,
    KubeadmInit,
    KubeadmJoin,
    KubeadmReset,
    PrepareRegistry,
    PullImages,
    PutFiles,
    RunScript,
    WriteHosts,
)
from sealcluster.core.ops import EtcdMember as EtcdMemberOp
from sealcluster.core.ports import FactsQuery
from sshkit.machine import OURS, job, machine

ROOT = "/var/lib/sealos/data/default/rootfs"


@pytest.fixture
async def m1(tmp_path):
    with machine(tmp_path) as made:
        made.port_, made.attempt = made.port(), 0
        yield made
        await made.close()


async def do(m1, op):
    """Run the op once more, whatever it is."""
    m1.attempt += 1
    return await m1.port_.run(job(op, type(op).__name__), m1.attempt, OURS)


async def done(m1, op):
    result = await do(m1, op)
    assert result.rc == 0, result.log
    return result


def part(m1, files):
    """A part in the machine's store."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
    return blob(m1, gzip.compress(buffer.getvalue(), mtime=0))


def blob(m1, data):
    digest = hashlib.sha256(data).hexdigest()
    store = m1.box.state / "store"
    store.mkdir(parents=True, exist_ok=True)
    (store / digest).write_bytes(data)
    return digest


def tree(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file() and not f.is_symlink()}


# Claim


async def test_claim(m1):
    await done(m1, Claim("c1", "m1"))
    assert (m1.box.state / "owner").read_text() == "c1 m1\n"
    await done(m1, Claim("c1", "m1"))


async def test_claim_loses_a_race_with_another_cluster(m1):
    await done(m1, Claim("c1", "m1"))
    result = await do(m1, Claim("c2", "m1"))
    assert result.rc == 77
    assert "belongs to cluster c1 as m1" in result.log
    assert (m1.box.state / "owner").read_text() == "c1 m1\n"


# Files


async def test_files_are_written_whole_with_their_mode(m1):
    await done(m1, PutFiles((File("/etc/new dir/a", b"\0\xff", 0o640), File("/etc/b", b""))))
    assert m1.file("/etc/new dir/a").read_bytes() == b"\0\xff"
    assert m1.file("/etc/new dir/a").stat().st_mode & 0o7777 == 0o640
    assert m1.file("/etc/b").stat().st_mode & 0o7777 == 0o600
    assert sorted(f.name for f in m1.file("/etc/new dir").iterdir()) == ["a"]


async def test_the_same_files_again_touch_nothing(m1):
    op = PutFiles((File("/etc/a", b"x"),))
    await done(m1, op)
    before = m1.file("/etc/a").stat(), (m1.box.state / "managed").stat()
    await done(m1, op)
    after = m1.file("/etc/a").stat(), (m1.box.state / "managed").stat()
    assert [(s.st_ino, s.st_mtime_ns) for s in after] == [(s.st_ino, s.st_mtime_ns) for s in before]


async def test_a_wrong_mode_is_drift_too(m1):
    await done(m1, PutFiles((File("/etc/a", b"x", 0o600),)))
    m1.file("/etc/a").chmod(0o644)
    await done(m1, PutFiles((File("/etc/a", b"x", 0o600),)))
    assert m1.file("/etc/a").stat().st_mode & 0o777 == 0o600


async def test_removed_files_are_forgotten(m1):
    await done(m1, PutFiles((File("/etc/a", b"x"), File("/etc/b", b"y"))))
    await done(m1, PutFiles((File("/etc/b", b"z"),), remove=("/etc/a", "/etc/never")))
    facts = await m1.port_.facts(FactsQuery())
    assert list(facts.files) == ["/etc/b"]
    assert not m1.file("/etc/a").exists()


async def test_a_link_keeps_being_one(m1):
    m1.file("/etc/real").write_text("old")
    m1.file("/etc/link").symlink_to(m1.file("/etc/real"))
    await done(m1, PutFiles((File("/etc/link", b"new"),)))
    assert m1.file("/etc/link").is_symlink()
    assert m1.file("/etc/real").read_text() == "new"


# /etc/hosts

ENTRIES = (("10.0.0.1", "sealos.hub"), ("10.0.0.2", "apiserver.cluster.local"))
BLOCK = "# BEGIN sealcluster\n10.0.0.1 sealos.hub\n10.0.0.2 apiserver.cluster.local\n# END sealcluster\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("127.0.0.1 localhost\n", f"127.0.0.1 localhost\n{BLOCK}"),
        ("127.0.0.1 localhost", f"127.0.0.1 localhost\n{BLOCK}"),
        ("# mine\n::1 localhost\n127.0.0.1 localhost\n", f"# mine\n::1 localhost\n127.0.0.1 localhost\n{BLOCK}"),
        ("a\n# BEGIN sealcluster\n9.9.9.9 old\n# END sealcluster\nb\n", f"a\nb\n{BLOCK}"),
        ("a\n# BEGIN sealcluster\n9.9.9.9 torn\n", f"a\n9.9.9.9 torn\n{BLOCK}"),
        ("", BLOCK),
    ],
)
async def test_hosts_keep_other_peoples_lines(m1, before, after):
    hosts = m1.file("/etc/hosts")
    hosts.write_text(before)
    hosts.chmod(0o664)
    await done(m1, WriteHosts(ENTRIES))
    assert hosts.read_text() == after
    assert hosts.stat().st_mode & 0o777 == 0o664
    await done(m1, WriteHosts(()))
    assert "sealcluster" not in hosts.read_text()
    assert sorted(f.name for f in hosts.parent.glob("hosts*")) == ["hosts"]


async def test_a_hosts_file_that_is_a_mount_is_written_in_place(m1):
    hosts = m1.file("/etc/hosts")
    mount = await asyncio.create_subprocess_exec("mount", "--bind", hosts, hosts)
    assert await mount.wait() == 0
    try:
        await done(m1, WriteHosts(ENTRIES))
        assert hosts.read_text() == f"127.0.0.1 localhost\n{BLOCK}"
    finally:
        umount = await asyncio.create_subprocess_exec("umount", hosts)
        assert await umount.wait() == 0


async def test_the_copies_of_running_pods_follow(m1):
    ours = m1.file("/var/lib/kubelet/pods/a/etc-hosts")
    other = m1.file("/var/lib/kubelet/pods/b/etc-hosts")
    for copy, text in ((ours, "127.0.0.1 localhost\n# BEGIN sealcluster\n9.9.9.9 old\n# END sealcluster\n"), (other, "10.0.0.7 pod\n")):
        copy.parent.mkdir(parents=True)
        copy.write_text(text)
    inode = ours.stat().st_ino
    await done(m1, WriteHosts(ENTRIES))
    assert ours.read_text() == f"127.0.0.1 localhost\n{BLOCK}"
    assert ours.stat().st_ino == inode
    assert other.read_text() == "10.0.0.7 pod\n"


# The root file system


async def test_a_root_file_system_is_unpacked_and_completed(m1):
    parts = (part(m1, {"bin/kubeadm": b"k", "bin/old": b"o"}), part(m1, {"etc/a.conf": b"raw", "scripts/init.sh": b"i"}))
    registry = m1.file(f"{ROOT}/registry/docker/x")
    registry.parent.mkdir(parents=True)
    registry.write_text("blob")
    await done(m1, InstallRootfs(ROOT, parts, (File("etc/a.conf", b"rendered", 0o644),), keep_parts=True))
    folder = m1.file(ROOT)
    assert tree(folder) == {
        "bin/kubeadm": b"k",
        "bin/old": b"o",
        "etc/a.conf": b"rendered",
        "scripts/init.sh": b"i",
        "registry/docker/x": b"blob",
    }
    assert (folder / "bin/kubeadm").stat().st_mode & 0o111
    assert (await m1.port_.facts(FactsQuery())).parts == set(parts)

    new = part(m1, {"bin/kubeadm": b"k2", ".hidden": b"h"})
    await done(m1, InstallRootfs(ROOT, (new,)))
    assert tree(folder) == {"bin/kubeadm": b"k2", ".hidden": b"h", "registry/docker/x": b"blob"}
    assert new not in (await m1.port_.facts(FactsQuery())).parts
    assert sorted(f.name for f in folder.parent.iterdir()) == ["rootfs"]


async def test_an_installation_that_was_interrupted_starts_over(m1):
    first = part(m1, {"bin/a": b"1"})
    for suffix in (".new", ".old"):
        (m1.file(ROOT + suffix) / "junk").mkdir(parents=True)
    await done(m1, InstallRootfs(ROOT, (first,)))
    assert tree(m1.file(ROOT)) == {"bin/a": b"1"}


async def test_a_part_that_is_not_there_is_named(m1):
    result = await do(m1, InstallRootfs(ROOT, ("ab" * 32,)))
    assert result.rc == 66
    assert "ab" * 32 in result.log
    assert not m1.file(f"{ROOT}/bin").exists()


# Content from a distribution server


class Distribution(BaseHTTPRequestHandler):
    """Serves blobs to those who know the password."""

    blobs: ClassVar[dict[str, bytes]] = {}
    seen: ClassVar[list[str]] = []

    def do_GET(self):
        self.seen.append(self.headers.get("Authorization", ""))
        body = self.blobs.get(self.path.rpartition("sha256:")[2])
        if self.headers.get("Authorization") != "Basic YWRtaW46c3dvcmRmaXNo":
            self.send_response(401)
            self.end_headers()
        elif body is None or not self.path.startswith("/v2/sealcluster/parts/blobs/"):
            self.send_response(404)
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        return


@pytest.fixture
def server():
    Distribution.blobs, Distribution.seen = {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Distribution) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield http
        http.shutdown()


def without_curl(m1):
    """A PATH with everything but curl."""
    folder = m1.box.bin
    for directory in ("/usr/bin", "/bin", "/usr/sbin"):
        for file in Path(directory).iterdir():
            if file.name != "curl" and not (folder / file.name).exists():
                (folder / file.name).symlink_to(file)
    object.__setattr__(m1.box.layout, "path", str(folder))
    m1.port_ = m1.port()


@pytest.mark.parametrize("curl", [True, False], ids=["curl", "bash"])
async def test_parts_are_fetched_and_verified(m1, server, curl):
    if not curl:
        without_curl(m1)
    elif not shutil.which("curl"):
        pytest.skip("this machine has no curl")
    data = [os.urandom(n) for n in (0, 10, 70_000, 3_000_000, 5, 6)]
    digests = [hashlib.sha256(d).hexdigest() for d in data]
    server.RequestHandlerClass.blobs = dict(zip(digests, data, strict=True))
    where = f"127.0.0.1:{server.server_port}"
    result = await done(m1, FetchParts(where, "sealcluster/parts", tuple(digests), "admin", "swordfish"))
    assert (await m1.port_.facts(FactsQuery())).parts == set(digests)
    assert "swordfish" not in result.log
    asked = len(Distribution.seen)
    await done(m1, FetchParts(where, "sealcluster/parts", tuple(digests), "admin", "swordfish"))
    assert len(Distribution.seen) == asked


@pytest.mark.parametrize("curl", [True, False], ids=["curl", "bash"])
@pytest.mark.parametrize("fault", ["corrupt", "absent", "password"])
async def test_a_bad_download_leaves_nothing(m1, server, fault, curl):
    if not curl:
        without_curl(m1)
    elif not shutil.which("curl"):
        pytest.skip("this machine has no curl")
    wanted = hashlib.sha256(b"right").hexdigest()
    server.RequestHandlerClass.blobs = {wanted: b"wrong"} if fault == "corrupt" else {wanted: b"right"} if fault == "password" else {}
    password = "other word" if fault == "password" else "swordfish"
    result = await do(m1, FetchParts(f"127.0.0.1:{server.server_port}", "sealcluster/parts", (wanted,), "admin", password))
    assert result.rc == 1
    assert "1 failed" in result.log
    assert (await m1.port_.facts(FactsQuery())).parts == frozenset()
    assert {"corrupt": "sha256", "absent": "404", "password": "401"}[fault] in result.log


# The registry's tree


async def test_a_registry_tree_is_completed(m1):
    moved, kept = blob(m1, b"layer"), blob(m1, b"part")
    link = "docker/registry/v2/repositories/pause/_manifests/tags/3.10/current/link"
    root = f"{ROOT}/registry"
    op = CommitRegistry(root, (moved,), ((link, f"sha256:{moved}"),), (kept,), "sealcluster/parts")
    await done(m1, op)
    folder = m1.file(root) / "docker/registry/v2"
    assert (folder / f"blobs/sha256/{moved[:2]}/{moved}/data").read_bytes() == b"layer"
    assert (folder / f"blobs/sha256/{kept[:2]}/{kept}/data").read_bytes() == b"part"
    assert (m1.file(root) / link).read_text() == f"sha256:{moved}"
    assert (folder / f"repositories/sealcluster/parts/_layers/sha256/{kept}/link").read_text() == f"sha256:{kept}"
    assert (await m1.port_.facts(FactsQuery())).parts == {kept}
    assert await m1.port_.missing([moved, kept], root) == frozenset()
    await done(m1, op)


async def test_a_blob_that_nobody_sent_is_named(m1):
    result = await do(m1, CommitRegistry(f"{ROOT}/registry", ("ab" * 32,), ()))
    assert result.rc == 66
    assert "ab" * 32 in result.log


async def test_a_registry_is_prepared(m1):
    op = PrepareRegistry("/var/lib/registry", f"{ROOT}/registry", f"{ROOT}/etc/registry_htpasswd", "admin:$2y$hash")
    await done(m1, op)
    await done(m1, op)
    assert m1.file("/var/lib/registry").resolve() == m1.file(f"{ROOT}/registry")
    assert m1.file(f"{ROOT}/etc/registry_htpasswd").read_text() == "admin:$2y$hash\n"


async def test_a_registry_of_somebody_else_is_not_removed(m1):
    m1.file("/var/lib/registry").mkdir()
    m1.file("/var/lib/registry/data").write_text("precious")
    result = await do(m1, PrepareRegistry("/var/lib/registry", f"{ROOT}/registry", f"{ROOT}/h", "x"))
    assert result.rc == 73
    assert "move it away" in result.log
    assert m1.file("/var/lib/registry/data").read_text() == "precious"


# The image's scripts


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


# kubeadm, by a stand-in that records what it was asked

KUBEADM = """#!/bin/sh
echo "$@" >>@ROOT@/asked
case $1 in
config) printf 'registry.k8s.io/%s:v1.34.4\\n' kube-apiserver kube-controller-manager kube-scheduler kube-proxy coredns/coredns pause etcd ;;
certs)
	while [ $# -gt 0 ]; do
		case $1 in --cert-dir) pki=$2 ;; --kubeconfig-dir) dir=$2 ;; esac
		shift
	done
	mkdir -p "$pki/etcd"
	for name in "$pki/apiserver" "$pki/etcd/server"; do
		openssl ecparam -name prime256v1 -genkey -noout -out "$name.key"
		openssl req -new -key "$name.key" -subj /CN=x -out "$name.csr"
	done
	for name in admin.conf kubelet.conf; do
		openssl ecparam -name prime256v1 -genkey -noout -out "$dir/key"
		openssl req -new -key "$dir/key" -subj /CN=x -out "$dir/$name.csr"
		printf 'clusters:\\n- cluster:\\n    server: https://x:6443\\n  name: kubernetes\\nusers:\\n- user:\\n    client-key-data: %s\\n' \\
			"$(base64 -w 0 <"$dir/key")" >"$dir/$name"
		rm "$dir/key"
	done
	;;
init | join)
	cat "$3" >@ROOT@/given
	echo "using token abcdef.0123456789abcdef"
	mkdir -p @ROOT@/etc/kubernetes/manifests
	echo admin >@ROOT@/etc/kubernetes/admin.conf
	exit "$(cat @ROOT@/code 2>/dev/null || echo 0)"
	;;
reset) rm -f @ROOT@/etc/kubernetes/manifests/* ;;
esac
"""


@pytest.fixture
def kubeadm(m1):
    m1.box.tool("kubeadm", KUBEADM.replace("@ROOT@", str(m1.box.root)))
    m1.box.tool(
        "crictl",
        '#!/bin/sh\necho "$@" >>@ROOT@/pulled\ncase $* in *broken*) echo "not found" >&2; exit 1 ;; esac\n'.replace(
            "@ROOT@", str(m1.box.root)
        ),
    )
    return m1.file("/asked")


CONFIG = b"kind: InitConfiguration\nbootstrapTokens:\n- token: abcdef.0123456789abcdef\n"


async def test_init(m1, kubeadm):
    op = KubeadmInit(CONFIG, (File("/etc/kubernetes/audit-policy.yml", b"audit"),), "/var/lib/sealos/data/default")
    result = await done(m1, op)
    kept = m1.file("/var/lib/sealos/data/default/etc/kubeadm-init.yaml")
    assert kept.read_bytes() == CONFIG
    assert kept.stat().st_mode & 0o777 == 0o600
    assert m1.file("/given").read_bytes() == CONFIG
    assert m1.file("/etc/kubernetes/audit-policy.yml").read_bytes() == b"audit"
    assert m1.file("/root/.kube/config").read_text() == "admin\n"
    assert m1.file("/root/.kube/config").stat().st_mode & 0o777 == 0o600
    assert "abcdef.0123456789abcdef" not in result.log
    for flag in ("--skip-certificate-key-print", "--skip-token-print", "--ignore-preflight-errors=SystemVerification"):
        assert flag in kubeadm.read_text()


async def test_a_failed_init_tells_its_exit_code(m1, kubeadm):
    m1.file("/code").write_text("42")
    assert (await do(m1, KubeadmInit(CONFIG))).rc == 42
    assert not m1.file("/root/.kube/config").exists()


@pytest.mark.parametrize("role", ["master", "worker"])
async def test_only_masters_get_the_admin_kubeconfig(m1, kubeadm, role):
    await done(m1, KubeadmJoin(CONFIG, role))
    assert m1.file("/root/.kube/config").exists() == (role == "master")
    left = [f for f in m1.box.root.rglob("*") if f.is_file() and not f.is_relative_to(m1.box.root / "proc") and f.name != "given"]
    assert not [f for f in left if b"abcdef.0123456789abcdef" in f.read_bytes() and f.name != "log"]


async def test_reset(m1, kubeadm):
    await done(m1, KubeadmInit(CONFIG))
    for path in ("/etc/kubernetes/pki/ca.key", "/var/lib/etcd/member/wal", "/var/lib/kubelet/config.yaml"):
        m1.file(path).parent.mkdir(parents=True, exist_ok=True)
        m1.file(path).write_text("x")
    await done(m1, KubeadmReset())
    assert [str(p) for p in m1.file("/etc/kubernetes").iterdir()] == []
    assert not m1.file("/var/lib/etcd").exists()
    assert not m1.file("/var/lib/kubelet").exists()
    await done(m1, KubeadmReset())


@pytest.mark.parametrize(("role", "count"), [("master", 7), ("worker", 2)])
async def test_images_are_pulled_by_role(m1, kubeadm, role, count):
    await done(m1, PullImages(ROOT, "v1.34.4", role, ("sealos.hub:5000/lvscare:v4",)))
    pulled = m1.file("/pulled").read_text().splitlines()
    assert len(pulled) == count + 1
    assert "pull registry.k8s.io/pause:v1.34.4" in pulled
    assert "pull sealos.hub:5000/lvscare:v4" in pulled
    assert "config images list --kubernetes-version v1.34.4" in kubeadm.read_text()


async def test_an_image_that_cannot_be_pulled_is_named_after_three_tries(m1, kubeadm):
    result = await do(m1, PullImages(ROOT, "v1.34.4", "worker", ("x/broken:1",)))
    assert result.rc == 1
    assert "x/broken:1: not found" in result.log
    assert result.log.endswith("failed for x/broken:1 ")
    assert m1.file("/pulled").read_text().count("broken") == 3


def requests(output):
    found, name = {}, ""
    for line in output.splitlines(keepends=True):
        if line.startswith("== "):
            name = line[3:].strip()
            found[name] = ""
        else:
            found[name] += line
    return found


async def openssl(*arguments, given=b""):
    process = await asyncio.create_subprocess_exec("openssl", *arguments, stdin=-1, stdout=-1, stderr=-1)
    out, err = await process.communicate(given)
    assert process.returncode == 0, err
    return out


async def public_of_request(pem):
    return await openssl("req", "-noout", "-pubkey", given=pem.encode())


async def public_of_key(pem):
    return await openssl("pkey", "-pubout", given=pem)


CA = File("/etc/kubernetes/pki/ca.crt", b"CA", 0o644)


@pytest.mark.skipif(not shutil.which("openssl"), reason="the stand-in for kubeadm makes keys with openssl")
async def test_keys_are_made_on_the_host_and_stay_there(m1, kubeadm):
    asked = requests((await done(m1, GenerateCSRs(ROOT, CONFIG, (CA,)))).output)
    assert sorted(asked) == ["admin.conf", "apiserver", "etcd/server", "kubelet.conf"]
    assert m1.file("/etc/kubernetes/pki/ca.crt").read_bytes() == b"CA"
    # until a certificate comes, nothing that kubeadm would look at is there
    assert [f.name for f in m1.file("/etc/kubernetes").rglob("*") if f.is_file()] == ["ca.crt"]

    again = requests((await done(m1, GenerateCSRs(ROOT, CONFIG, (CA,)))).output)
    assert again == asked

    signed = {"apiserver": "CERT apiserver\n", "etcd/server": "CERT etcd\n", "admin.conf": "CERT admin\n"}
    await done(m1, InstallCertificates(signed, "CA", "https://apiserver.cluster.local:6443"))
    pki = m1.file("/etc/kubernetes/pki")
    assert (pki / "apiserver.crt").read_text() == "CERT apiserver\n"
    assert (pki / "etcd/server.crt").read_text() == "CERT etcd\n"
    assert await public_of_key((pki / "apiserver.key").read_bytes()) == await public_of_request(asked["apiserver"])
    assert (pki / "apiserver.key").stat().st_mode & 0o777 == 0o600
    admin = m1.file("/etc/kubernetes/admin.conf")
    assert admin.stat().st_mode & 0o777 == 0o600
    assert "server: https://apiserver.cluster.local:6443" in admin.read_text()
    assert not m1.file("/etc/kubernetes/kubelet.conf").exists()
    facts = await m1.port_.facts(FactsQuery(certificates=True))
    assert facts.certificates == {"apiserver": "CERT apiserver\n", "etcd/server": "CERT etcd\n", "admin.conf": "CERT admin\n"}

    later = requests((await done(m1, GenerateCSRs(ROOT, CONFIG, (CA,)))).output)
    assert {name: await public_of_request(pem) for name, pem in later.items()} == {
        name: await public_of_request(pem) for name, pem in asked.items()
    }
    await done(m1, InstallCertificates({"apiserver": "NEW\n", "admin.conf": "NEW admin\n"}, "CA", "https://x:6443"))
    assert (pki / "apiserver.crt").read_text() == "NEW\n"
    assert (await m1.port_.facts(FactsQuery(certificates=True))).certificates["admin.conf"] == "NEW admin\n"


@pytest.mark.skipif(not shutil.which("openssl"), reason="the stand-in for kubeadm makes keys with openssl")
async def test_a_key_that_somebody_else_made_is_requested_for_as_it_is(m1, kubeadm):
    pki = m1.file("/etc/kubernetes/pki")
    pki.mkdir(parents=True)
    key = await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    (pki / "apiserver.key").write_bytes(key)
    asked = requests((await done(m1, GenerateCSRs(ROOT, CONFIG, ()))).output)
    assert await public_of_request(asked["apiserver"]) == await public_of_key(key)
    assert (pki / "apiserver.key").read_bytes() == key


async def test_a_certificate_without_its_key_is_refused(m1):
    result = await do(m1, InstallCertificates({"apiserver": "PEM"}, "CA", "https://x:6443"))
    assert result.rc == 66
    assert "its key is not on the host" in result.log


# etcd's membership

ETCDCTL = """#!/bin/sh
case $1 in
ps) echo abc ;;
exec)
	echo "$@" >>@ROOT@/asked
	case "$*" in
	*"member list"*) cat @ROOT@/members ;;
	*"member remove"*) grep -v "^$(echo "$*" | sed 's/.*remove //')," @ROOT@/members >@ROOT@/m2; mv @ROOT@/m2 @ROOT@/members ;;
	*"member promote"*) sed -i 's/true$/false/' @ROOT@/members ;;
	esac
	;;
esac
"""
MEMBERS = """8e9e05c52164694d, started, m1, https://10.0.0.1:2380, https://10.0.0.1:2379, false
ff, started, m2, https://10.0.0.2:2380, https://10.0.0.2:2379, true
"""


@pytest.fixture
def etcd(m1):
    m1.box.tool("crictl", ETCDCTL.replace("@ROOT@", str(m1.box.root)))
    m1.file("/members").write_text(MEMBERS)
    return m1.file("/members")


async def test_a_member_is_removed_once(m1, etcd):
    await done(m1, EtcdMemberOp("remove", "ff"))
    assert "m2" not in etcd.read_text()
    await done(m1, EtcdMemberOp("remove", "ff"))
    assert m1.file("/asked").read_text().count("member remove") == 1


async def test_a_learner_is_promoted_once(m1, etcd):
    await done(m1, EtcdMemberOp("promote", "ff"))
    assert "true" not in etcd.read_text()
    await done(m1, EtcdMemberOp("promote", "ff"))
    assert m1.file("/asked").read_text().count("member promote") == 1
    assert (await do(m1, EtcdMemberOp("promote", "aa"))).rc == 66


async def test_without_etcd_nothing_is_claimed_to_be_done(m1):
    m1.box.tool("crictl", "#!/bin/sh\n")
    assert (await do(m1, EtcdMemberOp("remove", "ff"))).rc == 69


# The end


@pytest.fixture
def cleanable(m1, kubeadm):
    """Commands that would reach this machine's own kernel do nothing."""
    for name in ("iptables-save", "ip6tables-save", "nft", "ipvsadm"):
        m1.box.tool(name, "#!/bin/sh\n")
    m1.box.tool(
        "ip",
        f'#!/bin/sh\ncase "$*" in *"link show"*) cat {m1.box.root}/links 2>/dev/null ;; *) echo "$@" >>{m1.box.root}/ipcalls ;; esac\n',
    )
    return m1


async def test_a_cleaned_host_is_as_it_was(cleanable):
    m1 = cleanable
    before = {p: c for p, c in tree(m1.box.root).items() if p.startswith("etc/")}
    scripts = m1.file(f"{ROOT}/scripts")
    scripts.mkdir(parents=True)
    (scripts / "clean.sh").write_text("echo cleaned $1; exit 3")
    await done(m1, Claim("c1", "m1"))
    await done(m1, WriteHosts(ENTRIES))
    await done(m1, PutFiles((File("/etc/kubernetes/x", b"x"), File("/etc/own.conf", b"x"))))
    await done(m1, KubeadmInit(CONFIG))
    m1.file("/etc/hosts").write_text(m1.file("/etc/hosts").read_text() + "10.0.0.9 sealos.hub\n10.0.0.9 sealos.hub mine\n")
    result = await done(m1, CleanHost(ROOT, ("clean.sh $criData",), {"criData": "/var/x"}, ("sealos.hub",)))
    assert "cleaned /var/x" in result.log
    assert "clean script 1: exit code 3" in result.log
    after = {p: c for p, c in tree(m1.box.root).items() if p.startswith("etc/")}
    assert after.pop("etc/hosts") == before.pop("etc/hosts") + b"10.0.0.9 sealos.hub mine\n"
    assert after == before
    assert not m1.file("/var/lib/sealos").exists()
    assert not m1.box.state.exists()
    facts = await m1.port_.facts(FactsQuery())
    assert (facts.owner, facts.journal, facts.jobs, facts.fence) == (None, {}, {}, 0)


async def test_what_is_left_is_told_and_the_host_stays_ours(cleanable):
    m1 = cleanable
    await done(m1, Claim("c1", "m1"))
    m1.file("/links").write_text("7: cni0: <UP> mtu 1500\n8: eth0@if9: <UP> mtu 1500\n")
    result = await do(m1, CleanHost(ROOT))
    assert result.rc == 1
    assert result.output == "link cni0\n"
    assert "link del cni0" in m1.file("/ipcalls").read_text()
    assert "eth0" not in m1.file("/ipcalls").read_text()
    facts = await m1.port_.facts(FactsQuery())
    assert facts.owner.cluster_id == "c1"
    assert facts.journal["CleanHost"].state == "failed"
    m1.file("/links").unlink()
    await done(m1, CleanHost(ROOT))
    assert (await m1.port_.facts(FactsQuery())).owner is None
