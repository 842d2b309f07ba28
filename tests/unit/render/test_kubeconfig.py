"""The admin kubeconfig as text."""

import base64

import yaml

from sealcluster.render.kubeconfig import admin_kubeconfig

TEXT = admin_kubeconfig("demo", "https://10.0.0.11:6443", "apiserver.cluster.local", "CA\n" * 200, "CERTIFICATE\n" * 200, "KEY\n" * 200)


def test_it_embeds_everything_on_single_lines():
    document = yaml.safe_load(TEXT)
    user = document["users"][0]["user"]
    assert base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"]) == b"CA\n" * 200
    assert base64.b64decode(user["client-certificate-data"]) == b"CERTIFICATE\n" * 200
    assert base64.b64decode(user["client-key-data"]) == b"KEY\n" * 200
    assert sum("-data:" in line and len(line) > 100 for line in TEXT.splitlines()) == 3


def test_the_names_tell_clusters_apart_when_files_are_merged():
    document = yaml.safe_load(TEXT)
    assert document["current-context"] == "demo-admin@demo"
    assert document["contexts"] == [{"name": "demo-admin@demo", "context": {"cluster": "demo", "user": "demo-admin"}}]
    assert document["clusters"][0]["cluster"]["server"] == "https://10.0.0.11:6443"
    assert document["clusters"][0]["cluster"]["tls-server-name"] == "apiserver.cluster.local"


def test_the_same_input_is_the_same_text():
    again = admin_kubeconfig(
        "demo", "https://10.0.0.11:6443", "apiserver.cluster.local", "CA\n" * 200, "CERTIFICATE\n" * 200, "KEY\n" * 200
    )
    assert again == TEXT
