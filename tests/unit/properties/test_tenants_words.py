"""What a tenant puts into Secrets, specs and files: taken, or refused with one of our errors that quotes nothing."""

import asyncio
import base64
import gzip
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sealcluster.api import InvalidSealCluster, parse, validate
from sealcluster.cli.documents import read
from sealcluster.core.errors import SealError, TerminalError
from sealcluster.core.ports import HostKeyPolicy
from sealcluster.core.state import FirstKey, StateRecord
from sealcluster.kube import secretdata
from sealcluster.kube.pki_store import PKIStore
from sealcluster.kube.records import PACKED_KEY, STATE_KEY, UNPACKED_LIMIT, pack_state, unpack_state
from sealcluster.kube.transport import Transport
from sealcluster.render.clusterfile_parse import parse_clusterfile
from sealcluster.render.configs import ConfigChange, ConfigError, apply_config
from sealcluster.render.expand import expand
from sealcluster.ssh.hostkeys import Trust
from sealcluster.ssh.login import login_options
from sealcluster.testing import specs
from unit.core.test_state import FULL
from unit.properties.strategies import anything, as_json, deep, few, junk, mutated, quick

SECRET = "canary2b7e1516"


# --- Secrets -------------------------------------------------------------------------------------------------------------------
@quick
@given(st.dictionaries(st.sampled_from([*secretdata.CREDENTIAL_KEYS, "other"]), junk | st.just(SECRET.encode()), max_size=4))
def test_credentials(data):
    if data.get("username") == SECRET.encode():
        del data["username"]  # it is none
    try:
        found = secretdata.credentials(data, "Secret a/b", "1")
        login_options("m1", found)
    except TerminalError as error:
        assert error.reason in {"SecretMissing", "AuthenticationFailed"}
        assert SECRET not in f"{error} {error.hint}"
    else:
        assert SECRET not in repr(found)


DOCKER = {"auths": {"registry.example": {"auth": "dXNlcjpjYW5hcnkyYjdlMTUxNg=="}, "https://b/v2/": {"username": "u", "password": SECRET}}}


@quick
@given(mutated(DOCKER).map(as_json) | junk | deep.map(str.encode))
def test_pull_secrets(text):
    try:
        auths = secretdata.registry_auths([("Secret a/b", {".dockerconfigjson": text})])
    except TerminalError as error:
        assert error.reason == "SecretMissing"
        assert SECRET not in str(error)
    else:
        assert all(isinstance(k, str) and len(v) == 2 for k, v in auths.items())


@quick
@given(
    st.text(max_size=120)
    | st.sampled_from(["*" * 500 + " ssh-ed25519 AAAA", "|1|x|y ssh-ed25519 AAAA", "@cert-authority * x", "[a]:b c d"])
)
def test_known_hosts(text):
    try:
        trust = Trust.of(HostKeyPolicy(known_hosts=text, pinned=text[:50] or None), "m1", "10.0.0.1", 22)
    except TerminalError as error:
        assert error.reason == "HostKeyUnknown"
    else:
        assert trust.known_hosts is not None


# --- the state record ----------------------------------------------------------------------------------------------------------
def test_every_field_of_a_record_comes_back():
    full = StateRecord.loads(FULL.dumps())
    seen = StateRecord(
        **{f: getattr(full, f) for f in full.__slots__} | {"first_keys": {"w1": FirstKey("a", 22, "k")}, "bastion_keys": {"b:22": "k"}}
    )
    assert StateRecord.loads(seen.dumps()) == seen
    for size in (1, 3000):
        large = seen.with_guest("x" * 200 * size, next(iter(FULL.guests.values())))
        assert unpack_state(secretdata.decode({"data": {k: v for k, v in pack_state(large).items() if v}}), "x") == large


@quick
@given(mutated(json.loads(FULL.dumps())).map(as_json) | junk | deep.map(str.encode))
def test_a_state_record(text):
    for data in ({STATE_KEY: text}, {PACKED_KEY: gzip.compress(text)}, {PACKED_KEY: text}, {}):
        try:
            unpack_state(data, "Secret a/b").dumps()
        except TerminalError as error:
            assert error.reason == "StateUnreadable"


