"""The audit of dependencies against services and files that the tests bring along: what it finds, what is explained, and that silence is no success."""

import http.server
import json
import re
import threading
import zipfile
from contextlib import contextmanager
from datetime import date

import audit
import audit_database
import pytest

TODAY = date(2026, 6, 1)
ADVISORY = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2026-0001"],
    "summary": "it breaks",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "leaky"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "1.5"}]}],
        }
    ],
}


@pytest.fixture
def pinned(tmp_path):
    path = tmp_path / "pins.txt"
    path.write_text("# pins\nleaky==1.4\nsound==2.0  # nothing is known of it\n")
    return path


@contextmanager
def service(answer):
    """An advisory service on loopback. `answer`: status and content for a query."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, content = answer(query)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()


def knowing(query):
    known = query["package"]["name"] == "leaky" and query["version"] == "1.4"
    return 200, {"vulns": [ADVISORY]} if known else {}


def exceptions(tmp_path, until=None, package="leaky"):
    path = tmp_path / "audit.toml"
    row = f'[[ignore]]\nid = "CVE-2026-0001"\npackage = "{package}"\nreason = "the leak is never opened by us"\nuntil = {until}\n'
    path.write_text(row if until else "")
    return path


@pytest.fixture(params=["service", "file", "list", "zip"])
def source(request, tmp_path):
    """Options that lead to the advisory."""
    if request.param == "service":
        with service(knowing) as url:
            yield ["--osv-url", url]
        return
    path = tmp_path / f"advisories.{request.param}"
    if request.param == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("GHSA-aaaa-bbbb-cccc.json", json.dumps(ADVISORY))
            archive.writestr("README.md", "not an advisory")
    else:
        path.write_text(json.dumps([ADVISORY] if request.param == "list" else ADVISORY))
    yield ["--database", str(path)]


def test_a_vulnerability_is_found(source, pinned, tmp_path, capsys):
    assert audit.main([*source, str(pinned)], exceptions=exceptions(tmp_path), today=TODAY) == 1
    said = capsys.readouterr().out
    assert re.search("^vulnerable: leaky 1.4: (GHSA-aaaa-bbbb-cccc|CVE-2026-0001), fixed in 1.5$", said, re.MULTILINE), said
    assert "2 of 2 packages asked about, 1 vulnerabilities to look at, 0 explained" in said


def test_one_that_is_explained_is_no_failure(source, pinned, tmp_path, capsys):
    assert audit.main([*source, str(pinned)], exceptions=exceptions(tmp_path, "2026-06-01"), today=TODAY) == 0
    assert "0 vulnerabilities to look at, 1 explained" in capsys.readouterr().out


def test_an_explanation_expires(source, pinned, tmp_path, capsys):
    assert audit.main([*source, str(pinned)], exceptions=exceptions(tmp_path, "2026-05-31"), today=TODAY) == 1
    said = capsys.readouterr().out
    assert "vulnerable: leaky 1.4" in said
    assert "expired on 2026-05-31, judge it again: CVE-2026-0001 of leaky: the leak is never opened by us" in said
    assert "0 explained" in said


def test_an_explanation_that_nothing_needs_is_named(pinned, tmp_path, capsys):
    with service(lambda _query: (200, {})) as url:
        assert audit.main(["--osv-url", url, str(pinned)], exceptions=exceptions(tmp_path, "2026-12-31"), today=TODAY) == 0
    assert "no longer needed in audit.toml: CVE-2026-0001" in capsys.readouterr().out


def refusing(_query):
    return 503, {}


@pytest.mark.parametrize("how", ["refuses", "nobody there", "no such file", "no database"])
def test_silence_is_no_success(how, pinned, tmp_path, capsys):
    with service(refusing) as url:
        closed = url
        options = ["--osv-url", url]
        if how == "refuses":
            assert audit.main([*options, str(pinned)], exceptions=exceptions(tmp_path), today=TODAY) == audit.UNANSWERED
    empty = tmp_path / "empty.json"
    empty.write_text("[]")
    others = {
        "nobody there": ["--osv-url", closed],
        "no such file": ["--database", str(tmp_path / "missing.json")],
        "no database": ["--database", str(empty)],
    }
    if how in others:
        assert audit.main([*others[how], str(pinned)], exceptions=exceptions(tmp_path), today=TODAY) == audit.UNANSWERED
    said = capsys.readouterr().out
    assert "NOTHING WAS AUDITED: no advisory service answered" in said
    assert "packages asked about" not in said
    assert audit.UNANSWERED not in (0, audit.VULNERABLE, audit.INCOMPLETE)


def test_the_help_names_the_ways_out(capsys):
    with pytest.raises(SystemExit):
        audit.main(["--help"])
    said = capsys.readouterr().out
    for word in ("--osv-url", "--database", "Exit code 0", "3: no service answered"):
        assert word in said


@pytest.mark.parametrize(
    ("events", "versions", "concerned"),
    [
        ([{"introduced": "0"}], (), {"0.9", "1.4", "1.5", "2.0"}),
        ([{"introduced": "0"}, {"fixed": "1.5"}], (), {"0.9", "1.4"}),
        ([{"introduced": "1.0"}, {"last_affected": "1.5"}], (), {"1.4", "1.5"}),
        ([{"fixed": "1.0"}, {"introduced": "0"}, {"introduced": "1.5"}, {"fixed": "2.0"}], (), {"0.9", "1.5"}),
        ([], ("1.4",), {"1.4"}),
    ],
)
def test_versions_are_compared_as_an_advisory_means_them(events, versions, concerned):
    row = {
        "package": {"ecosystem": "PyPI", "name": "Leaky_Thing"},
        "versions": versions,
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    record = {"id": "X", "affected": [row]}
    found = {v for v in ("0.9", "1.4", "1.5", "2.0") if audit_database.concerns(record, "leaky-thing", v)}
    assert found == concerned


def test_an_advisory_about_another_ecosystem_or_one_that_was_withdrawn_is_none(tmp_path, pinned):
    path = tmp_path / "some.json"
    other = {"id": "Y", "affected": [{"package": {"ecosystem": "npm", "name": "leaky"}, "versions": ["1.4"]}]}
    sound = {"id": "Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "sound"}, "versions": ["1.0"]}]}
    path.write_text(json.dumps([other, sound, ADVISORY | {"withdrawn": "2026-01-01T00:00:00Z"}]))
    assert [row["vulns"] for row in audit_database.report(path, pinned)["dependencies"]] == [[], []]


def test_every_pin_of_ours_is_asked_about():
    found = audit_database.pins(audit.PINNED)
    assert len(found) == sum("==" in line for line in audit.PINNED.read_text().splitlines() if not line.startswith("#"))
    assert len(found) > 20
