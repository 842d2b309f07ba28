"""From options to a SealCluster."""

import pytest
import yaml

from sealcluster.cli.addresses import parse_addresses, parse_bastion
from sealcluster.cli.build_spec import build, image_name, reference
from sealcluster.cli.options import Shape
from sealcluster.core.errors import TerminalError

IMAGE = "registry.example/kubernetes:v1.34.4"


def shape(*images, **more):
    return Shape(list(images) or [IMAGE], **{"masters": "10.0.0.1", **more})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("10.0.0.1", [("10.0.0.1", None)]),
        ("10.0.0.1:2222, 10.0.0.2", [("10.0.0.1", 2222), ("10.0.0.2", None)]),
        ("10.0.0.254-10.0.1.1", [("10.0.0.254", None), ("10.0.0.255", None), ("10.0.1.0", None), ("10.0.1.1", None)]),
        ("10.0.0.8/30", [("10.0.0.9", None), ("10.0.0.10", None)]),
    ],
)
def test_addresses(text, found):
    assert parse_addresses(text, "--masters") == found


@pytest.mark.parametrize(
    "text",
    [
        "host",
        "10.0.0.300",
        "10.0.0.1:",
        "10.0.0.1:0",
        "10.0.0.1:99999",
        "10.0.0.9-10.0.0.1",
        "10.0.0.0-10.9.0.0",
        "10.0.0.0/8",
        "10.0.0.1/30",
        "::1",
    ],
)
def test_what_is_no_address(text):
    with pytest.raises(TerminalError, match="reading --nodes"):
        parse_addresses(text, "--nodes")


def test_an_address_twice():
    with pytest.raises(TerminalError, match=r"10\.0\.0\.2 is listed twice"):
        parse_addresses("10.0.0.1-10.0.0.3,10.0.0.2", "--nodes")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("jump.example", {"address": "jump.example"}),
        ("me@10.0.0.1:2222", {"address": "10.0.0.1", "port": 2222, "user": "me"}),
    ],
)
def test_bastions(text, found):
    assert parse_bastion(text) == found


def test_what_is_no_bastion():
    with pytest.raises(TerminalError, match=r"is not \[user@\]host\[:port\]"):
        parse_bastion("a@b@c")


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        ("registry.example:5000/labring/kubernetes:v1.34.4", "kubernetes"),
        ("kubernetes", "kubernetes"),
        ("registry.example/Calico_Net@sha256:" + "a" * 64, "calico-net"),
        ("oci-archive:/images/my.images.tar.gz:tag", "my-images"),
        ("docker-archive:/x/flannel.tar", "flannel"),
    ],
)
def test_names_of_images(ref, name):
    assert image_name(ref) == name


def test_two_images_of_one_name_are_told_apart():
    images = build(shape("a.example/app:1", "b.example/app:1"), None)["spec"]["images"]
    assert [i["name"] for i in images] == ["app", "app-2"]


def images(before, *refs):
    known = {"metadata": {"name": "default"}, "spec": {"images": [{"name": n, "ref": r} for n, r in before], "hosts": []}}
    return [(i["name"], i["ref"]) for i in build(shape(*refs), known)["spec"]["images"]]


def test_another_version_takes_the_place_of_the_one_from_the_same_repository():
    before = [("app", "a.example/app:1"), ("app-2", "b.example:5000/app:1")]
    assert images(before, "b.example:5000/app:2") == [("app", "a.example/app:1"), ("app-2", "b.example:5000/app:2")]
    assert images(before, "b.example:5000/app@sha256:" + "0" * 64)[1] == ("app-2", "b.example:5000/app@sha256:" + "0" * 64)


def test_another_version_takes_the_place_of_one_that_a_manifest_named():
    assert images([("network", "registry.example/calico:v3.29.0")], "registry.example/calico:v3.30.1") == [
        ("network", "registry.example/calico:v3.30.1")
    ]


def test_two_versions_in_one_command_are_two_images():
    assert images([("app", "a.example/app:1")], "a.example/app:2", "a.example/app:3") == [
        ("app", "a.example/app:2"),
        ("app-2", "a.example/app:3"),
    ]


def test_files_become_archives_with_absolute_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kubernetes.tar").touch()
    assert reference("kubernetes.tar", "docker-archive") == f"docker-archive:{tmp_path}/kubernetes.tar"
    assert reference("oci-archive:x.tar:tag", "oci-archive") == f"oci-archive:{tmp_path}/x.tar:tag"
    assert reference("nothing.tar", "oci-archive") == "nothing.tar"
    with pytest.raises(TerminalError, match="--transport"):
        reference("kubernetes.tar", "tar")


