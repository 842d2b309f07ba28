"""Fingerprints of SSH host keys as OpenSSH prints them."""

from __future__ import annotations

import base64
import hashlib


def fingerprint(line: str) -> str:
    """``SHA256:…`` of a public key line (``ssh-ed25519 AAAA… comment``); empty for an empty line."""
    fields = line.split()
    if len(fields) < 2:
        return ""
    digest = hashlib.sha256(base64.b64decode(fields[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
