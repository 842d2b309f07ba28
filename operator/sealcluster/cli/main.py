"""The command line: `sealcluster`, also installed as `kubectl-seal`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError

from sealcluster.api import SealCluster
from sealcluster.api.validation import validate
from sealcluster.cli import exits
from sealcluster.cli.build_spec import CREDENTIALS, RunFlags, build
from sealcluster.cli.localstate import LocalManagement
from sealcluster.cli.progress import Narrator
from sealcluster.cli.session import adapters, converge
from sealcluster.core.errors import SealError
from sealcluster.engine import Report

app = typer.Typer(no_args_is_help=True, help="Bare Linux machines become Kubernetes clusters.", rich_markup_mode=None, add_completion=True)

State = Annotated[Path | None, typer.Option("--state", help="Directory of this command line's records (default ~/.sealcluster).")]
Insecure = Annotated[list[str] | None, typer.Option("--insecure-registry", help="host:port that is spoken to over plain HTTP; repeatable.")]


@app.command()
def run(
    images: Annotated[list[str], typer.Argument(help="Cluster images in order, exactly one of them a rootfs.")],
    masters: Annotated[str, typer.Option(help="Addresses of masters: ip, ip:port, ipA-ipB or CIDR, comma-separated.")],
    nodes: Annotated[str, typer.Option(help="Addresses of workers.")] = "",
    cluster: Annotated[str, typer.Option(help="Name of the cluster.")] = "default",
    user: Annotated[str, typer.Option("-u", "--user", help="Login name.")] = "root",
    port: Annotated[int, typer.Option(help="Port of the SSH servers.")] = 22,
    key: Annotated[Path | None, typer.Option("-i", "--key", help="Private key file.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the password; never on the command line.")] = None,
    env: Annotated[list[str] | None, typer.Option("-e", "--env", help="NAME=value for templates and scripts; repeatable.")] = None,
    strict_host_keys: Annotated[bool, typer.Option(help="Refuse hosts whose key nobody vouched for.")] = False,
    state: State = None,
    insecure_registry: Insecure = None,
) -> None:
    """Make a cluster, as `sealos run` does; run again to go on after whatever happened."""
    flags = RunFlags(
        name=cluster, images=images, masters=masters, nodes=nodes, user=user, port=port, env=_pairs(env or ()), strict_host_keys=strict_host_keys
    )
    management = _management(cluster, state)
    _run(_converge(_parse(_guard(lambda: build(flags))), management, state, insecure_registry, key, password_file))


@app.command()
def apply(
    file: Annotated[Path, typer.Option("-f", "--file", help="SealCluster YAML.")],
    key: Annotated[Path | None, typer.Option("-i", "--key", help="Private key file.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the password.")] = None,
    state: State = None,
    insecure_registry: Insecure = None,
) -> None:
    """Make the cluster what the file says."""
    wanted = _parse(_guard(lambda: yaml.safe_load(file.read_text())))
    _run(_converge(wanted, _management(wanted.name, state), state, insecure_registry, key, password_file))


@app.command()
def kubeconfig(cluster: Annotated[str, typer.Argument()] = "default", state: State = None) -> None:
    """Print the admin kubeconfig."""

    async def show() -> None:
        text = await _management(cluster, state).load_kubeconfig()
        if text is None:
            raise SealError(f"reading the kubeconfig of {cluster}: there is none yet", reason="PKIMissing")
        sys.stdout.write(text)

    _run(show())


async def _converge(
    wanted: SealCluster, management: LocalManagement, state: Path | None, insecure: list[str] | None, key: Path | None, password_file: Path | None
) -> None:
    data: dict[str, str] = {}
    if key is not None:
        data["ssh-privatekey"] = key.read_text()
    if password_file is not None:
        data["password"] = password_file.read_text().rstrip("\n")
    if data:
        reference = wanted.spec.ssh.credentials_secret_ref
        await management.put("Secret", str(reference.name) if reference else CREDENTIALS, data)
    shared = adapters(state, tuple(insecure or ()))
    narrator = Narrator(wanted.name)
    try:
        report = await converge(wanted, management, shared, narrator.tell)
    finally:
        await shared.close()
    narrator.end(report)
    _exit(report)


def _exit(report: Report) -> None:
    if not report.ready:
        raise typer.Exit(exits.BLOCKED)


def _management(cluster: str, state: Path | None) -> LocalManagement:
    return _guard(lambda: LocalManagement.of(cluster, state))


def _parse(document: Any) -> SealCluster:
    try:
        cluster = SealCluster.model_validate(document)
    except ValidationError as error:
        for item in error.errors():
            typer.echo(f"{'.'.join(str(p) for p in item['loc'])}: {item['msg']}", err=True)
        raise typer.Exit(exits.INVALID) from error
    problems = validate(cluster.spec)
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(exits.INVALID)
    return cluster


def _pairs(items: Any) -> dict[str, str]:
    pairs = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            typer.echo(f"reading --env: {item!r} is not NAME=value", err=True)
            raise typer.Exit(exits.INVALID)
        pairs[name] = value
    return pairs


def _guard(action: Any) -> Any:
    try:
        return action()
    except SealError as error:
        typer.echo(f"sealcluster: {error.message}{'; ' + error.hint if error.hint else ''}", err=True)
        raise typer.Exit(exits.INVALID) from error
    except (OSError, yaml.YAMLError) as error:
        typer.echo(f"sealcluster: {error}", err=True)
        raise typer.Exit(exits.INVALID) from error


def _run(work: Any) -> None:
    try:
        asyncio.run(work)
    except SealError as error:
        typer.echo(f"sealcluster: {error.message}{'; ' + error.hint if error.hint else ''}", err=True)
        raise typer.Exit(exits.FAILED) from error
    except KeyboardInterrupt:
        typer.echo("interrupted; what runs on the machines goes on, run the same command again to continue", err=True)
        raise typer.Exit(exits.INTERRUPTED) from None


def main() -> None:
    """Entry point."""
    app()
