"""A Git repository in a folder, for tools that read one by its URL."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sealab.errors import LabError
from sealab.machines_requirements import install_missing

_AUTHOR = ("-c", "user.name=lab", "-c", "user.email=lab@sealcluster.example", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Repository:
    """A repository with the branch `main`."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> "Repository":
        """A new one, without any commit; brings git where it is missing."""
        install_missing({"git": "git"}, print)
        folder.mkdir(parents=True)
        made = cls(folder)
        made._git("init", "--quiet", "--initial-branch=main")
        return made

    @property
    def url(self) -> str:
        """Where others read it."""
        return f"file://{self.folder}"

    def commit(self, message: str, files: Mapping[str, str | None]) -> str:
        """Write these files (None removes one) and commit; returns the revision."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self._git("add", "--all")
        self._git(*_AUTHOR, "commit", "--quiet", "--message", message)
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *words: str) -> str:
        # this machine's own configuration (hooks, signing, line ends) is not the repository's
        environment = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
        done = subprocess.run(["git", *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"running git {' '.join(words)}: exit code {done.returncode}: {done.stderr.strip()}")
        return done.stdout
