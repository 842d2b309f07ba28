"""The registry's password file."""

import bcrypt


def htpasswd(user: str, password: str) -> str:
    """One ``user:bcrypt`` line (cost 10, a new salt each time)."""
    return f"{user}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode()}\n"
