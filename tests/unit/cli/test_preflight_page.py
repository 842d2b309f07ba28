"""The page of preflight: everything on it, nothing from elsewhere, nothing that a machine says becomes markup."""

from html.parser import HTMLParser

import pytest

from sealcluster.cli.preflight_page import OPEN_UP_TO, page
from sealcluster.core.policies.preflight import CLUSTER, WARNING, Check

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</td></table></main><h1>all is well</h1>",
    "&lt;b&gt; &amp;",
    "</style><style>*{display:none}",
    "<!-- ",
    "]]>",
    "javascript:alert(1)",
    "\x00\x1b[31mred",
]


class Reader(HTMLParser):
    """Elements, attributes and text as a browser would have them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data


def check(host="w1", id="cpu", ok=False, message="w1: 1 CPUs, 2 needed", **more):
    return Check(host, id, ok, message, value="1", limit="2", fix="give the machine more CPUs", **more)


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_that_is_said_becomes_markup(nasty):
    plain = Reader(page("c", [check(), check("m1", ok=True)], "now"))
    hostile = Check(nasty, nasty, False, nasty, nasty, nasty, nasty, nasty)
    for checks in ([hostile, check()], [check(), Check(nasty, "cpu", True, nasty, value=nasty, limit=nasty)]):
        found = Reader(page(nasty, checks, "now"))
        assert found.open == []
        assert set(found.tags) <= set(plain.tags)
        assert found.tags.count("h1") == found.tags.count("style") == found.tags.count("main") == 1
        assert {name for name, _ in found.attributes} <= {name for name, _ in plain.attributes}
        assert not any(nasty in (value or "") for _, value in found.attributes)
        assert found.text.count(nasty) >= 3


def test_it_stands_alone():
    text = page("demo", [check(), check("m1", ok=True)], "2026-01-31 at 12:00 UTC")
    found = Reader(text)
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert not {"script", "link", "img", "iframe", "object", "form", "a", "base"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name in ("src", "href", "style") or name.startswith("on")]
    for word in ("http:", "https:", "url(", "@import", "@font-face"):
        assert word not in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert 'lang="en"' in text


def test_what_it_says():
    warned = check("w2", "masters", message="2 masters", level=WARNING, scope=CLUSTER)
    text = Reader(page("demo", [check(), check("m1", "disk", ok=True), warned], "now")).text
    assert "Preflight of demo: 1 check failed" in text
    assert "w1: 1 CPUs, 2 needed" in text
    assert "w1: w1" not in text
    assert "→ give the machine more CPUs" in text
    assert "the cluster: 2 masters" in text
    for words in ("✗ failed", "✓ ok", "! warning"):  # not by colour alone
        assert words in text
    assert "passed" in Reader(page("demo", [check(ok=True)], "now")).text


def test_of_many_machines_only_those_with_something_to_tell_are_open():
    checks = [check(f"w{n}", ok=n != 7) for n in range(OPEN_UP_TO + 1)]
    found = Reader(page("demo", checks, "now"))
    assert found.attributes.count(("open", None)) == 1
    assert len(page("demo", [check(f"w{n}", str(i), ok=True) for n in range(2000) for i in range(18)], "now")) < 8_000_000


def test_the_command_writes_it(cli):
    machines = cli.machines("a")
    machines["a"].hardware.cpus = 1
    machines["a"].hostname = "<b>a</b>"
    manifest = cli.folder / "cluster.yaml"
    from sealcluster.testing.model.images import ROOTFS

    manifest.write_text(cli("gen", ROOTFS, "--masters", "10.0.0.11").out)
    target = cli.folder / "report.html"
    done = cli("preflight", "-f", str(manifest), "--password-file", str(cli.password), "--html", str(target))
    assert done.code == 3
    assert "1 CPUs, 2 needed" in done.out
    text = target.read_text()
    assert "Preflight of default: 1 check failed" in text
    assert "&lt;b&gt;a&lt;/b&gt;" in text
    assert "<b>a</b>" not in text
