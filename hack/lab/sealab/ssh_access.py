"""Reaching a machine over OpenSSH: the lab's key, command lines, and waiting until sshd answers."""

import shlex
import socket
import time
from collections.abc import Callable

from sealab.errors import LabError
from sealab.machines_command import run
from sealab.machines_layout import Layout
from sealab.machines_spec import MachineRecord


def make_key(layout: Layout) -> None:
    """The key pair that the lab's machines authorise."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"sealab-{layout.lab}", "-f", str(layout.key))


def wait_for_sshd(address: str, port: int, patience: float, gone: Callable[[], bool] = lambda: False) -> None:
    """Return as soon as an ssh server introduces itself; `gone` says that waiting on is in vain."""
    deadline = time.monotonic() + patience
    cause = "nothing tried yet"
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((address, port), timeout=2) as connection:
                connection.settimeout(5)
                if connection.recv(4) == b"SSH-":
                    return
                cause = "it closed the connection"
        except OSError as error:
            cause = error.strerror or str(error)
        if gone():
            break
        time.sleep(0.1)
    raise LabError(f"waiting for sshd at {address}:{port}: {cause} (after {time.monotonic() - deadline + patience:.0f} s)")


def ssh_options(layout: Layout, record: MachineRecord) -> list[str]:
    """Options for ssh and scp that reach a machine as its user, checking its host key."""
    known = layout.machine_run(record.name) / "known_hosts"
    where = record.address if record.port == 22 else f"[{record.address}]:{record.port}"
    known.write_text("".join(f"{where} {key}\n" for key in record.host_keys))
    options = [
        f"UserKnownHostsFile={known}",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        f"User={record.user}",
        f"Port={record.port}",
        "LogLevel=ERROR",
    ]
    if record.auth == "password":
        options += ["PubkeyAuthentication=no"]
    else:
        options += [f"IdentityFile={layout.key}", "IdentitiesOnly=yes"]
    return [word for option in options for word in ("-o", option)]


def ssh_environment(layout: Layout, record: MachineRecord) -> dict[str, str]:
    """How OpenSSH gets a password without a terminal: from a small program that only root may read."""
    if record.auth != "password":
        return {}
    helper = layout.machine_run(record.name) / "askpass"
    helper.touch(mode=0o700)
    helper.write_text(f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(record.password)}\n")
    return {"SSH_ASKPASS": str(helper), "SSH_ASKPASS_REQUIRE": "force"}


def ssh_command(layout: Layout, record: MachineRecord, *command: str) -> list[str]:
    """The command line of an ssh session or remote command."""
    return ["ssh", *ssh_options(layout, record), record.address, *command]
