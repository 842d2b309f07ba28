"""The parts that commands are made of."""

import fcntl
import logging
import os
import subprocess
import sys

import pytest

from sealcluster.cli import busy, logs
from sealcluster.cli.columns import columns, table
from sealcluster.cli.failures import spoken
from sealcluster.cli.observer import NoImages, Observer
from sealcluster.cli.outside import RealOutside
from sealcluster.cli.records import Records, Settings, choose, known
from sealcluster.cli.session import desired_of
from sealcluster.core.errors import StateConflict, TerminalError, TransientError
from sealcluster.core.ports import PKI, PullAuth
from sealcluster.core.state import StateRecord


@pytest.fixture
def fresh_logging():
    yield
    for handler in list(logs._open):
        logging.getLogger().removeHandler(handler)
        handler.close()
    logs._open.clear()


def test_columns_are_aligned_and_empty_ones_left_out():
    assert columns([["a", "", "b"], ["long", "", "c"]], "- ") == ["- a     b", "- long  c"]
    assert columns([]) == []
    assert table(("ONE", "TWO", "THREE"), [["1", "", "3"]]) == ["ONE  THREE", "1    3"]


def test_hints_are_said_in_the_words_of_the_command_line():
    hint = "or, if it is gone: kubectl annotate sealcluster x sealcluster.io/acknowledge-lost=w1=abc"
    assert spoken(hint) == "or, if it is gone: sealcluster retry x --acknowledge-lost w1=abc"


async def test_an_observer_changes_nothing(tmp_path):
    records = Records(tmp_path, "one")
    record = StateRecord("id", fence=3)
    version = await records.management.save_state(record, "")
    observer = Observer(records.management, {("Secret", "s"): {"password": "typed"}})
    found, first = await observer.load_state()
    assert found == record
    second = await observer.save_state(StateRecord("id", fence=4), first)
    assert (await observer.load_state())[0].fence == 4
    with pytest.raises(StateConflict):
        await observer.save_state(record, first)
    assert second != first
    assert await records.management.load_state() == (record, version)
    assert (await observer.credentials("s")).password == "typed"
    with pytest.raises(TerminalError):
        await observer.credentials("other")
    pair = ("a", "b")
    for refused in (observer.purge(), observer.save_kubeconfig("x"), observer.create_pki(PKI(pair, pair, pair, pair))):
        with pytest.raises(TerminalError, match="this is only a look"):
            await refused
    with pytest.raises(TransientError):
        await NoImages().resolve("a", "b", "amd64", PullAuth())


async def test_an_observer_merges_what_was_typed_with_what_is_stored(tmp_path):
    records = Records(tmp_path, "one")
    await records.management.put("Secret", "stored", {".dockerconfigjson": '{"auths": {"a.example": {"username": "u", "password": "p"}}}'})
    typed = {
        ("Secret", "typed"): {
            ".dockerconfigjson": '{"auths": {"a.example": {"username": "x", "password": "y"}, "b.example": {"username": "v", "password": "q"}}}'
        }
    }
    observer = Observer(records.management, {**typed, ("ConfigMap", "c"): {"k": "v"}})
    assert (await observer.pull_auth(["stored", "typed"])).auths == {"a.example": ("u", "p"), "b.example": ("v", "q")}
    assert await observer.text("ConfigMap", "c", "k") == "v"


def test_settings_grow():
    settings = Settings(("a",)).overlaid(("b", "a"), None)
    assert settings.insecure_registries == ("a", "b")


def test_which_cluster_is_meant(tmp_path):
    assert known(tmp_path / "none") == []
    with pytest.raises(TerminalError, match="none is known"):
        choose(tmp_path, None)
    for name in ("one", ".store", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "one/state.json").touch()
    (tmp_path / ".store/state.json").touch()
    assert known(tmp_path) == ["one"]
    assert choose(tmp_path, None) == "one"
    with pytest.raises(TerminalError, match="nothing is known about it"):
        Records(tmp_path, "two").require()


def test_a_document_that_cannot_be_read_is_said_and_kept(tmp_path):
    (tmp_path / "one").mkdir()
    path = tmp_path / "one/cluster.yaml"
    for text in ("a: [", "", "kind: SealCluster"):
        path.write_text(text)
        with pytest.raises(TerminalError, match=r"cluster\.yaml"):
            Records(tmp_path, "one").require()
        assert path.read_text() == text


