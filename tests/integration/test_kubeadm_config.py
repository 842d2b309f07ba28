"""The real kubeadm reads what we render and accepts the certificates that we sign. Needs no cluster and no network."""

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from integration.kubeadm_control_plane import ControlPlane
from sealab.gobuild import binary
from sealcluster.core.ports import NodeIdentity
from sealcluster.pki.bundle import authority_files, create_pki
from sealcluster.pki.inspection import problems, read_certificate
from sealcluster.pki.keys import KeyAlgorithm
from sealcluster.pki.kubeconfigs import COMPLETE_AWK, completion_values
from sealcluster.pki.leaves import ClusterIdentity, LeafSpec, expected_certificates
from sealcluster.pki.sign import sign
from sealcluster.render.kubeadm import certificate_names, render_csr, render_init, render_join
from sealcluster.render.kubeadm_inputs import ClusterInputs, Discovery, KubeadmDocuments, NodeInputs
from unit.render.kubeadm_cases import DISCOVERY, GOLDEN, USER, cluster

NODE = NodeInputs("m1", "10.0.0.11")
AWKS = [command for command in (["mawk"], ["busybox", "awk"], ["awk"]) if shutil.which(command[0])]
VALIDITY = timedelta(days=3650)


@pytest.fixture(scope="session")
def kubeadm() -> Path:
    """The lab's default kubeadm, built when it is not in the cache."""
    return binary("kubeadm", "v1.34.4")


@pytest.fixture(params=["v1.34.4", "v1.33.13"], scope="session")
def any_kubeadm(request) -> tuple[Path, str]:
    """(path, version) of each kubeadm, built when it is not in the cache."""
    return binary("kubeadm", request.param), request.param


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_real_kubeadm_reads_every_golden_file(any_kubeadm, path, tmp_path):
    """kubeadm deploys its own and the previous minor only, so the file gets its version; strict decoding stays."""
    program, version = any_kubeadm
    config = tmp_path / "config.yaml"
    documents = list(yaml.safe_load_all(path.read_text()))
    for document in documents:
        if "kubernetesVersion" in document:
            document["kubernetesVersion"] = version
    config.write_text(yaml.safe_dump_all(documents))
    done = run(program, "config", "validate", "--config", config)
    assert (done.returncode, done.stdout.strip()) == (0, "ok"), done.stderr
    assert "unknown field" not in done.stderr


def test_our_upgrade_of_a_users_v1beta3_document_is_kubeadms_own(kubeadm, tmp_path):
    """Rendered for v1.30 and migrated by kubeadm, or rendered for v1.34 at once: the same configuration."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    text = render_init(cluster(30, user_documents=USER), NODE)
    old.write_text(text.replace("v1.30.4", "v1.34.4"))
    done = run(kubeadm, "config", "migrate", "--old-config", old, "--new-config", new)
    assert done.returncode == 0, done.stderr
    migrated = {document["kind"]: document for document in yaml.safe_load_all(new.read_text())}
    ours = {d["kind"]: d for d in yaml.safe_load_all(render_init(cluster(34, user_documents=USER), NODE))}
    for kind in ("InitConfiguration", "ClusterConfiguration"):
        for name in ("certificateValidityPeriod", "caCertificateValidityPeriod"):
            ours[kind].pop(name, None)  # not expressible in v1beta3
        assert contained(ours[kind], migrated[kind]) == ours[kind]


def contained(wanted: object, found: object) -> object:
    """`found`, cut down to the keys of `wanted` (kubeadm writes every default); lists of flags are compared sorted."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return {key: contained(value, found.get(key)) for key, value in wanted.items()}
    if isinstance(wanted, list) and isinstance(found, list) and found and isinstance(found[0], dict) and "name" in found[0]:
        order = {entry["name"]: number for number, entry in enumerate(wanted)}
        return sorted(found, key=lambda entry: order.get(entry["name"], len(order)))
    return found


def test_the_control_plane_gets_each_flag_once(kubeadm, tmp_path):
    """The static pods that kubeadm makes of the layered configuration."""
    config = tmp_path / "config.yaml"
    config.write_text(render_init(cluster(34, user_documents=USER), NODE))
    environment = {**os.environ, "KUBEADM_INIT_DRYRUN_DIR": str(tmp_path)}
    done = run(kubeadm, "init", "phase", "control-plane", "all", "--dry-run", "--config", config, env=environment)
    assert done.returncode == 0, done.stderr
    commands = {}
    for component in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        pod = yaml.safe_load((tmp_path / f"{component}.yaml").read_text())
        commands[component] = pod["spec"]["containers"][0]["command"]
        names = [word.split("=")[0] for word in commands[component]]
        assert len(names) == len(set(names))
    assert "--audit-log-maxage=30" in commands["kube-apiserver"]
    assert "--audit-policy-file=/etc/kubernetes/audit-policy.yml" in commands["kube-apiserver"]
    assert "--cluster-signing-duration=87600h0m0s" in commands["kube-controller-manager"]
    assert "--bind-address=127.0.0.1" in commands["kube-scheduler"]