def test_a_state_record_that_is_a_bomb():
    bomb = gzip.compress(b" " * (UNPACKED_LIMIT + 1))
    for data in (bomb, bomb[:-10], gzip.compress(b"{}")[:-4]):
        with pytest.raises(TerminalError, match="unpacks to more than"):
            unpack_state({PACKED_KEY: data}, "Secret a/b")


PKI = {"ca": ["c", SECRET], "etcd": ["c", SECRET], "proxy": ["c", SECRET], "sa": ["c", SECRET], "registry_password": SECRET}


@quick
@given(mutated(PKI).map(as_json) | junk | deep.map(str.encode))
def test_authorities_that_a_creation_left(text):
    try:
        PKIStore(None, "ns", "a")._staged({"data": {"pki.json": base64.b64encode(text).decode()}})
    except TerminalError as error:
        assert error.reason in {"PKIInvalid", "SecretMissing"}
        assert SECRET not in f"{error} {error.__cause__}"


# --- specs ---------------------------------------------------------------------------------------------------------------------
SPEC = specs.spec(1, 1, env={"A": "b"}, configs=[{"path": "etc/a", "data": "x: 1", "strategy": "merge"}]).model_dump(
    mode="json", by_alias=True, exclude_unset=True
)
OBJECT = {"apiVersion": "sealcluster.io/v1alpha1", "kind": "SealCluster", "metadata": {"name": "a", "namespace": "b"}, "spec": SPEC}


@quick
@given(mutated(OBJECT))
def test_an_object(document):
    try:
        problems = validate(parse(document).spec) if isinstance(document, dict) else []
    except InvalidSealCluster as error:
        assert error.errors
    else:
        assert all(p.path for p in problems)


EVIL = ("$(touch /tmp/x)", "`id`", "a b", "a\nb", "a;b", "{{ .Env }}", "a: b", "'", '"', "..", "../x", "-rf", "a\0b", "\u202e", "A_B", "")


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize(
    "place",
    [
        ("hosts", 0, "name"),
        ("hosts", 0, "address"),
        ("images", 0, "name"),
        ("images", 0, "ref"),
        ("ssh", "user"),
        ("ssh", "credentialsSecretRef", "name"),
        ("configs", 0, "path"),
        ("registry", "domain"),
        ("endpoint", "domain"),
        ("endpoint", "vip"),
        ("network", "dnsDomain"),
        ("network", "podSubnet"),
        ("certificates", "extraSANs", 0),
        ("hosts", 0, "labels", "KEY"),
        ("hosts", 0, "nodeIP"),
    ],
    ids=str,
)
def test_what_becomes_a_name_is_a_name(place, evil):
    if place == ("images", 0, "ref") and evil == "A_B":
        pytest.skip("refused when it is read: Docker Hub has no such name")
    if place == ("configs", 0, "path") and evil in {"-rf", "A_B"}:
        pytest.skip("a plain file name")
    if place == ("ssh", "user") and evil == "A_B":
        pytest.skip("a plain user name")
    document = json.loads(json.dumps(OBJECT))
    spec = document["spec"]
    spec |= {"registry": {}, "endpoint": {}, "network": {}, "certificates": {"extraSANs": ["a"]}}
    spec["hosts"][0]["labels"] = {}
    where = spec
    for part in place[:-1]:
        where = where[part]
    if place[-1] == "KEY":
        where[evil] = "x"
        if evil == "A_B":
            pytest.skip("a plain label")
    else:
        where[place[-1]] = evil
    try:
        problems = validate(parse(document).spec)
    except InvalidSealCluster:
        return
    assert problems


@pytest.mark.parametrize("reference", ["other/secret", "../other/ssh", "ssh?x=1", "a%2fb", "A", "a" * 300])
def test_a_secret_of_another_namespace_cannot_even_be_named(reference):
    document = json.loads(json.dumps(OBJECT))
    for ssh in ({"credentialsSecretRef": {"name": reference}}, {"credentialsSecretRef": {"name": "ssh", "namespace": "other"}}):
        document["spec"]["ssh"] = ssh
        with pytest.raises(InvalidSealCluster):
            parse(document)
    document["spec"]["ssh"] = SPEC["ssh"]
    document["spec"]["pullSecretRefs"] = [{"name": reference}]
    with pytest.raises(InvalidSealCluster):
        parse(document)


