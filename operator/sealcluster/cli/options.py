"""The groups of options. Nothing secret is ever an argument: passwords come from files, keys from files, or are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sealcluster.cli import completion

IN_FILE = typer.Option(exists=True, dir_okay=False, readable=True)


class Format(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True)
class Common:
    """Records and logs."""

    state: Annotated[
        Path,
        typer.Option(
            "--state", metavar="DIR", envvar="SEALCLUSTER_STATE", file_okay=False, help="Directory of this command line's records."
        ),
    ] = Path("~/.sealcluster")
    verbose: Annotated[
        int,
        typer.Option(
            "-v", "--verbose", count=True, show_default=False, help="Log to standard error too, instead of live progress; -vv: more."
        ),
    ] = 0
    log_file: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Where the log goes (default: .log in the state directory).")
    ] = None

    @property
    def root(self) -> Path:
        """The state directory."""
        return self.state.expanduser()


@dataclass(frozen=True)
class Output:
    """What the result looks like."""

    output: Annotated[Format, typer.Option("-o", "--output", metavar="FORMAT", help="How the result is printed: text, json or yaml.")] = (
        Format.TEXT
    )


@dataclass(frozen=True)
class Login:
    """How to log in; kept (0600) in the state directory, so that later commands need none of it."""

    key: Annotated[Path | None, typer.Option("-i", "--key", metavar="FILE", dir_okay=False, help="Private key file.")] = None
    passphrase_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File with the passphrase of the key; - reads standard input.")
    ] = None
    password_file: Annotated[Path | None, typer.Option(metavar="FILE", help="File with the login password; - reads standard input.")] = None
    ask_password: Annotated[bool, typer.Option("--ask-password", help="Ask for the login password.")] = False
    become_password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File with sudo's password, where it is another one.")
    ] = None
    known_hosts: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="known_hosts file; @cert-authority lines count.")
    ] = None


@dataclass(frozen=True)
class Registries:
    """How registries are spoken to; remembered."""

    insecure_registry: Annotated[
        list[str] | None, typer.Option(metavar="HOST:PORT", help="Registry that is spoken to over plain HTTP; repeatable.")
    ] = None
    registry_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="PEM file of authorities that registries may use.")
    ] = None


@dataclass(frozen=True)
class Shape:
    """What `run` and `gen` make a SealCluster of."""

    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Cluster images in order, exactly one of them with the root file system.")
    ]
    masters: Annotated[
        str, typer.Option(metavar="ADDRESSES", help="Addresses of masters: ip, ip:port, ipA-ipB or a network, comma-separated.")
    ] = ""
    nodes: Annotated[str, typer.Option(metavar="ADDRESSES", help="Addresses of workers, written alike.")] = ""
    name: Annotated[
        str, typer.Option("--name", "--cluster", metavar="NAME", help="Name of the cluster.", autocompletion=completion.clusters)
    ] = "default"
    user: Annotated[str | None, typer.Option("-u", "--user", metavar="USER", help="Login name (default: root).")] = None
    port: Annotated[int | None, typer.Option(metavar="PORT", help="Port of the SSH servers (default: 22).", min=1, max=65535)] = None
    env: Annotated[list[str] | None, typer.Option("-e", "--env", metavar="NAME=VALUE", help="For templates and scripts; repeatable.")] = (
        None
    )
    strict_host_keys: Annotated[
        bool, typer.Option("--strict-host-keys", help="Refuse hosts whose key nobody vouched for (--known-hosts).")
    ] = False
    bastion: Annotated[str | None, typer.Option(metavar="[USER@]HOST[:PORT]", help="Jump host that leads to the hosts.")] = None
    pod_subnet: Annotated[str | None, typer.Option(metavar="CIDR", help="Network of the pods (default: 100.64.0.0/10).")] = None
    service_subnet: Annotated[str | None, typer.Option(metavar="CIDR", help="Network of the Services (default: 10.96.0.0/22).")] = None
    config_file: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", dir_okay=False, help="File with kubeadm's documents and sealos' Configs; repeatable."),
    ] = None
    transport: Annotated[
        str, typer.Option("-t", "--transport", metavar="KIND", help="What image files are: oci-archive or docker-archive.")
    ] = "oci-archive"


@dataclass(frozen=True)
class Patience:
    """How long a command goes on."""

    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="Give up waiting after this time (30m, 2h); the machines lose nothing.")
    ] = None
    acknowledge_lost: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST=MACHINE-ID", help="This machine is gone for good: forget it without cleaning it; repeatable."),
    ] = None


@dataclass(frozen=True)
class Plane:
    """Ask a management plane instead of this machine's records."""

    kubeconfig: Annotated[
        Path | None, typer.Option("--kubeconfig", metavar="FILE", dir_okay=False, help="Kubeconfig of a management plane.")
    ] = None
    context: Annotated[str | None, typer.Option(metavar="NAME", help="Its context.")] = None
    namespace: Annotated[str | None, typer.Option("-n", "--namespace", metavar="NAME", help="Namespace of the SealCluster there.")] = None

    @property
    def given(self) -> bool:
        """True when one of its options was typed."""
        return any(value is not None for value in (self.kubeconfig, self.context, self.namespace))


Cluster = Annotated[
    str | None,
    typer.Argument(
        metavar="CLUSTER", help="Name of the cluster; may be left out where only one is known.", autocompletion=completion.clusters
    ),
]
File = Annotated[
    Path | None,
    typer.Option(
        "-f", "--file", metavar="FILE", allow_dash=True, help="Manifest with the SealCluster (and its Secrets); - reads standard input."
    ),
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="End with 4 where a step is left or the cluster is not Ready.")]
