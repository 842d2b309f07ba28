"""Write what of the chart is made from other files, or with --check say whether it is up to date.

The template of the CustomResourceDefinition comes from crds/, the table of values in the chart's README from values.yaml and its comments.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "charts" / "sealcluster"
CRD = ROOT / "crds" / "sealclusters.sealcluster.io.yaml"
TEMPLATE = CHART / "templates" / "crd.yaml"
README = CHART / "README.md"
BEGIN, END = "<!-- values: written by hack/gen_chart.py -->", "<!-- end of values -->"

_NAME = "metadata:\n  name: sealclusters.sealcluster.io\n"
_METADATA = """\
  labels: {{- include "sealcluster.labels" . | nindent 4 }}
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
"""


def template() -> str:
    """The CRD as a template: word for word, with labels and the annotation that keeps it."""
    text = CRD.read_text().split("\n", 1)[1].replace("{{", '{{ "{{" }}')
    if text.count(_NAME) != 1:
        raise ValueError(f"making {TEMPLATE.name}: {CRD.name} does not begin as expected")
    text = text.replace(_NAME, _NAME + _METADATA)
    return f"{{{{- /* Generated from crds/ by hack/gen_chart.py; do not edit. */}}}}\n{{{{- if .Values.crds.enabled }}}}\n{text}{{{{- end }}}}\n"


def readme() -> str:
    """The README with the table of today's values."""
    before, rest = README.read_text().split(BEGIN)
    after = rest.split(END)[1]
    rows = "".join(f"| `{name}` | `{_cell(default)}` | {_cell(text)} |\n" for name, default, text in values())
    return f"{before}{BEGIN}\n\n| value | default | what |\n|---|---|---|\n{rows}\n{END}{after}"


def values() -> Iterator[tuple[str, str, str]]:
    """(dotted name, default as JSON-like YAML, comment) of every value that has a comment; ValueError names one without."""
    text = (CHART / "values.yaml").read_text()
    yield from _values(yaml.compose(text), text.splitlines(), yaml.safe_load(text), "")


def _values(node: Any, lines: list[str], data: Any, prefix: str) -> Iterator[tuple[str, str, str]]:
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        default = data[key.value]
        comment = _comment(lines, key.start_mark.line)
        if comment:
            yield name, yaml.safe_dump(default, default_flow_style=True, width=10**6).removesuffix("\n").removesuffix("\n..."), comment
        elif isinstance(default, dict) and default:
            yield from _values(value, lines, default, f"{name}.")
        else:
            raise ValueError(f"reading values.yaml: {name} has no comment")


def _comment(lines: list[str], line: int) -> str:
    """The comment lines right above a key."""
    words: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        words.insert(0, lines[line].lstrip().removeprefix("#").strip())
    return " ".join(words)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if a file is not up to date")
    options = parser.parse_args()
    stale = 0
    for file, text in ((TEMPLATE, template()), (README, readme())):
        if file.exists() and file.read_text() == text:
            continue
        if options.check:
            print(f"{file.relative_to(ROOT)} is not up to date: run python hack/gen_chart.py", file=sys.stderr)
            stale = 1
        else:
            file.write_text(text)
    return stale


if __name__ == "__main__":
    sys.exit(main())
