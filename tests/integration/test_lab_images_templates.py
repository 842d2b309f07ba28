"""The product renders the lab's image templates exactly as Go does."""

from pathlib import Path

import pytest

from sealab import clusterimage_kubernetes, clusterimage_rough
from sealab.clusterimage_unpack import render as render_with_go
from sealab.paths import SOURCE
from sealcluster.render.gotemplate import render

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

IMAGES = SOURCE / "images"
TEMPLATES = sorted(IMAGES.glob("*/*/*.tmpl"))
BUILTIN = {"SEALOS_SYS_KUBE_VERSION": "v1.34.4", "SEALOS_SYS_RUN_MODE": "master,registry"}
VARIANTS = {
    "plain": {},
    "worker": {"SEALOS_SYS_RUN_MODE": "node", "SEALAB": "0", "disableApparmor": "true"},
    "old": {"SEALOS_SYS_KUBE_VERSION": "v1.26.9", "cgroupDriver": "cgroupfs", "criState": "/run/other", "sandboxImage": "pause"},
    "odd": {"registryDomain": 'a"b\\c', "cgroupDriver": "", "SEALOS_SYS_IMAGE_ENDPOINT": "", "SEALAB": ""},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(IMAGES)))
def test_rendered_alike(template: Path, variant: str, tmp_path: Path) -> None:
    settings = clusterimage_rough.settings if template.is_relative_to(IMAGES / "rough") else clusterimage_kubernetes.settings
    env = {**settings("v1.34.4").env, **BUILTIN, **VARIANTS[variant]}
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / template.name).write_text(template.read_text())
    render_with_go(tmp_path, env)
    theirs = (tmp_path / "etc" / template.name.removesuffix(".tmpl")).read_text()
    ours = render(template.read_text(), {**env, "Env": dict(env), "Values": dict(env)}, name=template.name)
    assert ours == theirs
