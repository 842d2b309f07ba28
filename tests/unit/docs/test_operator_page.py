"""The page about the operator lists every setting with its default."""

import dataclasses
import re

from labkit.manifests import ROOT
from sealcluster.controller.settings import PREFIX, Settings

PAGE = (ROOT / "docs" / "operator.md").read_text()
ROWS = {m[1]: m[2].strip() for m in re.finditer(r"^\| `(SEALCLUSTER_\w+)` \| ([^|]*)\|", PAGE, re.MULTILINE)}


def test_every_setting_is_listed() -> None:
    assert set(ROWS) == {PREFIX + field.name.upper() for field in dataclasses.fields(Settings)}


def test_defaults_are_those_of_the_code() -> None:
    written = {name: value.strip("`") for name, value in ROWS.items() if value.startswith("`")}
    assert len(written) >= 8
    read = Settings.from_environment(written)
    assert dataclasses.replace(read, instance="") == dataclasses.replace(Settings(), instance="")


def test_what_has_no_default_is_empty() -> None:
    assert {name for name, value in ROWS.items() if value == "none"} == {
        PREFIX + field.name.upper() for field in dataclasses.fields(Settings) if getattr(Settings(), field.name) in ((), "", None)
    } - {"SEALCLUSTER_NAMESPACES", "SEALCLUSTER_KUBECONFIG"}


def test_variables_that_other_pages_name_exist() -> None:
    named = {name for page in (ROOT / "docs").glob("*.md") for name in re.findall(r"SEALCLUSTER_[A-Z_]*[A-Z]\b", page.read_text())}
    assert named - set(ROWS) == {"SEALCLUSTER_STATE"}, "the command line's own"
