"""/etc/hosts of a machine: other people's lines, and our marked block."""

from __future__ import annotations

BEGIN = "# BEGIN sealcluster"
END = "# END sealcluster"
PATH = "/etc/hosts"


def base(hostname: str) -> str:
    """What a fresh machine (or cloud-init at boot) writes."""
    return f"127.0.0.1 localhost\n127.0.1.1 {hostname}\n"


def block(text: str) -> str | None:
    """The text between our markers; None without a block."""
    lines = text.splitlines(keepends=True)
    stripped = [line.strip() for line in lines]
    if BEGIN not in stripped or END not in stripped:
        return None
    return "".join(lines[stripped.index(BEGIN) + 1 : stripped.index(END)])


def with_block(text: str, entries: tuple[tuple[str, str], ...]) -> str:
    """The same file with our block replaced; without entries it has none."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        marker = line.strip()
        if marker == BEGIN:
            inside = True
        elif marker == END:
            inside = False
        elif not inside:
            kept.append(line)
    if entries:
        kept += [f"{BEGIN}\n", *(f"{address} {name}\n" for address, name in entries), f"{END}\n"]
    return "".join(kept)


def resolve(text: str, name: str) -> str | None:
    """The first address of a name, like the C library's `files` source."""
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if name in words[1:]:
            return words[0]
    return None
