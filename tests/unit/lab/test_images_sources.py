"""The lab's image sources are sound before they are built."""

import subprocess
from pathlib import Path

import pytest

from labkit.tools import SHELLCHECK
from sealab import clusterimage_kubernetes, clusterimage_rough
from sealab.clusterimage import build, known
from sealab.errors import LabError
from sealab.gobuild import build_key, recipe_of
from sealab.paths import SOURCE

IMAGES = SOURCE / "images"
SCRIPTS = sorted([*IMAGES.glob("*/scripts/*.sh"), SOURCE / "floor" / "floor.sh"])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(SOURCE)))
def test_scripts_pass_shellcheck(script: Path) -> None:
    # SC2154: installers export the image's env
    done = subprocess.run(
        [SHELLCHECK, "-x", "-P", "SCRIPTDIR", "-e", "SC2154", script.name], cwd=script.parent, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_labels_name_scripts_that_exist() -> None:
    pair = ("kubernetes", clusterimage_kubernetes.labels("v1.34.4")), ("rough", clusterimage_rough.settings("v1.34.4").labels)
    for name, labels in pair:
        for key in ("check", "init", "clean", "init-cri", "clean-cri", "init-registry", "clean-registry"):
            script = labels.get(key, "init.sh").split()[0]
            folder = IMAGES / name / "scripts"
            assert (folder / script).exists() or (folder / f"{script}.tmpl").exists(), f"{name} {key}"


def test_only_the_switch_brings_the_labs_peculiarities() -> None:
    """What the lab's kernel needs is behind SEALAB, wherever the word stands."""
    text = "\n".join(path.read_text() for path in sorted((IMAGES / "kubernetes").rglob("*")) if path.is_file())
    assert text.count("restrict_oom_score_adj = true") == 1
    before = text.partition("restrict_oom_score_adj = true")[0]
    assert '{{- if eq .SEALAB "1" }}' in before.splitlines()[-3]
    assert "swapoff -a" in text.partition('"${SEALAB:-0}" != 1')[2]


def test_an_unknown_image_is_refused_with_what_there_is() -> None:
    with pytest.raises(LabError, match=r"kubernetes:v1\.34\.4, kubernetes:v1\.33\.13, rough:v1\.34\.4"):
        build("kubernetes", "v1.0.0")
    assert "lab-cni:v1" in known()


def test_an_unknown_command_is_refused() -> None:
    with pytest.raises(LabError, match="no recipe"):
        recipe_of(["kubelet"], "v1.2.3")


def test_the_key_of_a_build_is_stable_and_per_version() -> None:
    keys = [build_key(recipe_of(["kubelet"], version)) for version in ("v1.34.4", "v1.33.13", "v1.34.4")]
    assert keys[0] == keys[2] != keys[1]
