"""Taking apart what a script printed: sections that begin with a line only our script could print."""

from __future__ import annotations

from sealcluster.ssh.plain import plain


def sections(output: bytes, nonce: str) -> list[tuple[str, bytes]]:
    """(title, content) in order; what precedes the first title is dropped. A title that occurs twice is there twice."""
    found: list[tuple[str, bytes]] = []
    for block in (b"\n" + output).split(f"\n={nonce} ".encode())[1:]:
        title, _, content = block.partition(b"\n")
        found.append((plain(title), content))
    return found


def text(content: bytes) -> str:
    """A host's words as text, whatever bytes they are."""
    return plain(content).strip("\n")