@quick
@given(st.text(max_size=40), st.dictionaries(st.text(max_size=5), st.text(max_size=10), max_size=3))
def test_commands_are_expanded_once(text, env):
    assert isinstance(expand(text, env), str)
    assert expand("$A", {"A": "$B", "B": "x"}) == "$B"


# --- files of people -----------------------------------------------------------------------------------------------------------
DOCUMENTS = list(yaml.safe_load_all((Path(__file__).parents[2] / "golden/clusterfile/sealos.yaml").read_text()))


@few
@given(st.sampled_from(range(len(DOCUMENTS))), st.data())
def test_a_clusterfile(number, data):
    documents = list(DOCUMENTS)
    documents[number] = data.draw(mutated(documents[number]))
    try:
        text = yaml.safe_dump_all(documents)
    except (UnicodeEncodeError, ValueError):
        return
    try:
        converted = parse_clusterfile(text)
    except SealError as error:
        assert error.reason == "InvalidSpec"
    else:
        assert converted.manifest()["kind"] == "SealCluster"


@few
@given(
    st.text(max_size=80)
    | st.just("[" * 1000)
    | st.sampled_from(
        ["&a [*a]", "!!python/object/apply:os.system [x]", "- {", "a: 1e999999", "2001-99-99", "!!int x", "!!binary x", "? [a]: b"]
    )
)
def test_what_is_no_clusterfile(tmp_path_factory, text):
    with pytest.raises(SealError):
        parse_clusterfile(text)
    path = tmp_path_factory.getbasetemp() / "x.yaml"
    path.write_bytes(text.encode(errors="replace"))
    with pytest.raises((SealError, InvalidSealCluster)):
        read(path)


@few
@given(mutated(OBJECT), mutated({"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "Yg=="}, "stringData": {"c": "d"}}))
def test_manifests_for_the_command_line(tmp_path_factory, cluster, secret):
    path = tmp_path_factory.getbasetemp() / "m.yaml"
    try:
        path.write_bytes(yaml.safe_dump_all([cluster, secret]).encode())
    except (UnicodeEncodeError, ValueError):
        return
    try:
        read(path)
    except (SealError, InvalidSealCluster) as error:
        assert str(error)


def test_values_of_another_kind_in_files_of_people(tmp_path):
    documents = json.loads(json.dumps(DOCUMENTS, default=str))
    for document in documents:
        if document["kind"] == "ClusterConfiguration":
            document["apiServer"]["certSANs"][0] = None
    with pytest.raises(SealError, match="of a kind"):
        parse_clusterfile(yaml.safe_dump_all(documents))
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump_all([OBJECT, {"kind": "Secret", "metadata": True}]))
    assert read(path).cluster.name == "a"


KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
    "clusters": [{"name": "k", "cluster": {"server": "https://10.0.0.1:6443", "tls-server-name": "x"}}],
    "users": [{"name": "u", "user": {"token": SECRET}}],
}


@few
@given(mutated(KUBECONFIG))
def test_a_kubeconfig(document):
    async def load(text):
        transport = await Transport.from_text(text)
        await transport.close()

    try:
        text = yaml.safe_dump(document)
    except (UnicodeEncodeError, ValueError):
        return
    try:
        asyncio.run(load(text))
    except TerminalError as error:
        assert error.reason == "StorageRefused"
        assert SECRET not in str(error)


# --- changes of files ----------------------------------------------------------------------------------------------------------
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{n}: &{n} [{','.join(['*' + p] * 9)}]\n" for p, n in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("old", "data"), [(BOMB, "z: 1"), ("z: 1", BOMB), (BOMB, BOMB)])
def test_a_config_that_grows_without_end(old, data):
    try:
        assert len(apply_config(old, ConfigChange("etc/a", data, "merge"))) < 1 << 20
    except ConfigError as error:
        assert str(error)


@quick
@given(anything)
def test_json_of_a_config_document(value):
    try:
        ConfigChange.from_document({"kind": "Config", "spec": value})
    except ConfigError as error:
        assert str(error)
