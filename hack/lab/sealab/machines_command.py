"""Running the tools of the host: marked as a lab's own, so that a crashed lab's children can be found and ended."""

import os
import subprocess
from collections.abc import Mapping

from sealab.errors import LabError

MARK = "SEALAB_LAB"
"""Environment variable of every process that a lab starts on the host; its value is the lab's name."""


def run(
    *argv: str,
    lab: str | None = None,
    input: bytes = b"",
    check: bool = True,
    timeout: float = 120,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a host tool to its end; a failure becomes a LabError with the tool's last words."""
    environment = {**os.environ, **(env or {})}
    if lab is not None:
        environment[MARK] = lab
    try:
        done = subprocess.run(argv, input=input, capture_output=True, timeout=timeout, env=environment, check=False)
    except FileNotFoundError as error:
        raise LabError(f"running {argv[0]}: it is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"running {' '.join(argv[:3])}: not finished after {timeout:g} s") from error
    if check and done.returncode:
        raise LabError(f"running {' '.join(argv)}: exit code {done.returncode}: {last_words(done)}")
    return done


def last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    """The end of what a tool said, on one line."""
    text = (done.stderr or done.stdout).decode(errors="replace").strip()
    return " / ".join(text.splitlines()[-3:]) or "it said nothing"
