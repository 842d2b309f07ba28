"""Who may read what is rendered, and which text goes into which file."""

import time

import pytest

from sealcluster.core.errors import TerminalError
from sealcluster.core.images import ImageInfo
from sealcluster.phases.rootfs_files import application_files, rootfs_files
from unit.core.views import spec, view

PASSWORD = "3c5a0f"


def image(name="kubernetes", kind="rootfs", **more):
    return ImageInfo("registry.example/x:v1", name, "sha256:1", "amd64", kind, version="v1.34.4", **more)


def config(path, secret="", config_map="", **more):
    source = {"secretKeyRef": {"name": secret, "key": "k"}} if secret else {"configMapKeyRef": {"name": config_map, "key": "k"}}
    return {"path": path, "strategy": "override", "dataFrom": source, **more}


def world(*images, configs=(), texts=None):
    return view(spec(configs=list(configs)), images={"amd64": images}, config_texts=texts or {}, registry_password=PASSWORD)


def modes(files):
    return {f.path: (f.mode, f.content.decode()) for f in files}


def files(here):
    return modes(rootfs_files(here, here.hosts["m1"]))


def test_what_comes_from_a_secret_is_for_root_alone():
    texts = {("Secret", "s", "k"): "words", ("ConfigMap", "m", "k"): "others"}
    found = image(modes={"etc/b.sh": 0o755})
    here = world(found, configs=[config("etc/a", "s"), config("etc/b.sh", "s"), config("etc/c", config_map="m")], texts=texts)
    assert files(here) == {"etc/a": (0o600, "words"), "etc/b.sh": (0o700, "words"), "etc/c": (0o644, "others")}


def test_a_template_that_a_secret_changes_is_for_root_alone():
    found = image(templates={"etc/a.tmpl": "{{ .registryDomain }}"})
    here = world(found, configs=[config("etc/a.tmpl", "s", strategy="append")], texts={("Secret", "s", "k"): "words"})
    assert files(here) == {"etc/a": (0o600, "sealos.hub\nwords")}


def test_a_file_with_the_registrys_password_is_for_root_alone():
    here = world(image(templates={"etc/a.tmpl": "{{ .registryUsername }}:{{ .registryPassword }}", "etc/b.tmpl": "{{ .registryPort }}"}))
    assert files(here) == {"etc/a": (0o600, f"admin:{PASSWORD}"), "etc/b": (0o644, "5000")}


def test_rows_for_the_same_path_of_different_images_keep_their_own_texts():
    other = image("app", "application")
    rows = [config("etc/a", "one", match="kubernetes"), config("etc/a", "two", match="app")]
    here = world(image(), other, configs=rows, texts={("Secret", "one", "k"): "first", ("Secret", "two", "k"): "second"})
    assert files(here) == {"etc/a": (0o600, "first")}
    assert modes(application_files(here, here.hosts["m1"], other)) == {"etc/a": (0o600, "second")}


def test_a_file_whose_text_is_not_at_hand_is_replaced_whole_or_not_at_all():
    found = image(opaque=("manifests/big.yaml",))
    change = {"path": "manifests/big.yaml", "data": "a: 1\n"}
    assert files(world(found, configs=[{**change, "strategy": "override"}])) == {"manifests/big.yaml": (0o644, "a: 1\n")}
    for strategy in ("merge", "insert", "append"):
        with pytest.raises(TerminalError, match=r"manifests/big\.yaml of image kubernetes .* 64 KiB"):
            files(world(found, configs=[{**change, "strategy": strategy}]))


def test_what_a_tenant_says_is_data_for_templates_and_never_a_template():
    found = image(templates={"etc/a.tmpl": "{{ .A }}|{{ .registryDomain }}"})
    here = view(spec(env={"A": "{{ .registryPassword }}$registryPassword"}), images={"amd64": (found,)}, registry_password=PASSWORD)
    assert files(here)["etc/a"] == (0o644, "{{ .registryPassword }}$registryPassword|sealos.hub")


LOOP = '{{$x := splitList "," "' + ",".join("a" * 290) + '"}}{{range $x}}{{range $x}}{{end}}{{end}}'


