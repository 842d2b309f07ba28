"""The report of preflight as one page: no script, nothing from elsewhere, every word escaped; light or dark as the reader likes, fit for paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from sealcluster.core.policies.preflight import CLUSTER, Check

OPEN_UP_TO = 40
"""Hosts up to which every table is open; of more, only those with something to tell."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --page: #f6f8fa; --card: #ffffff;
  --good: #1a7f37; --bad: #cf222e; --warn: #9a6700; --bad-tint: #fff1f0; --warn-tint: #fff8e1; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4ae; --line: #30363d; --page: #0d1117; --card: #161b22;
  --good: #3fb950; --bad: #ff7b72; --warn: #d29922; --bad-tint: #2d1618; --warn-tint: #272115; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 72rem; margin: 0 auto; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .75rem; }
.when { color: var(--soft); margin: .25rem 0 0; }
.sums { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0 0; padding: 0; list-style: none; }
.sums li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6rem 1rem; min-width: 7.5rem; }
.sums b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.sums span { color: var(--soft); font-size: .85rem; }
.bad b, .bad .mark { color: var(--bad); } .warn b, .warn .mark { color: var(--warn); } .good b, .good .mark { color: var(--good); }
.todo { margin: 0; padding: 0; list-style: none; }
.todo li { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 6px;
  padding: .6rem .9rem; margin: 0 0 .5rem; overflow-wrap: anywhere; break-inside: avoid; }
.todo li.warn { border-left-color: var(--warn); }
.todo .who { font-weight: 600; } .todo .fix { color: var(--soft); display: block; }
details { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 0 0 .75rem; }
summary { cursor: pointer; padding: .6rem .9rem; font-weight: 600; overflow-wrap: anywhere; }
summary span { font-weight: 400; color: var(--soft); margin-left: .5rem; }
summary .bad { color: var(--bad); } summary .warn { color: var(--warn); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem; border-top: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; }
th:nth-child(1) { width: 11rem; } th:nth-child(2) { width: 7rem; } th:nth-child(3), th:nth-child(4) { width: 18rem; }
td.value { min-width: 7rem; } td.told { min-width: 12rem; }
td.id, td.mark { white-space: nowrap; } td.value { font-family: ui-monospace, "Liberation Mono", Menlo, monospace; font-size: .82rem; }
tr.bad { background: var(--bad-tint); } tr.warn { background: var(--warn-tint); } td.mark { font-weight: 600; }
footer { color: var(--soft); font-size: .85rem; margin: 2rem 0 0; }
@media print { :root { --ink: #000; --soft: #444; --line: #bbb; --page: #fff; --card: #fff; --good: #1a7f37; --bad: #b00020; --warn: #7a5200;
  --bad-tint: #fff; --warn-tint: #fff; } body { padding: 0; font-size: 11px; } tr { break-inside: avoid; } h2, summary { break-after: avoid; } }
"""


def page(cluster: str, results: Sequence[Check], when: str) -> str:
    """The whole document. `when`: the time of the look, for people."""
    failed, warned = [c for c in results if c.blocks], [c for c in results if not c.ok and not c.blocks]
    hosts = list(dict.fromkeys(c.host for c in results if c.host))
    title = f"Preflight of {cluster}"
    return "\n".join([
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style></head><body><main>",
        f"<header><h1>{escape(title)}: {escape(_verdict(failed, warned))}</h1>",
        f'<p class="when">Looked at on {escape(when)}. Nothing on any machine was changed.</p></header>',
        '<ul class="sums">',
        _sum(len(hosts), "machines", ""),
        _sum(len(results), "checks", ""),
        _sum(len(failed), "failed", "bad" if failed else "good"),
        _sum(len(warned), "warnings", "warn" if warned else "good"),
        "</ul>",
        *_todo([*failed, *warned]),
        "<h2>All checks</h2>",
        *_tables(results, hosts),
        "<footer>Made by <code>sealcluster preflight --html</code>.</footer>",
        "</main></body></html>",
        "",
    ])  # fmt: skip


def _verdict(failed: Sequence[Check], warned: Sequence[Check]) -> str:
    if failed:
        return f"{len(failed)} check{'s' if len(failed) != 1 else ''} failed"
    return "passed, with warnings" if warned else "passed"


def _sum(number: int, what: str, kind: str) -> str:
    return f'<li class="{kind}"><b>{number}</b><span>{what}</span></li>'


def _todo(checks: Sequence[Check]) -> Iterable[str]:
    if not checks:
        return
    yield "<h2>What to do</h2>"
    yield '<ul class="todo">'
    for check in checks:
        who = check.host if check.host and check.scope != CLUSTER else "the cluster"
        fix = f'<span class="fix">{"→ " + escape(check.fix)}</span>' if check.fix else ""
        yield f'<li class="{_kind(check)}"><span class="who">{escape(who)}</span>: {escape(_without(check.message, who))}{fix}</li>'
    yield "</ul>"


def _tables(results: Sequence[Check], hosts: Sequence[str]) -> Iterable[str]:
    by_host: dict[str, list[Check]] = {}
    for check in results:
        by_host.setdefault(check.host, []).append(check)
    for name in [*([""] if "" in by_host else []), *hosts]:
        own = by_host.get(name, [])
        failed, warned = sum(c.blocks for c in own), sum(not c.ok and not c.blocks for c in own)
        told = [
            *([f'<span class="bad">{failed} failed</span>'] if failed else []),
            *([f'<span class="warn">{warned} warning{"s" if warned != 1 else ""}</span>'] if warned else []),
        ]
        is_open = " open" if told or len(hosts) <= OPEN_UP_TO else ""
        yield f"<details{is_open}><summary>{escape(name or 'the cluster')}{''.join(told) or '<span>passed</span>'}</summary>"
        yield '<div class="scroll"><table><thead><tr><th>Check</th><th>Result</th><th>Found</th><th>Needed</th><th></th></tr></thead><tbody>'
        yield from (_row(check, name) for check in own)
        yield "</tbody></table></div></details>"


def _row(check: Check, host: str) -> str:
    mark = "✓ ok" if check.ok else "✗ failed" if check.blocks else "! warning"
    told = "<td></td>" if check.ok else f'<td class="told">{escape(_without(check.message, host))}</td>'
    return (
        f'<tr class="{_kind(check)}"><td class="id">{escape(check.id)}</td><td class="mark">{mark}</td><td class="value">{escape(check.value)}</td>'
        f'<td class="value">{escape(check.limit)}</td>{told}</tr>'
    )


def _kind(check: Check) -> str:
    return "good" if check.ok else "bad" if check.blocks else "warn"


def _without(message: str, who: str) -> str:
    """The message, which may begin with the host's name that stands beside it already."""
    return message.removeprefix(f"{who}: ")
