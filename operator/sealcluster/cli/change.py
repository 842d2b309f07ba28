"""What `run`, `apply`, `retry` and `delete` share: refuse what cannot be, remember what is wanted, work, say how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import typer

from sealcluster.api import InvalidSealCluster, SealCluster, duration, validate_change
from sealcluster.cli import busy, credentials, exits, handedover
from sealcluster.cli.addresses import parse_pairs
from sealcluster.cli.failures import say, spoken
from sealcluster.cli.here import Here, emit
from sealcluster.cli.options import Format, Login, Patience, Registries
from sealcluster.cli.records import Records, manifest
from sealcluster.cli.session import converge, desired_of, unlike
from sealcluster.cli.statusview import History
from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.engine import Report
from sealcluster.engine.origin import origin

LOGINS = ("ssh-privatekey", "password")
"""Keys of a credentials Secret of which one is needed."""

Texts = Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(frozen=True)
class Wish:
    """What is wanted, and everything that was typed with it."""

    cluster: SealCluster
    texts: Texts = field(default_factory=dict, repr=False)
    """Secrets and ConfigMaps of the manifest."""
    login: Login = field(default_factory=Login)
    registries: Registries = field(default_factory=Registries)
    basis: int | None = None
    """Generation of the applied document that it was made of (0: there was none); None: it owes nothing to what was applied."""


def change(here: Here, command: str, wish: Wish, patience: Patience, output: Format) -> None:
    """Make the cluster what is wished; ends with an exit code that says how it went."""
    records = Records(here.common.root, wish.cluster.name)
    handedover.refuse(records.directory, "changing")
    with busy.working(records.directory, command):
        before = records.document()
        if wish.basis is not None and wish.basis != generation(before):
            raise TransientError(f"changing {records.name}: another command has just changed it", hint="run the same command again")
        _refuse(here, records, before, wish.cluster)
        wanted = stamped(before, wish.cluster)
        remember(here, records, wanted, wish)
        report = carry_out(here, records, wanted, patience, output)
    raise typer.Exit(0 if report.ready else exits.BLOCKED)


def _refuse(here: Here, records: Records, before: SealCluster | None, wanted: SealCluster) -> None:
    if before is not None and before.deleting and not wanted.deleting:
        raise TerminalError(
            f"changing {wanted.name}: it is being deleted",
            reason="InvalidSpec",
            hint=f"finish that first: sealcluster delete {wanted.name} --reset --yes",
        )
    made_from = here.outside.run(origin(records.management, (before or wanted).spec))
    problems = validate_change(made_from, wanted.spec)
    if problems:
        raise InvalidSealCluster(problems)


def stamped(before: SealCluster | None, wanted: SealCluster) -> SealCluster:
    """With the generation that an API server would give it."""
    number = generation(before) + (before is None or before.spec != wanted.spec)
    return wanted.model_copy(update={"metadata": wanted.metadata.model_copy(update={"generation": number})})


def generation(document: SealCluster | None) -> int:
    """The generation of what was applied; 0: nothing was."""
    return (document.metadata.generation or 1) if document else 0


def remember(here: Here, records: Records, wanted: SealCluster, wish: Wish) -> None:
    """Store everything that this command and later ones need."""
    for (kind, name), data in texts_of(records, wish).items():
        here.outside.run(records.management.put(kind, name, data))
    records.store_settings(records.settings().overlaid(tuple(wish.registries.insecure_registry or ()), wish.registries.registry_ca))
    records.store(wanted)


def texts_of(records: Records, wish: Wish) -> dict[tuple[str, str], Mapping[str, str]]:
    """Secrets and ConfigMaps of the manifest, and the Secret that the options of login fill."""
    found = dict(wish.texts)
    name = credentials.secret_name(wish.cluster)
    stored, given = records.secret(name), found.get(("Secret", name), {})
    data, taken = credentials.complete(credentials.typed(wish.login), stored, given)
    if taken:
        say(f"using the key {taken}; --key names another one")
    if not any(data.get(key) for key in LOGINS) and any(host.ssh is None for host in wish.cluster.spec.hosts):
        raise TerminalError(
            f"logging in to the machines of {wish.cluster.name}: no key and no password is known",
            reason="SecretMissing",
            hint="give --key FILE, --password-file FILE or --ask-password",
        )
    if data and data != stored:
        found["Secret", name] = data
    return found


def carry_out(here: Here, records: Records, wanted: SealCluster, patience: Patience, output: Format) -> Report:
    """Run the engine to its end and say how it ended."""
    history = History(records.status())
    lost = parse_pairs(patience.acknowledge_lost, "--acknowledge-lost")
    with here.teller(wanted.name) as teller:

        def listen(report: Report) -> None:
            history.tell(report)
            teller.tell(report)

        async def work() -> Report:
            opened = here.outside.open(here.common.root, records.settings())
            try:
                return await converge(desired_of(wanted, lost), opened.ports(records.management), listen, seconds(patience.timeout))
            finally:
                await opened.close()

        report = here.outside.run(work())
        if report.ready:
            count = len(report.view.wanted)
            nodes = f"{count} node{'s' if count != 1 else ''}, Kubernetes {report.view.version}"
            teller.say(f"{wanted.name} is ready: {nodes}{'' if history.worked else ', nothing was to be done'}", "bold green")
    status = history.end(report)
    records.store_status(status)
    if output is not Format.TEXT:
        emit(manifest(wanted, status), output)
    if report.ready:
        say(f"use it: kubectl --kubeconfig {records.directory / 'kubeconfig'} get nodes")
    elif not report.released:
        say(_why(report))
    return report


def _why(report: Report) -> str:
    for error in unlike(report):
        return f"stopped, a person is needed: {error}"
    if report.account.paused:
        return "spec.paused holds up every change: set it to false and apply again"
    first = next((p for p in sorted(report.problems, key=lambda p: not p.cluster) if p.terminal), None)
    if first is None:
        return "a person is needed"
    more = sum(p.terminal for p in report.problems) - 1
    others = f" ({more} more: sealcluster status)" if more else ""
    hint = f"; {spoken(first.hint)}" if first.hint else ""
    return f"stopped, a person is needed: {first.message}{hint}{others}"


def seconds(text: str | None) -> float | None:
    """A time such as 30m as seconds; None where none was given."""
    if text is None:
        return None
    try:
        return duration(text).total_seconds()
    except ValueError as error:
        raise TerminalError(f"reading --timeout: {text!r} is no time", reason="InvalidSpec", hint="write 90s, 30m or 2h") from error
