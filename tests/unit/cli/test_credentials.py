"""Where credentials come from and which of them win."""

import pytest

from sealcluster.cli.credentials import complete, typed
from sealcluster.cli.options import Login
from sealcluster.core.errors import TerminalError


def test_files_are_read_and_line_ends_of_passwords_dropped(tmp_path):
    for name in ("key", "pass", "sudo", "phrase", "known"):
        (tmp_path / name).write_text(f"{name}\n")
    login = Login(
        key=tmp_path / "key",
        password_file=tmp_path / "pass",
        become_password_file=tmp_path / "sudo",
        passphrase_file=tmp_path / "phrase",
        known_hosts=tmp_path / "known",
    )
    assert typed(login) == {
        "ssh-privatekey": "key\n",
        "password": "pass",
        "become-password": "sudo",
        "passphrase": "phrase",
        "known_hosts": "known\n",
    }


def test_a_key_that_is_no_text(tmp_path):
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    with pytest.raises(TerminalError, match="it is not text"):
        typed(Login(key=tmp_path / "key"))


@pytest.mark.parametrize("option", ["key", "passphrase_file", "password_file", "become_password_file"])
def test_an_empty_secret_is_a_mistake_and_not_a_reason_to_take_another_one(tmp_path, option):
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(TerminalError, match=rf"from {tmp_path}/empty: it is empty"):
        typed(Login(**{option: tmp_path / "empty"}))


def test_standard_input_can_be_read_once_only(cli):
    cli.machines("m1")
    words = ["--masters", "10.0.0.11", "--password-file", "-", "--become-password-file", "-"]
    done = cli("run", "x", *words, stdin="secret\n")
    assert done.code == 2
    assert "reading sudo's password from standard input: it is empty; only one option can read standard input" in done.err


@pytest.mark.parametrize(
    "words", [("convert", "-f"), ("apply", "-f"), ("plan", "-f"), ("gen", "x", "--masters", "10.0.0.1", "--config-file")]
)
def test_a_file_that_is_no_text_is_told_by_name(cli, words):
    (cli.folder / "file").write_bytes(b"\xff\xfe")
    done = cli(*words, str(cli.folder / "file"))
    assert (done.code, done.err) == (2, f"sealcluster: reading {cli.folder}/file: it is not text\n")


@pytest.mark.parametrize(
    ("data", "stored", "given", "found"),
    [
        ({}, {"password": "a"}, {}, {"password": "a"}),
        (
            {"password": "b"},
            {"ssh-privatekey": "k", "passphrase": "p", "become-password": "s"},
            {},
            {"become-password": "s", "password": "b"},
        ),
        ({"ssh-privatekey": "k"}, {"password": "a"}, {}, {"ssh-privatekey": "k"}),
        ({"become-password": "s"}, {"password": "a"}, {}, {"password": "a", "become-password": "s"}),
        ({}, {"password": "a"}, {"password": "m"}, {"password": "m"}),
        ({"password": "t"}, {"password": "a"}, {"password": "m", "username": "u"}, {"password": "t", "username": "u"}),
    ],
)
def test_which_wins(tmp_path, data, stored, given, found):
    assert complete(data, stored, given, tmp_path) == (found, "")


def test_the_default_key_is_taken_where_nothing_is_said(tmp_path):
    (tmp_path / ".ssh").mkdir()
    assert complete({}, {}, {}, tmp_path) == ({}, "")
    for name in ("id_rsa", "id_ed25519"):
        (tmp_path / ".ssh" / name).write_text(name)
    assert complete({}, {}, {}, tmp_path) == ({"ssh-privatekey": "id_ed25519"}, f"{tmp_path}/.ssh/id_ed25519")


def test_a_password_can_be_asked_for(cli):
    machines = cli.machines("a")
    machines["a"].login.password = "typed by hand"
    done = cli(
        "run",
        "registry.example/kubernetes:v1.34.4",
        "registry.example/cni:v1",
        "--masters",
        "10.0.0.11",
        "--ask-password",
        stdin="typed by hand\n",
    )
    assert done.code == 0, done.err
    assert "typed by hand" not in done.out + done.err


def test_secrets_of_the_manifest_are_used(cli):
    cli.machines("a")
    file = cli.folder / "all.yaml"
    file.write_text(
        cli("gen", "registry.example/kubernetes:v1.34.4", "registry.example/cni:v1", "--masters", "10.0.0.11").out
        + "---\n{apiVersion: v1, kind: Secret, metadata: {name: cli}, data: {password: c2VjcmV0}}\n"
        + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: more}, data: {a: b}}\n"
    )
    assert cli("apply", "-f", str(file)).code == 0
    assert (cli.state / "default/configmaps/more.json").read_text() == '{"a": "b"}'
    assert cli("status").code == 0
