"""Handing a cluster over: from the records in the state directory to the parcel that a management plane gets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sealcluster.api import SealCluster
from sealcluster.api.referred import referred
from sealcluster.cli import handedover, planeview
from sealcluster.cli.build_spec import CREDENTIALS
from sealcluster.cli.columns import columns
from sealcluster.cli.failures import say
from sealcluster.cli.handedover import HandedOver
from sealcluster.cli.here import Here, show
from sealcluster.cli.options import Plane
from sealcluster.cli.records import Records, manifest
from sealcluster.core.errors import TerminalError
from sealcluster.core.state import StateRecord
from sealcluster.kube.handover import KEEP, Handover, Parcel, Piece


def hand_over(here: Here, records: Records, wanted: SealCluster, plane: Plane, *, dry_run: bool) -> None:
    """Look at both sides, refuse or write, say what was done. The caller holds the lock of the cluster."""
    namespace = plane.namespace or planeview.default_namespace(plane)
    state, version = here.outside.run(records.management.load_state())
    if state is None:
        raise TerminalError(
            f"handing {records.name} over: no machine was touched yet, so there is nothing to hand over",
            reason="InvalidSpec",
            hint="apply its manifest to the management plane: sealcluster gen, kubectl apply",
        )
    if wanted.deleting:
        raise TerminalError(
            f"handing {records.name} over: it is being deleted", reason="InvalidSpec", hint="finish that: sealcluster delete --reset"
        )

    async def work() -> tuple[HandedOver, tuple[Piece, ...]]:
        async with here.outside.plane(plane.kubeconfig, plane.context) as client:
            where = HandedOver(client.server, namespace, wanted.name)
            before = handedover.noted(records.directory)
            if before is not None and (before.server, before.namespace) != (where.server, where.namespace):
                raise TerminalError(
                    f"handing {wanted.name} over to {where}: it went to {before}", reason="InvalidSpec", hint="work with it there"
                )
            handover = Handover(client, namespace, wanted.name)
            ours = _superseded(state, where)
            parcel = await _parcel(records, wanted, ours)
            pieces = await handover.look(parcel)  # what refuses, refuses before anything is written
            if dry_run or all(piece.todo == KEEP for piece in pieces):
                return where, pieces
            handedover.note(records.directory, where)
            if ours != state:
                await records.management.save_state(ours, version)
            try:
                pieces = await handover.write(parcel)
            except TerminalError:
                handedover.forget(records.directory)  # refused: no SealCluster came to be, so the cluster is still ours
                raise
            return where, pieces

    where, pieces = here.outside.run(work())
    rows = [[piece.todo, piece.kind, f"{namespace}/{piece.name}", piece.what] for piece in pieces]
    show([f"{wanted.name} to {where}", *columns(rows, "  ")])
    _notes(records, wanted)
    if dry_run:
        say("nothing was written (--dry-run)")
        return
    handedover.note(records.directory, replace(where, complete=True))
    say(f"{wanted.name} is handed over; kubectl -n {namespace} wait --for=condition=Ready sealcluster/{wanted.name} --timeout=10m")


def _superseded(state: StateRecord, where: HandedOver) -> StateRecord:
    """The record as nobody's here any more: a command that still has the old one loses against it."""
    holder = f"pivot to {where.namespace}/{where.name}"
    return state if state.holder == holder else replace(state, fence=state.fence + 1, holder=holder)


async def _parcel(records: Records, wanted: SealCluster, state: StateRecord) -> Parcel:
    names = {CREDENTIALS: f"{wanted.name}-ssh"}  # every cluster of the command line has one of that name; a namespace has room for one
    document = _renamed(manifest(wanted), names)
    document["metadata"] = {
        key: wanted.metadata.dump()[key] for key in ("name", "labels", "annotations") if wanted.metadata.dump().get(key)
    }
    inventory = {
        name: replace(row, credentials_secret=names.get(row.credentials_secret, row.credentials_secret))
        for name, row in state.inventory.items()
    }
    texts = {}
    for kind, name in referred(wanted.spec):
        data = records.text(kind, name)
        if data is None:
            raise TerminalError(
                f"handing {wanted.name} over: {kind} {name}, which the spec refers to, is not known here",
                reason="SecretMissing",
                hint="give it on the command line: sealcluster retry --key FILE, or apply a manifest that holds it",
            )
        texts[kind, names.get(name, name) if kind == "Secret" else name] = data
    return Parcel(
        state=replace(state, inventory=inventory),
        pki=await records.management.load_pki(),
        kubeconfig=await records.management.load_kubeconfig(),
        texts=texts,
        document=document,
    )


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """A document whose references to Secrets carry the new names."""
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _renamed(item, names) for key, item in value.items()}
    for key in ("credentialsSecretRef", "knownHostsSecretRef", "secretKeyRef"):
        reference = found.get(key)
        if isinstance(reference, dict) and reference.get("name") in names:
            found[key] = {**reference, "name": names[reference["name"]]}
    return found


def _notes(records: Records, wanted: SealCluster) -> None:
    """What the operator must be set up for, because it is no part of the records."""
    settings = records.settings()
    if settings.insecure_registries:
        say(f"note: the operator needs SEALCLUSTER_INSECURE_REGISTRIES={','.join(settings.insecure_registries)}")
    if settings.registry_ca:
        say(f"note: the operator needs {settings.registry_ca} as SEALCLUSTER_EXTRA_CA")
    files = [image.name for image in wanted.spec.images if str(image.ref).startswith(("oci-archive:", "docker-archive:"))]
    if files:
        say(f"note: the operator reads archives only below its own SEALCLUSTER_ARCHIVES: {', '.join(files)}")