def test_a_whole_new_cluster():
    found = build(
        shape(
            IMAGE,
            "registry.example/app:v1",
            masters="10.0.0.1,10.0.0.2:2222",
            nodes="10.0.0.3",
            name="one",
            user="ops",
            port=23,
            env=["A=1", "B=x=y"],
            bastion="jump.example",
            pod_subnet="10.128.0.0/16",
            strict_host_keys=True,
        ),
        None,
        known_hosts=True,
    )
    assert found["metadata"] == {"name": "one"}
    assert found["spec"] == {
        "images": [{"name": "kubernetes", "ref": IMAGE}, {"name": "app", "ref": "registry.example/app:v1"}],
        "hosts": [
            {"name": "one-m1", "address": "10.0.0.1", "roles": ["master"]},
            {"name": "one-m2", "address": "10.0.0.2", "roles": ["master"], "port": 2222},
            {"name": "one-w1", "address": "10.0.0.3", "roles": ["node"]},
        ],
        "ssh": {
            "user": "ops",
            "port": 23,
            "bastion": {"address": "jump.example"},
            "credentialsSecretRef": {"name": "cli"},
            "hostKeys": {"policy": "Strict", "knownHostsSecretRef": {"name": "cli", "key": "known_hosts"}},
        },
        "env": {"A": "1", "B": "x=y"},
        "network": {"podSubnet": "10.128.0.0/16"},
    }


def test_a_known_cluster_keeps_what_it_has_and_gets_what_is_new():
    before = build(shape(env=["A=1"], user="ops"), None)
    before["spec"]["hosts"][0]["name"] = "boss"
    found = build(
        shape("registry.example/kubernetes:v1.34.5", "registry.example/app:v1", masters="", nodes="10.0.0.9", env=["B=2"]), before
    )
    spec = found["spec"]
    assert [(i["name"], i["ref"]) for i in spec["images"]] == [
        ("kubernetes", "registry.example/kubernetes:v1.34.5"),
        ("app", "registry.example/app:v1"),
    ]
    assert [h["name"] for h in spec["hosts"]] == ["boss", "default-w1"]
    assert spec["env"] == {"A": "1", "B": "2"}
    assert spec["ssh"]["user"] == "ops"
    assert build(shape(masters="10.0.0.1"), before) == before


def test_names_that_are_taken_are_not_given_again():
    before = build(shape(nodes="10.0.0.5,10.0.0.6"), None)
    del before["spec"]["hosts"][1]
    added = build(shape(nodes="10.0.0.7"), before)["spec"]["hosts"]
    assert [h["name"] for h in added] == ["default-m1", "default-w2", "default-w1"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"masters": ""}, "a new cluster needs at least one"),
        ({"nodes": "10.0.0.1"}, "10.0.0.1 is in both"),
        ({"env": ["A"]}, "reading --env: 'A' is not NAME=value"),
    ],
)
def test_refusals(more, says):
    with pytest.raises(TerminalError, match=says):
        build(shape(**more), None)


def test_a_role_is_not_changed_by_the_way():
    before = build(shape(nodes="10.0.0.2"), None)
    with pytest.raises(TerminalError, match=r"10\.0\.0\.2 is host default-w1 with the roles node"):
        build(shape(masters="10.0.0.2"), before)


def test_config_files_are_taken_as_sealos_takes_them(tmp_path):
    file = tmp_path / "more.yaml"
    documents = [
        {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "maxPods": 50},
        {"apiVersion": "apps.sealos.io/v1beta1", "kind": "Config", "spec": {"path": "etc/x", "data": "y", "match": IMAGE}},
    ]
    file.write_text(yaml.safe_dump_all(documents))
    spec = build(shape(config_file=[file]), None)["spec"]
    assert spec["kubeadm"] == {"kubelet": documents[0]}
    assert spec["configs"] == [{"path": "etc/x", "strategy": "override", "data": "y", "match": "kubernetes"}]
    again = build(shape(config_file=[file]), {"metadata": {"name": "default"}, "spec": spec})["spec"]
    assert again["configs"] == spec["configs"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "it is not YAML in line"),
        ("a: 2026-13-41", "it is not YAML"),
        ("kind: Pod", "document 1 is neither"),
        ("kind: Config\nspec: [a]", "document 1 is a Config whose spec is no map"),
        ("kind: Config\nspec: {path: a, data: b, match: c}", "matches c, which is none of the images"),
    ],
)
def test_config_files_that_are_something_else(tmp_path, text, says):
    file = tmp_path / "more.yaml"
    file.write_text(text)
    with pytest.raises(TerminalError, match=says):
        build(shape(config_file=[file]), None)
