"""Which values of an op must never be shown."""

from sealcluster.core import ops
from sealcluster.host.secrets_of import secrets_of


def test_environment_variables_are_secret_by_their_name():
    op = ops.RunScript("/", "x", {"registryPassword": "swordfish", "registryPort": "5000", "API_TOKEN": "t0ken", "criData": "/var"})
    assert sorted(secrets_of(op)) == ["swordfish", "t0ken"]


def test_a_registrys_password_and_its_hash():
    assert secrets_of(ops.FetchParts("s", "r", (), "admin", "swordfish")) == ["swordfish"]
    assert secrets_of(ops.PrepareRegistry("/d", "/t", "/p", "admin:$2y$10$abc\n")) == ["$2y$10$abc\n"]


def test_what_a_kubeadm_configuration_holds():
    config = b'kind: JoinConfiguration\ndiscovery:\n  bootstrapToken:\n    token: abcdef.0123456789abcdef\n  tlsBootstrapToken: "x.y"\ncertificateKey: 00ff\n'
    assert secrets_of(ops.KubeadmJoin(config)) == ["abcdef.0123456789abcdef", "x.y", "00ff"]


def test_nothing_is_secret_in_most():
    assert secrets_of(ops.WriteHosts((("10.0.0.1", "a"),))) == []
