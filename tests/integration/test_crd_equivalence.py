"""Models and CRD are two judges of the same law: whatever the API server takes, pydantic takes, and the other way round."""

import json
from collections import Counter
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.crds import COLLECTION
from labkit.manifests import manifest
from sealab.plane import Plane
from sealcluster.api import InvalidSealCluster, SealClusterSpec, parse

pytestmark = pytest.mark.timeout(300)


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def struct(required: dict[str, Any] | None = None, **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with some of the optional keys, and now and then one that does not exist."""
    fields = st.fixed_dictionaries(required or {}, optional=optional)
    return st.one_of(*[fields] * 15, fields.map(lambda value: {**value, "bogus": 1}))


NAMES = some("a", "b", "c-1", "a.b", "A", "-a", "a..b", "a" * 63, "a" * 64, "")
ADDRESSES = some(
    *["10.0.0.1", "10.0.0.2", "192.168.255.255"] * 5, "0.0.0.0", "10.0.0.256", "10.0.0", "::1", "::ffff:10.0.0.1", "010.0.0.1", "a", "", 10
)
SUBNETS = some(
    *["10.0.0.0/8", "10.96.0.0/16", "172.16.0.0/12"] * 5,
    "10.0.0.1/8",
    "10.0.0.0",
    "0.0.0.0/0",
    "10.0.0.0/32",
    "10.0.0.0/33",
    "10.0.0.0/255.0.0.0",
    "fd00::/48",
    "",
)
DOMAINS = some(*["a.example", "localhost"] * 4, "A.example", "a_b", "a.", "a" * 63 + ".b", "1", "")
PORTS = some(*[22, 1, 65535] * 4, 0, 65536, -1, "22", 22.5, True)
DURATIONS = some(*["10y", "5m", "99999d"] * 4, "0s", "10", "1h30m", "123456s", 5)
ENV = some(
    *[{}, {"A": "b"}, {"a-b": ""}] * 4, {"A": 1}, {"A": None}, {"A": "x" * 4096}, {"A": "x" * 4097}, [], {str(n): "" for n in range(65)}
)
FLAGS = some(True, False, True, False, "true", 0)
KEYS = struct({"name": NAMES, "key": some("k", "a_b.c-D", "a b", "")})
SECRETS = struct({"name": NAMES})
BASTIONS = struct({"address": DOMAINS}, port=PORTS, user=some("root", "a b"), credentialsSecretRef=SECRETS)
USERS = some(*["root", "ops", "svc$"] * 3, "1a", "a b", "", "x" * 33)
ROLES = st.lists(some(*["master", "node", "registry"] * 3, "other"), max_size=3)
HOST_KEYS = struct(policy=some("Strict", "TrustOnFirstUse", "strict"), knownHostsSecretRef=KEYS)
BECOME = struct(method=some("Auto", "Sudo", "None", "su"))
SSH = {"user": USERS, "credentialsSecretRef": SECRETS, "hostKeys": HOST_KEYS, "become": BECOME, "bastion": BASTIONS}
TAINTS = st.lists(
    struct({"key": some("k", "", "x" * 317), "effect": some("NoSchedule", "NoExecute", "Bad")}, value=some("", "v", "x" * 64)), max_size=2
)
HOSTS = st.lists(
    struct(
        {"name": NAMES, "address": ADDRESSES, "roles": ROLES},
        nodeIP=ADDRESSES,
        port=PORTS,
        ssh=struct(**SSH),
        env=ENV,
        labels=ENV,
        taints=TAINTS,
    ),
    max_size=3,
)
GOOD_HOSTS = st.just(manifest()["spec"]["hosts"])
REFS = some(
    *[
        "r.example/a:1",
        "a",
        "localhost:5000/a/b:v1",
        "r/a@sha256:" + "0" * 64,
        "r/a:1@sha256:" + "0" * 64,
        "oci-archive:a.tar",
        "docker-archive:d/a.tar:x",
    ],
    "r/a:",
    "a b",
    "http://a",
    "oci-archive:",
    "r/a@sha256:0",
    "",
    "é",
    "a/",
    "A:1",
)
IMAGES = st.lists(
    struct({"name": some("a", "b", "c", "A", "a.b"), "ref": REFS}, env=ENV, args=st.lists(some("x", ""), max_size=2)), max_size=3
)
GOOD_IMAGES = st.just(manifest()["spec"]["images"])
PATHS = some("etc/a", "a", "a/b.c/d_e", "/a", "a//b", "../a", "a/../b", "./a", "a/.b", "a b", "", "a\nb")
SOURCES = struct(secretKeyRef=KEYS, configMapKeyRef=KEYS)
CONFIGS = st.lists(
    struct(
        {"path": PATHS},
        match=NAMES,
        strategy=some("merge", "override", "insert", "append", "other"),
        data=some("x", "", 1),
        dataFrom=SOURCES,
    ),
    max_size=2,
)
DOCUMENTS = some({}, {"a": [1, {"b": None}]}, {"x": "y"}, [], "x", None)
SECTIONS: dict[str, st.SearchStrategy[Any]] = {
    "images": st.one_of(GOOD_IMAGES, IMAGES),
    "hosts": st.one_of(GOOD_HOSTS, HOSTS),
    "pullSecretRefs": st.lists(SECRETS, max_size=2),
    "ssh": struct(port=PORTS, **SSH),
    "env": ENV,
    "configs": CONFIGS,
    "network": struct(
        podSubnet=SUBNETS, serviceSubnet=SUBNETS, dnsDomain=DOMAINS, proxyMode=some("Auto", "ipvs", "nftables", "iptables", "x")
    ),
    "endpoint": struct(
        domain=DOMAINS,
        port=PORTS,
        vip=ADDRESSES,
        loadBalancer=some("Auto", "lvscare", "haproxy", "External", "x"),
        loadBalancerImage=some("a", ""),
    ),
    "registry": struct(domain=DOMAINS, port=PORTS, distribution=some("Sync", "Copy", "x")),
    "kubeadm": struct(cluster=DOCUMENTS, init=DOCUMENTS, join=DOCUMENTS, kubelet=DOCUMENTS, kubeProxy=DOCUMENTS),
    "certificates": struct(
        validity=DURATIONS, caValidity=DURATIONS, extraSANs=st.lists(some("a.example", "*.a", "1.2.3.4", "fd00::1", "", "-"), max_size=2)
    ),
    "rollout": struct(
        maxUnavailable=some(1, "10%", "100%", 2000, 0, 2001, "0%", "101%", "5", 1.5, True),
        drain=struct(timeout=DURATIONS, force=FLAGS, deleteEmptyDirData=FLAGS),
    ),
    "deletionPolicy": some("Retain", "Reset", "retain"),
    "paused": FLAGS,
}


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """A good spec with one to three sections replaced: mostly near the border between good and bad."""
    chosen = draw(st.lists(st.sampled_from(sorted(SECTIONS)), min_size=1, max_size=3, unique=True))
    return {**manifest()["spec"], **{name: draw(SECTIONS[name]) for name in chosen}}


def test_both_judges_agree(seal_plane: Plane) -> None:
    verdicts: Counter[bool] = Counter()
    connection = seal_plane.connect()

    @given(specs())
    @settings(max_examples=800, deadline=None, derandomize=True)
    def agree(spec: dict[str, Any]) -> None:
        obj = {**manifest(), "spec": spec}
        connection.request("POST", f"{COLLECTION}?dryRun=All&fieldValidation=Strict", json.dumps(obj), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        verdicts[response.status == 201] += 1
        try:
            model = parse(obj).spec
        except InvalidSealCluster as refusal:
            assert response.status in {400, 422}, f"only pydantic refuses: {refusal}"
            return
        assert response.status == 201, f"only the API server refuses: {answer['message']}"
        assert SealClusterSpec.model_validate(answer["spec"]) == model

    with closing(connection):
        agree()
    assert min(verdicts[True], verdicts[False]) > 100, f"the examples are one-sided: {verdicts}"
