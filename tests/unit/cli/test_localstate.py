"""The file-based records of the CLI."""

import os
import stat
from pathlib import Path

import pytest

from contract_management import AUTHORITIES, RECORD, ManagementContract, Put
from sealcluster.cli import localfiles
from sealcluster.cli.localstate import LocalManagement
from sealcluster.core.errors import TerminalError


@pytest.fixture
def management(tmp_path: Path) -> LocalManagement:
    return LocalManagement.of("demo", tmp_path / "clusters")


@pytest.fixture
def again(tmp_path: Path) -> LocalManagement:
    return LocalManagement.of("demo", tmp_path / "clusters")


@pytest.fixture
def put(again: LocalManagement) -> Put:
    return again.put


class TestLocalManagement(ManagementContract):
    async def test_everything_is_private(self, management: LocalManagement, put: Put) -> None:
        previous = os.umask(0)
        try:
            await put("Secret", "login", {"password": "x"})
            await management.save_state(RECORD, "")
            await management.create_pki(AUTHORITIES)
            await management.save_kubeconfig("text")
        finally:
            os.umask(previous)
        paths = [management.directory, *management.directory.rglob("*")]
        assert len(paths) == 16
        wrong = {str(p): oct(p.stat().st_mode) for p in paths if stat.S_IMODE(p.stat().st_mode) != (0o700 if p.is_dir() else 0o600)}
        assert wrong == {}

    async def test_a_folder_that_others_could_read_is_closed(self, management: LocalManagement) -> None:
        management.directory.mkdir(parents=True, mode=0o755)
        await management.save_state(RECORD, "")
        assert stat.S_IMODE(management.directory.stat().st_mode) == 0o700

    async def test_a_missing_authority_is_named(self, management: LocalManagement) -> None:
        await management.create_pki(AUTHORITIES)
        (management.directory / "pki" / "etcd.key").unlink()
        with pytest.raises(TerminalError, match=r"etcd\.key") as error:
            await management.load_pki()
        assert error.value.reason == "PKIMissing"

    @pytest.mark.parametrize(
        "text", ["", "[]", "{", '{"cluster_id": 3}', '{"cluster_id": "a", "format": 99}', '{"cluster_id": "a", "bogus": 1}']
    )
    async def test_a_damaged_record_is_refused_and_kept(self, management: LocalManagement, text: str) -> None:
        localfiles.write(management.directory / "state.json", text.encode())
        with pytest.raises(TerminalError, match=r"state\.json") as error:
            await management.load_state()
        assert error.value.reason == "StateUnreadable"
        assert (management.directory / "state.json").read_text() == text

    async def test_a_write_that_dies_leaves_the_old_file_and_no_rest(
        self, management: LocalManagement, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        version = await management.save_state(RECORD, "")

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(localfiles.os, "fsync", full)
        with pytest.raises(TerminalError, match="No space"):
            await management.save_state(RECORD.without_host("m1"), version)
        with pytest.raises(TerminalError, match="No space"):
            await management.create_pki(AUTHORITIES)
        assert await management.load_state() == (RECORD, version)
        assert sorted(path.name for path in management.directory.iterdir()) == ["lock", "state.json"]
