"""Whatever a machine answers: facts, or one of the errors that are foreseen, and nothing that is larger or stranger than facts are."""

import asyncio
import json
import math
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcluster.core.errors import Fenced, SealError, TerminalError, TransientError
from sealcluster.core.ops import Job, PutFiles
from sealcluster.core.ports import FactsQuery, Fence
from sealcluster.host import port as host_port
from sealcluster.host import records, transfer
from sealcluster.host.etcd import parse_etcd
from sealcluster.host.facts import parse_facts
from sealcluster.host.jobs import JobRunner, Patience, Running
from sealcluster.host.layout import Layout
from sealcluster.host.port import SshHost
from sealcluster.ssh.connection import Output
from sealcluster.ssh.redact import Redactor
from unit.properties.strategies import as_json, deep, junk, mutated, quick

GOOD = {
    "machine-id": "0123456789abcdef0123456789abcdef",
    "hostname": "m1",
    "boot-id": "b",
    "uname": "6.1.0-18-amd64 x86_64",
    "date": "1700000000.123456789",
    "os": 'ID=debian\nVERSION_ID="12"',
    "systemd": "systemd 252 (252.38-1)",
    "cpus": "4",
    "memory": "MemTotal: 8000000 kB\nSwapTotal: 0 kB",
    "disks": "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 100 50 50 50% /\n/dev/a 100 50 50 50% /",
    "addresses": "2: eth0 inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0",
    "routes": "eth0 0000000A 00000000 0001 0 0 0 00FFFFFF 0 0 0",
    "mtu": "/sys/class/net/eth0/mtu 1500",
    "listening": "0016",
    "resolv": "nameserver 10.0.0.2",
    "leftovers": "/etc/kubernetes/admin.conf",
    "answers": "10.0.0.1 6443",
    "owner": "c0ffee m1",
    "fence": "c0ffee 3",
    "journal": "j1 1700000000 done claim " + "0" * 64 + " 1 0 .",
    "jobs": "running hosts " + "1" * 64 + " 1",
    "parts": "2" * 64,
    "managed": "3" * 64 + "  /etc/x",
    "digests": "3" * 64 + "  etc/x",
    "hosts": "# BEGIN sealcluster\n10.0.0.1 a\n# END sealcluster",
    "units": "Id=kubelet.service\nLoadState=loaded\nActiveState=active",
    "kubelet-conf": "",
    "manifests": "etcd.yaml",
    "certificate apiserver": "-----BEGIN CERTIFICATE-----",
    "kubeconfig admin.conf": "LS0tLS0=",
    "etcd-status": '[{"Status": {"header": {"cluster_id": 1, "member_id": 2}}}]',
    "etcd-members": '{"header": {"cluster_id": 1}, "members": [{"ID": 2, "name": "m1", "peerURLs": ["https://10.0.0.1:2380"]}]}',
}
ALL = FactsQuery(etcd=True, certificates=True, preflight=True)
NUMBERS = ("²", "9" * 30, "9" * 5000, "-1", "0x10", "1e400", "nan", "inf", "٣")


def printed(parts, nonce="N"):
    blocks = "".join(f"\n={nonce} {title}\n{content}" for title, content in parts.items())
    return f"{blocks}\n={nonce} end\n".encode(errors="surrogatepass")


class Line:
    """A connection whose other end answers what it likes."""

    name = "m1"
    commands = 0
    redact = Redactor()
    host_key = bastion_key = ""

    def __init__(self, answer):
        self.answer = answer

    async def execute(self, script, stdin=b"", **_):
        self.commands += 1
        return Output(0, self.answer, "", 1.0, 2.0)


def look(answer, monkeypatch_nonce="N"):
    host = SshHost("m1", Line(answer), Layout(), Patience())
    return asyncio.run(host.facts(ALL))


@pytest.fixture(autouse=True, scope="module")
def known_nonce():
    before = host_port.nonce, transfer.nonce
    host_port.nonce = transfer.nonce = lambda: "N"
    yield
    host_port.nonce, transfer.nonce = before


def check(facts):
    assert math.isfinite(facts.skew)
    assert len(facts.hostname) <= 253
    assert len(facts.machine_id) <= 64
    for text in (
        facts.hostname,
        facts.machine_id,
        facts.boot_id,
        facts.arch,
        facts.kernel,
        facts.os_id,
        facts.os_version,
        *facts.leftovers,
    ):
        assert text.isprintable()
        assert len(text) <= 300
    assert len(facts.leftovers) <= 100
    assert all(math.isfinite(entry.time) for entry in facts.journal.values())


def test_the_good_answer_is_understood():
    facts = look(printed(GOOD))
    check(facts)
    assert (facts.machine_id, facts.arch, facts.cpus, facts.fence) == (GOOD["machine-id"], "amd64", 4, 3)
    assert facts.etcd.members[0].name == "m1"
    assert facts.done("claim")


@quick
@given(st.sampled_from(sorted(GOOD)), st.text(max_size=80) | st.sampled_from(NUMBERS) | junk.map(lambda b: b.decode("latin1")))
def test_one_section_may_hold_anything(title, content):
    try:
        check(look(printed(GOOD | {title: content})))
    except TransientError as error:
        assert error.host == "m1"


@quick
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_one_word_may_be_anything(title, data):
    words = GOOD[title].split(" ")
    words[data.draw(st.integers(0, len(words) - 1))] = data.draw(st.sampled_from(NUMBERS) | st.text(max_size=10))
    try:
        check(look(printed(GOOD | {title: " ".join(words)})))
    except TransientError as error:
        assert error.host == "m1"