def test_the_lock_is_free_after_use_and_after_a_crash(tmp_path):
    with busy.working(tmp_path / "one", "run"):
        assert "sealcluster run" in busy.holder(tmp_path / "one")
    assert busy.holder(tmp_path / "one") == ""
    script = "import sys,pathlib; from sealcluster.cli import busy; busy.working(pathlib.Path(sys.argv[1]), 'run').__enter__(); import os; os._exit(1)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "one")], check=False, env=environment, timeout=60)
    with busy.working(tmp_path / "one", "run"):
        pass


def test_a_lock_on_a_directory_that_was_removed_meanwhile_is_taken_anew(tmp_path, monkeypatch):
    real, removed = fcntl.flock, []

    def late(descriptor, operation):
        real(descriptor, operation)
        if not removed:
            removed.append(1)
            (tmp_path / "one/busy").unlink()

    monkeypatch.setattr(busy.fcntl, "flock", late)
    with busy.working(tmp_path / "one", "run"):
        assert (tmp_path / "one/busy").exists()
    assert removed


def test_logs_go_to_the_file_without_secrets(tmp_path, fresh_logging, capsys):
    file = tmp_path / "deep" / "log"
    logs.configure(file, 0)
    assert logs.where() is None
    log = logging.getLogger("sealcluster.engine")
    log.debug("too much")
    log.warning("token abcdef.0123456789abcdef", extra={"host": "m1"})
    text = file.read_text()
    assert "WARNING host=m1 token ***" in text
    assert "too much" not in text
    assert logs.where() == file
    assert capsys.readouterr().err == ""


def test_a_log_that_grew_is_put_aside(tmp_path, fresh_logging, monkeypatch):
    file = tmp_path / "log"
    monkeypatch.setattr(logs, "LARGEST", 10)
    file.write_text("x" * 11)
    logs.configure(file, 0)
    logging.getLogger("sealcluster.engine").info("fresh")
    assert (tmp_path / "log.1").read_text() == "x" * 11
    assert "fresh" in file.read_text()


def test_a_log_that_cannot_be_written_is_said_once(tmp_path, fresh_logging, capsys):
    (tmp_path / "file").touch()
    logs.configure(tmp_path / "file" / "log", 0)
    for _ in range(3):
        logging.getLogger("sealcluster.engine").info("lost")
    assert capsys.readouterr().err.count("writing the log") == 1


def test_a_signal_ends_the_work_like_ctrl_c():
    script = (
        "import asyncio, os, signal\n"
        "from sealcluster.cli.outside import RealOutside\n"
        "async def work():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    try:\n"
        "        await asyncio.sleep(60)\n"
        "    finally:\n"
        "        print('tidied up')\n"
        "try:\n"
        "    RealOutside().run(work())\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert done.stdout == "tidied up\ninterrupted\n", done.stderr


def test_real_adapters_keep_their_content_beside_the_records(tmp_path):
    async def work():
        opened = RealOutside().open(tmp_path / "state", Settings(("r.example:5000",)))
        ports = opened.ports(Records(tmp_path, "one").management)
        await opened.close()
        return ports

    ports = RealOutside().run(work())
    assert ports.images._settings.store == tmp_path / "state/.store"
    assert ports.images._settings.plain_http == {"r.example:5000"}


def test_a_lost_machine_is_added_to_those_of_the_manifest(cli):
    from sealcluster.api import parse

    document = {"metadata": {"name": "x", "annotations": {"sealcluster.io/acknowledge-lost": "a=1"}}, "spec": {}}
    document["spec"] = {
        "images": [{"name": "k", "ref": "k"}],
        "hosts": [{"name": "a", "address": "10.0.0.1", "roles": ["master"]}],
    }
    desired = desired_of(parse(document), {"b": "2"})
    assert desired.annotations["sealcluster.io/acknowledge-lost"] == "a=1,b=2"


def test_a_command_without_a_log_says_what_is_wrong_once(tmp_path):
    """In a process of its own: pytest hears what is logged."""
    (tmp_path / "file").write_text("kind: Cluster\nspec: 3\n")
    script = f"import sys; sys.argv = ['sealcluster', 'convert', '-f', {str(tmp_path / 'file')!r}]; from sealcluster.cli.main import main; main()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (2, "sealcluster: spec: must be a map\n")


def test_a_kubeconfig_that_is_not_there_is_told_as_such(tmp_path):
    async def work():
        async with RealOutside().plane(tmp_path / "nope", None):
            raise AssertionError("there is no such plane")

    with pytest.raises(TerminalError, match=rf"reading the kubeconfig {tmp_path}/nope: there is no such file"):
        RealOutside().run(work())