class Master:
    """What happens on a host, in a directory: CAs placed, requests made, certificates installed."""

    def __init__(self, program: Path, root: Path, inputs: ClusterInputs, node: NodeInputs, *, first: bool) -> None:
        self.program, self.root, self.inputs, self.node = program, root, inputs, node
        self.config = root / "config.yaml"
        self.identity = NodeIdentity(node.name, node.address, certificate_names(inputs).api_server, first)

    def prepare(self, pairs: dict[str, tuple[str, str]]) -> None:
        self.root.mkdir(parents=True)
        text = render_csr(self.inputs, self.node)
        self.config.write_text(text.replace("certificatesDir: /etc/kubernetes/pki", f"certificatesDir: {self.root}/pki"))
        done = run(
            self.program, "certs", "generate-csr", "--kubeconfig-dir", self.root, "--cert-dir", self.root / "pki", "--config", self.config
        )
        assert done.returncode == 0, done.stderr
        for file in authority_files(pairs, f"{self.root}/pki"):
            Path(file.path).write_bytes(file.content)
            Path(file.path).chmod(file.mode)

    def leaves(self, minor: int) -> tuple[LeafSpec, ...]:
        names = certificate_names(self.inputs)
        identity = ClusterIdentity(
            self.inputs.endpoint_domain,
            self.inputs.service_subnet,
            self.inputs.dns_domain,
            etcd_server_sans=names.etcd_server,
            etcd_peer_sans=names.etcd_peer,
        )
        return expected_certificates(self.identity, identity, minor)

    def install(self, leaf: LeafSpec, ca_pem: str, pem: str) -> None:
        path = self.root / leaf.path
        if not leaf.is_kubeconfig:
            path.write_text(pem)
            return
        settings = [word for name, value in completion_values(ca_pem, pem).items() for word in ("-v", f"{name}={value}")]
        texts = {run(*awk, *settings, COMPLETE_AWK, input=path.read_text()).stdout for awk in AWKS}
        assert len(texts) == 1
        path.write_text(texts.pop())

    def files(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
@pytest.mark.parametrize("first", [True, False], ids=["init", "join"])
def test_kubeadm_accepts_the_certificates_of_a_master_unchanged(any_kubeadm, tmp_path, algorithm, first):
    program, version = any_kubeadm
    minor = int(version.split(".")[1])
    now = datetime.now(UTC)
    pki = create_pki(now, timedelta(days=36500), algorithm)
    user = KubeadmDocuments(cluster={"etcd": {"local": {"serverCertSANs": ["etcd.example"]}}, "apiServer": {"certSANs": ["api.example"]}})
    inputs = cluster(minor, user_documents=user)
    inputs = ClusterInputs(version, inputs.masters, user_documents=user)
    master = Master(program, tmp_path / "kubernetes", inputs, NODE if first else NodeInputs("m2", "10.0.0.12"), first=first)
    master.prepare(pki.pairs())

    leaves = master.leaves(minor)
    made = {str(path.relative_to(master.root)) for path in master.root.rglob("*.csr")}
    wanted = {leaf.csr_path for leaf in leaves}
    assert made - wanted == (set() if first else {"kubelet.conf.csr", "super-admin.conf.csr"})
    for leaf in leaves:
        ca = pki.authority(leaf.ca)
        pem = sign((master.root / leaf.csr_path).read_text(), leaf, ca, VALIDITY, now)
        assert problems(pem, leaf, ca, now) == ()
        verify_strictly(pem, ca.certificate_pem, leaf, tmp_path)
        master.install(leaf, pki.ca.certificate_pem, pem)
    for name in made:
        (master.root / name).unlink()
    if not first:
        for name in ("kubelet.conf", "super-admin.conf"):
            (master.root / name).unlink()

    before = master.files()
    certs = run(program, "init", "phase", "certs", "all", "--config", master.config)
    assert certs.returncode == 0, certs.stderr
    assert certs.stdout.count("Using existing") == 10
    for name in ("all",) if first else ("admin", "controller-manager", "scheduler"):
        done = run(program, "init", "phase", "kubeconfig", name, "--config", master.config, "--kubeconfig-dir", master.root)
        assert done.returncode == 0, done.stderr
        assert "Writing" not in done.stdout
    assert master.files() == before

    expirations = run(program, "certs", "check-expiration", "--config", master.config, "--cert-dir", master.root / "pki")
    assert "3649d" in expirations.stdout or "9y" in expirations.stdout, expirations.stdout + expirations.stderr


def verify_strictly(pem: str, ca_pem: str, leaf: LeafSpec, folder: Path) -> None:
    (folder / "ca.pem").write_text(ca_pem)
    (folder / "leaf.pem").write_text(pem)
    for usage in leaf.usages:
        done = run("openssl", "verify", "-x509_strict", "-purpose", f"ssl{usage}", "-CAfile", "ca.pem", "leaf.pem", cwd=folder)
        assert done.stdout.strip() == "leaf.pem: OK", (leaf.name, done.stderr)


def test_kubeadm_refuses_a_certificate_of_another_ca(kubeadm, tmp_path):
    """The test above can fail: kubeadm looks at what it finds."""
    now = datetime.now(UTC)
    pki, other = (create_pki(now, VALIDITY, KeyAlgorithm.ECDSA_P256) for _ in range(2))
    master = Master(kubeadm, tmp_path / "kubernetes", ClusterInputs("v1.34.4", ("10.0.0.11",)), NODE, first=True)
    master.prepare(pki.pairs())
    leaf = master.leaves(34)[0]
    master.install(leaf, pki.ca.certificate_pem, sign((master.root / leaf.csr_path).read_text(), leaf, other.ca, VALIDITY, now))
    done = run(kubeadm, "init", "phase", "certs", "apiserver", "--config", master.config)
    assert done.returncode != 0
    assert "certificate signed by unknown authority" in done.stderr


def test_the_names_in_the_requests_are_those_of_our_policy(kubeadm, tmp_path):
    """kubeadm's own idea of subjects and names, read from its requests, against ours."""
    from cryptography import x509

    inputs = cluster(34, user_documents=USER)
    master = Master(kubeadm, tmp_path / "kubernetes", inputs, NODE, first=True)
    pki = create_pki(datetime.now(UTC), VALIDITY, KeyAlgorithm.ECDSA_P256)
    master.prepare(pki.pairs())
    for leaf in master.leaves(34):
        request = (master.root / leaf.csr_path).read_text()
        ours = read_certificate(sign(request, leaf, pki.authority(leaf.ca), VALIDITY, datetime.now(UTC)), leaf.name)
        theirs = x509.load_pem_x509_csr(request.encode())
        assert theirs.subject.rfc4514_string() == ",".join([f"CN={ours.common_name}", *(f"O={group}" for group in ours.organizations)])
        try:
            names = theirs.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            assert (ours.dns_names, ours.addresses) == ((), ())
            continue
        assert sorted(names.get_values_for_type(x509.DNSName)) == sorted(ours.dns_names)
        assert sorted(map(str, names.get_values_for_type(x509.IPAddress))) == sorted(ours.addresses)


def test_a_join_file_is_valid_with_the_cas_hash(kubeadm, tmp_path):
    pki = create_pki(datetime.now(UTC), VALIDITY, KeyAlgorithm.ECDSA_P256)
    config = tmp_path / "join.yaml"
    discovery = Discovery("10.0.0.11:6443", (pki.ca.discovery_hash,), "abcdef.0123456789abcdef")
    config.write_text(render_join(cluster(34), NODE, discovery, master=True))
    done = run(kubeadm, "config", "validate", "--config", config)
    assert (done.returncode, done.stdout.strip()) == (0, "ok"), done.stderr


@pytest.mark.parametrize("address", ["10.0.0.12", "10.0.0.99"], ids=["right", "of-another-host"])
def test_a_joining_master_keeps_the_certificates_that_are_there(any_kubeadm, tmp_path, address):
    """`kubeadm join` with our own file: found by token and CA hash, nothing signed anew; a certificate for another address is refused."""
    program, version = any_kubeadm
    minor = int(version.split(".")[1])
    now = datetime.now(UTC)
    pki = create_pki(now, VALIDITY, KeyAlgorithm.RSA_2048)
    inputs = ClusterInputs(
        version, ("10.0.0.11", "10.0.0.12"), user_documents=KubeadmDocuments(cluster={"apiServer": {"certSANs": ["a.example"]}})
    )
    node = NodeInputs("m2", "10.0.0.12")
    master = Master(program, tmp_path / "kubernetes", inputs, node, first=False)
    master.prepare(pki.pairs())
    master.identity = NodeIdentity("m2", address, certificate_names(inputs).api_server)
    for leaf in master.leaves(minor):
        request = (master.root / leaf.csr_path).read_text()
        master.install(leaf, pki.ca.certificate_pem, sign(request, leaf, pki.authority(leaf.ca), VALIDITY, now))
    before = master.files()
    config = tmp_path / "join.yaml"
    with ControlPlane(pki, inputs, NODE, DISCOVERY.token, master.root / "pki", tmp_path).running() as endpoint:
        config.write_text(render_join(inputs, node, Discovery(endpoint, (pki.ca.discovery_hash,), DISCOVERY.token), master=True))
        done = run(program, "join", "phase", "control-plane-prepare", "certs", "--config", config)
    assert master.files() == before
    if address == node.address:
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("Using the existing") == 8
        assert "Generating" not in done.stdout
    else:
        assert done.returncode != 0
        assert "10.0.0.12" in done.stderr