@quick
@given(junk)
def test_bytes_are_no_facts(answer):
    with pytest.raises(TransientError):
        look(answer)


def test_words_without_end_are_cut():
    check(look(printed(GOOD | {"hostname": "h" * 10**6, "machine-id": "i" * 10**6, "leftovers": "\n".join(["/x" * 1000] * 1000)})))


@pytest.mark.parametrize("evil", ["x; rm -rf /", "$(id)", "`id`", "a b", "a'b", "*", "a=b,c=d"])
def test_a_machine_id_can_be_pasted_into_a_shell(evil):
    facts = look(printed(GOOD | {"machine-id": evil, "boot-id": evil}))
    assert re.fullmatch("[0-9A-Za-z_-]+", facts.machine_id + facts.boot_id)


def test_an_answer_that_is_too_large_to_be_facts_is_refused():
    with pytest.raises(TransientError, match="MiB"):
        look(printed(GOOD | {"managed": "3" * (6 << 20)}))


@quick
@given(mutated(json.loads(GOOD["etcd-status"])), mutated(json.loads(GOOD["etcd-members"])))
def test_etcd_may_say_anything(status, members):
    found = parse_etcd(as_json(status).decode(), as_json(members).decode())
    assert found is None or all(isinstance(m.name, str) and isinstance(m.id, str) for m in found.members)


@quick
@given(deep)
def test_etcd_may_nest_as_it_likes(text):
    assert parse_etcd(text, text) is None


@quick
@given(st.lists(st.text(max_size=60), max_size=4), st.lists(st.text(max_size=60), max_size=4))
def test_no_journal_is_too_strange(journal, jobs):
    entries, running = records.journal_and_jobs(journal, jobs)
    assert all(math.isfinite(e.time) for e in entries.values())
    assert all(j.attempt >= 0 for j in running.values())


@pytest.mark.parametrize("number", NUMBERS)
def test_a_forged_number_tears_one_line_only(number):
    good = GOOD["journal"]
    for place in (1, 5, 6):
        words = good.replace("claim", "other").split(" ")
        words[place] = number
        entries, _ = records.journal_and_jobs([good, " ".join(words)], [f"ended other {'0' * 64} {number} {number}"])
        assert "claim" in entries
        assert all(math.isfinite(e.time) for e in entries.values())
    assert records.fence(f"c {number}") >= 0


# --- jobs ----------------------------------------------------------------------------------------------------------------------
RUNNING = Running("m1", Job("hosts", "1" * 64, PutFiles()), 1, Fence("c0ffee", 3))
TITLES = ("rc", "log", "out", "running", "other", "free", "fenced", "interrupted", "busy", "refused", "end")


def result(answer):
    return JobRunner(Line(b""), Layout(), Patience())._understood(RUNNING, answer)


@quick
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(TITLES), st.sampled_from(["", " 0", " 0 1.5", " x y", " ² nan", " 9" * 3])).map("".join), junk, max_size=4
    )
)
def test_an_answer_about_a_job_is_a_result_or_one_of_our_errors(answer):
    try:
        found = result(answer)
    except (TransientError, TerminalError, Fenced):
        return
    assert found is None or (math.isfinite(found.seconds) and found.log.replace("\n", "").replace("\t", "").isprintable())


def test_escape_sequences_of_a_machine_do_not_reach_a_terminal():
    found = result({"rc 1 2.0": b"", "log": b"\x1b[2J\x1b]0;title\x07 bad\rgood \xe2\x80\xae", "out": b""})
    assert "\x1b" not in found.log
    assert "\r" not in found.log
    assert "\u202e" not in found.log
    assert "bad" in found.log


# --- parts ---------------------------------------------------------------------------------------------------------------------
class Scripted:
    """A channel whose lines are given."""

    def __init__(self, lines):
        self.lines = list(lines)
        self.stderr = b""
        self.written = 0

    async def line(self):
        return self.lines.pop(0) if self.lines else None

    async def write(self, data):
        self.written += len(data)

    def end_input(self):
        pass


@quick
@given(
    st.lists(
        st.sampled_from(
            [
                b"have",
                b"busy",
                b"from 0",
                b"from 3",
                b"from -1",
                b"from 99",
                b"from",
                b"from x",
                b"stored",
                b"short",
                b"short 1 full",
                b"free",
                b"other c1 m9",
                b"",
                b"\xff",
            ]
        )
        | junk,
        max_size=3,
    )
)
def test_a_machine_may_answer_anything_while_a_part_is_sent(tmp_path_factory, lines):
    source = tmp_path_factory.getbasetemp() / "part"
    source.write_bytes(b"12345")
    channel = Scripted(lines)

    class Opened:
        async def __aenter__(self):
            return channel

        async def __aexit__(self, *_):
            return None

    connection = SimpleNamespace(name="m1", said=lambda *_: "", open=lambda *_, **__: Opened(), require_started=lambda *_: None)
    try:
        sent = asyncio.run(transfer.send(connection, Layout(), "0" * 64, source, "c0ffee"))
    except SealError as error:
        assert error.host == "m1"
    else:
        assert 0 <= sent <= 5
    assert channel.written <= 5


@quick
@given(junk)
def test_a_machine_lacks_only_what_it_was_asked_for(answer):
    asked = ["0" * 64, "1" * 64]
    found = asyncio.run(transfer.missing(Line(answer + b"\n" + b"0" * 64), Layout(), asked, ""))
    assert found <= frozenset(asked)


def test_parse_facts_is_what_the_tests_above_use():
    assert parse_facts(printed(GOOD), "N", ALL, 1.0, 2.0).hostname == "m1"