@pytest.mark.parametrize(
    "text", [LOOP, "{{ .A }}" * 2_000, "{{/* a */}}" * 2_000, "{{ or" + " 1" * 4_000 + " }}"], ids=lambda text: text[:8]
)
def test_many_templates_cost_no_more_than_one(text):
    """Each is within its bounds; 4 MiB of them would take the operator minutes for every host."""
    here = world(image(templates={f"etc/{number}.tmpl": f"{text}{number}" for number in range((4 << 20) // len(text))}))
    began = time.process_time()
    with pytest.raises(TerminalError, match=r"rendering etc/\d+\.tmpl of image kubernetes: .* the image's templates"):
        files(here)
    assert time.process_time() - began < 5
    began = time.process_time()
    with pytest.raises(TerminalError) as caught:
        files(here)
    assert (caught.value.reason, caught.value.step) == ("TemplateFailed", "render")
    assert time.process_time() - began < 0.2  # a refusal is remembered, too


@pytest.mark.thorough
def test_many_merges_cost_no_more_than_a_large_one():
    name = "manifests/big.yaml"
    changes = [{"path": name, "strategy": "merge", "data": f"a{number}: {'x' * 50_000}\n"} for number in range(20)]
    small = image(small_files={name: "z: 1\n"})
    assert len(files(world(small, configs=changes[:5]))[name][1]) > 250_000
    with pytest.raises(TerminalError, match="merge more than 1 MiB of text") as caught:
        files(world(small, configs=[{**change, "data": change["data"].replace("x", "y")} for change in changes[:4] * 20]))
    assert caught.value.reason == "InvalidSpec"


def test_equal_inputs_are_rendered_once_and_other_inputs_anew(monkeypatch):
    rendered = []

    def render(text, data, *, name, budget):
        rendered.append(name)
        return f"{text} {data['registryDomain']} {data.get('A', '')}"

    monkeypatch.setattr("sealcluster.phases.rootfs_files.render", render)
    made = {"templates": {"etc/once.tmpl": "once"}}
    for _ in range(3):
        assert files(world(image(**made))) == {"etc/once": (0o644, "once sealos.hub ")}
    assert len(rendered) == 1
    others = [
        (view(spec(env={"A": "1"}), images={"amd64": (image(**made),)}, registry_password=PASSWORD), (0o644, "once sealos.hub 1")),
        (world(image(templates={"etc/once.tmpl": "twice"})), (0o644, "twice sealos.hub ")),
        (world(image(**made, modes={"etc/once": 0o755})), (0o755, "once sealos.hub ")),
        (
            world(image(**made), configs=[{"path": "etc/once.tmpl", "strategy": "append", "data": "more"}]),
            (0o644, "once\nmore sealos.hub "),
        ),
        (world(image(**made), configs=[config("etc/once.tmpl", "s")], texts={("Secret", "s", "k"): "x"}), (0o600, "x sealos.hub ")),
        (
            world(image(**made), configs=[config("etc/once.tmpl", config_map="s")], texts={("ConfigMap", "s", "k"): "x"}),
            (0o644, "x sealos.hub "),
        ),
        (world(image(**made), configs=[config("etc/once.tmpl", "s")], texts={("Secret", "s", "k"): "y"}), (0o600, "y sealos.hub ")),
    ]
    for here, expected in others:
        assert files(here) == {"etc/once": expected}
    assert len(rendered) == 1 + len(others)


@pytest.mark.parametrize("own", [True, False], ids=["the image's", "the spec's"])
def test_a_change_that_cannot_be_made_names_who_asked_for_it(own):
    change = {"path": "etc/a.yaml", "strategy": "merge", "data": "- no map\n"}
    document = {"kind": "Config", "metadata": {"name": "x"}, "spec": change}
    found = image(small_files={"etc/a.yaml": "a: 1\n"}, configs=(document,) if own else ())
    with pytest.raises(TerminalError) as caught:
        files(world(found, configs=[] if own else [change]))
    assert ("spec.configs" in str(caught.value)) == (not own)
    assert (caught.value.reason, caught.value.hint) == (("TemplateFailed", "fix the image") if own else ("InvalidSpec", "fix spec.configs"))
