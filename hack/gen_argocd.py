"""Packs examples/argocd/*.lua as an argocd-cm patch and as values of the argo-cd chart; `--check` fails when the files differ from that."""

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PACK = ROOT / "examples" / "argocd"
ACTIONS = ("pause", "resume", "retry")
KIND = "sealcluster.io_SealCluster"
NOTE = "# Generated from the .lua files beside it by hack/gen_argocd.py; do not edit.\n"
PATCH_USE = "# kubectl -n argocd patch configmap argocd-cm --patch-file argocd-cm.yaml\n"
VALUES_USE = "# helm upgrade argo-cd argo/argo-cd --reuse-values -f values.yaml\n"


class _Dumper(yaml.SafeDumper):
    """Writes scripts as blocks, so that a person can read them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dump(data: object) -> str:
    """YAML with literal blocks."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=1000)


def entries() -> dict[str, str]:
    """The two keys of argocd-cm."""
    scripts = {path.stem: path.read_text() for path in sorted((PACK / "actions").glob("*.lua"))}
    actions = {
        "discovery.lua": scripts["discovery"],
        "definitions": [{"name": name, "action.lua": scripts[name]} for name in ACTIONS],
    }
    return {
        f"resource.customizations.health.{KIND}": (PACK / "health.lua").read_text(),
        f"resource.customizations.actions.{KIND}": dump(actions),
    }


def files() -> dict[Path, str]:
    """What is generated, by path."""
    return {
        PACK / "argocd-cm.yaml": NOTE + PATCH_USE + dump({"data": entries()}),
        PACK / "values.yaml": NOTE + VALUES_USE + dump({"configs": {"cm": entries()}}),
    }


def main() -> int:
    """Write, or compare."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what the scripts beside it say: run python hack/gen_argocd.py", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(files()[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
