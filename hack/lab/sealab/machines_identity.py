"""What makes a machine itself: hostname, machine-id, hosts file, resolver, sshd's settings, the user who logs in."""

import secrets
from pathlib import Path

from sealab.machines_command import run
from sealab.machines_layout import Layout
from sealab.machines_spec import MachineRecord


def write_identity(layout: Layout, record: MachineRecord, gateway: str) -> None:
    """Write a new machine's identity into its mounted root."""
    root = layout.rootfs(record.name)
    etc = root / "etc"
    (etc / "hostname").write_text(f"{record.hostname}\n")
    (etc / "machine-id").write_text(f"{record.machine_id}\n")
    hosts = (
        f"127.0.0.1 localhost\n127.0.1.1 {record.hostname}\n"
        "::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n"
    )
    (etc / "hosts").write_text(hosts)
    if record.cloud_hosts:
        (etc / "machine-hosts.template").write_text(hosts)
    # TCP, because a refusal by TCP comes at once and always; refusals of UDP are rate-limited by the kernel.
    (etc / "resolv.conf").write_text(f"nameserver {gateway}\noptions use-vc timeout:1 attempts:1\n")
    _write_sshd_settings(etc, record)
    _write_user(layout, record)


def new_password() -> str:
    """Random, of letters and digits: it is typed into prompts and put into YAML by tests."""
    return secrets.token_hex(12)


def _write_sshd_settings(etc: Path, record: MachineRecord) -> None:
    root_login = "yes" if record.user == "root" else "no"
    settings = f"Port {record.port}\nPermitRootLogin {root_login}\nPasswordAuthentication yes\nUseDNS no\n"
    (etc / "ssh/sshd_config.d").mkdir(parents=True, exist_ok=True)
    (etc / "ssh/sshd_config.d/machine.conf").write_text(settings)


def _write_user(layout: Layout, record: MachineRecord) -> None:
    root, user = layout.rootfs(record.name), record.user
    home = root / "root"
    if user != "root":
        run("chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", user, lab=layout.lab)
        home = root / "home" / user
        rule = "NOPASSWD:ALL" if record.sudo == "nopasswd" else "ALL"
        sudoers = root / "etc/sudoers.d" / user
        sudoers.write_text(f"{user} ALL=(ALL:ALL) {rule}\n")
        sudoers.chmod(0o440)
    run("chroot", str(root), "chpasswd", input=f"{user}:{record.password}\n".encode(), lab=layout.lab)
    if record.auth != "password":
        keys = home / ".ssh"
        keys.mkdir(mode=0o700, exist_ok=True)
        (keys / "authorized_keys").write_text(layout.key.with_suffix(".pub").read_text())
        run("chroot", str(root), "chown", "-R", f"{user}:", f"/{keys.relative_to(root)}", lab=layout.lab)


def read_host_keys(root: Path) -> list[str]:
    """The machine's public host keys as `type base64`, sorted by type."""
    keys = (file.read_text().split() for file in root.glob("etc/ssh/ssh_host_*_key.pub"))
    return sorted(f"{kind} {key}" for kind, key, *_ in keys)
