"""Pages and pictures that come from code are up to date, and a difference is noticed."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from labkit.manifests import ROOT

PAGES = {"gen_api": "api.md", "gen_reasons": "reasons.md"}


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "hack" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", [*PAGES, "gen_screens"])
def test_it_is_up_to_date(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--check"])
    assert load(name).main() == 0


@pytest.mark.parametrize("name", PAGES)
def test_a_difference_is_noticed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(name)
    monkeypatch.setattr(module, "TARGET", tmp_path / "page.md")
    for argument, code in (("--check", 1), ("", 0), ("--check", 0)):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", argument])
        assert module.main() == code
    (tmp_path / "page.md").write_text(module.text() + "more")
    assert module.main() == 1


def test_another_output_asks_for_another_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("gen_screens")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "PICTURES", tmp_path)
    for argument, code in (("--check", 1), ("", 0), ("--check", 0)):
        monkeypatch.setattr(sys, "argv", ["gen_screens.py", argument])
        assert module.main() == code


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "pictures").glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_is_whole_and_fetches_nothing(picture: Path) -> None:
    text = picture.read_text()
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("https://10.", "")
