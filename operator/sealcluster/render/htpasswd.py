"""The registry's password file."""

import bcrypt

COST = 10
"""Rounds of bcrypt, as a power of two; simulations lower it."""


def htpasswd(user: str, password: str) -> str:
    """One ``user:bcrypt`` line (a new salt each time)."""
    return f"{user}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()}\n"
