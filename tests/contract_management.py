"""What every `core.ports.Management` must do, whatever it stores its records in.

A module's test class inherits `ManagementContract` and gives the fixtures `management` (empty records), `again` (another process's view
of the same records) and `put` (store a user's Secret or ConfigMap).
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import pytest

from sealcluster.core.errors import StateConflict, TerminalError
from sealcluster.core.evidence import Evidence
from sealcluster.core.ports import PKI, Management
from sealcluster.core.state import GuestRecord, InitRecord, InventoryRow, StateRecord

Put = Callable[[str, str, Mapping[str, str]], Awaitable[None]]

ROW = InventoryRow("m1", "10.0.0.11", 22, ("master", "registry"), "4f" * 16, "ssh-ed25519 AAAAC3Nz", credentials_secret="login")
RECORD = (
    StateRecord("c1", fence=3, holder="pod-a", init=InitRecord(1, "m1"))
    .with_host(ROW)
    .with_guest("cni", GuestRecord("sha256:ab", 0, "m1", 5.5))
)
AUTHORITIES = PKI(
    ca=("ca certificate\n", "ca key\n"),
    etcd=("etcd certificate\n", "etcd key\n"),
    proxy=("proxy certificate\n", "proxy key\n"),
    sa=("sa public\n", "sa private\n"),
    registry_password="registry pässword",
)


class ManagementContract:
    async def test_nothing_is_there_at_first(self, management: Management) -> None:
        assert await management.load_state() == (None, "")
        assert await management.load_pki() is None
        assert await management.load_kubeconfig() is None

    async def test_the_state_survives(self, management: Management, again: Management) -> None:
        version = await management.save_state(RECORD, "")
        assert version
        assert await again.load_state() == (RECORD, version)

    async def test_every_save_gives_the_version_that_the_next_needs(self, management: Management) -> None:
        version = ""
        for fence in range(1, 6):
            version = await management.save_state(replace(RECORD, fence=fence), version)
        assert await management.load_state() == (replace(RECORD, fence=5), version)

    async def test_a_second_creation_is_a_conflict(self, management: Management, again: Management) -> None:
        await management.save_state(RECORD, "")
        with pytest.raises(StateConflict):
            await again.save_state(replace(RECORD, cluster_id="c2"), "")
        assert (await management.load_state())[0] == RECORD

    async def test_a_stale_version_is_a_conflict(self, management: Management, again: Management) -> None:
        first = await management.save_state(RECORD, "")
        await management.save_state(replace(RECORD, fence=4), first)
        with pytest.raises(StateConflict):
            await again.save_state(replace(RECORD, fence=5), first)
        assert (await again.load_state())[0] == replace(RECORD, fence=4)

    async def test_of_many_writers_at_once_exactly_one_wins(self, management: Management, again: Management) -> None:
        first = await management.save_state(RECORD, "")
        writers = [(management, again)[n % 2].save_state(replace(RECORD, holder=f"pod-{n}"), first) for n in range(8)]
        results = await asyncio.gather(*writers, return_exceptions=True)
        winners = [n for n, result in enumerate(results) if isinstance(result, str)]
        assert len(winners) == 1, results
        assert all(isinstance(result, StateConflict) for n, result in enumerate(results) if n not in winners)
        assert await again.load_state() == (replace(RECORD, holder=f"pod-{winners[0]}"), results[winners[0]])

    async def test_saving_a_record_that_is_gone_is_a_conflict(self, management: Management) -> None:
        version = await management.save_state(RECORD, "")
        await management.purge()
        with pytest.raises(StateConflict):
            await management.save_state(RECORD, version)

    async def test_2000_hosts_with_long_host_keys_fit(self, management: Management, again: Management) -> None:
        rows = {
            f"worker-{n}": replace(
                ROW, name=f"worker-{n}", machine_id=f"{n:032x}", host_key="ssh-rsa " + base64.b64encode(n.to_bytes(4) * 135).decode()
            )
            for n in range(2000)
        }
        record = replace(RECORD, inventory=rows)
        assert len(record.dumps()) > 1024 * 1024
        await management.save_state(RECORD, await management.save_state(record, await management.save_state(RECORD, "")))
        assert (await again.load_state())[0] == RECORD
        await management.save_state(record, (await again.load_state())[1])
        assert (await again.load_state())[0] == record

    async def test_authorities_survive(self, management: Management, again: Management) -> None:
        await management.create_pki(AUTHORITIES)
        assert await again.load_pki() == AUTHORITIES

    async def test_authorities_are_never_overwritten(self, management: Management, again: Management) -> None:
        await management.create_pki(AUTHORITIES)
        with pytest.raises(StateConflict):
            await again.create_pki(replace(AUTHORITIES, ca=("other", "other")))
        assert await again.load_pki() == AUTHORITIES

    async def test_of_two_creators_at_once_one_wins_whole(self, management: Management, again: Management) -> None:
        def of(n: int) -> PKI:
            pair = (f"certificate {n}", f"key {n}")
            return PKI(ca=pair, etcd=pair, proxy=pair, sa=pair, registry_password=f"password {n}")

        results = await asyncio.gather(management.create_pki(of(0)), again.create_pki(of(1)), return_exceptions=True)
        stored = await again.load_pki()
        assert stored in {of(n) for n, result in enumerate(results) if result is None}
        assert sum(isinstance(result, StateConflict) for result in results) == 1, results

    async def test_a_kubeconfig_is_replaced(self, management: Management, again: Management) -> None:
        await management.save_kubeconfig("one")
        assert await again.load_kubeconfig() == "one"
        await again.save_kubeconfig("two")
        await again.save_kubeconfig("two")
        assert await management.load_kubeconfig() == "two"

    async def test_credentials_with_a_key(self, management: Management, put: Put) -> None:
        key = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n"
        await put(
            "Secret",
            "login",
            {"username": "ops\n", "ssh-privatekey": key, "passphrase": "open", "ssh-certificate": "cert\n", "become-password": "root"},
        )
        found = await management.credentials("login")
        assert (found.user, found.private_key, found.passphrase, found.certificate) == ("ops", key, "open", "cert\n")
        assert (found.password, found.become_password) == (None, "root")

    async def test_credentials_with_a_password_use_it_for_sudo_too(self, management: Management, put: Put) -> None:
        await put("Secret", "login", {"username": "ops", "password": "hünter2\n"})
        found = await management.credentials("login")
        assert (found.user, found.password, found.become_password) == ("ops", "hünter2", "hünter2")
        assert "hünter2" not in repr(found)

    async def test_changed_credentials_have_another_version(self, management: Management, put: Put) -> None:
        await put("Secret", "login", {"password": "one"})
        first = await management.credentials("login")
        assert (await management.credentials("login")).version == first.version
        await put("Secret", "login", {"password": "two"})
        second = await management.credentials("login")
        assert (second.password, second.user) == ("two", "root")
        assert first.version
        assert second.version not in {"", first.version}

    async def test_missing_credentials_are_named(self, management: Management, put: Put) -> None:
        with pytest.raises(TerminalError, match="nobody") as missing:
            await management.credentials("nobody")
        assert missing.value.reason == "SecretMissing"
        await put("Secret", "half", {"username": "ops"})
        with pytest.raises(TerminalError, match=r"half.*'password'.*'ssh-privatekey'") as half:
            await management.credentials("half")
        assert half.value.reason == "SecretMissing"

    @pytest.mark.parametrize("reference", ["../other", "a/b", "", "..", "a%2fb"])
    async def test_a_reference_cannot_leave_its_place(self, management: Management, reference: str) -> None:
        with pytest.raises(TerminalError, match="name"):
            await management.credentials(reference)

    @pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
    async def test_texts(self, management: Management, put: Put, kind: str) -> None:
        await put(kind, "extra", {"known_hosts": "a b\nc d\n"})
        assert await management.text(kind, "extra", "known_hosts") == "a b\nc d\n"
        with pytest.raises(TerminalError, match=r"extra.*'other'.*") as missing:
            await management.text(kind, "extra", "other")
        assert missing.value.reason == "SecretMissing"
        with pytest.raises(TerminalError, match=f"{kind}.*absent"):
            await management.text(kind, "absent", "known_hosts")

    async def test_pull_secrets_are_merged(self, management: Management, put: Put) -> None:
        both = base64.b64encode(b"ann:s3:cret").decode()
        await put(
            "Secret",
            "one",
            {".dockerconfigjson": json.dumps({"auths": {"https://registry.example/v1/": {"auth": both}, "empty.example": {}}})},
        )
        await put(
            "Secret",
            "two",
            {
                ".dockerconfigjson": json.dumps(
                    {
                        "auths": {
                            "registry.example": {"username": "bob", "password": "x"},
                            "b.example:5000": {"username": "b", "password": "y"},
                        }
                    }
                )
            },
        )
        auth = await management.pull_auth(["one", "two"])
        assert auth.auths == {"registry.example": ("ann", "s3:cret"), "b.example:5000": ("b", "y")}
        assert "s3:cret" not in repr(auth)
        assert (await management.pull_auth([])).auths == {}

    async def test_the_stamp_of_an_object_changes_with_its_content(self, management: Management, again: Management, put: Put) -> None:
        assert [await management.stamp(kind, "given") for kind in ("Secret", "ConfigMap")] == ["", ""]
        await put("ConfigMap", "given", {"a": "one"})
        assert await management.stamp("ConfigMap", "given")
        await put("Secret", "given", {"a": "one"})
        first = await management.stamp("Secret", "given")
        assert first
        assert await again.stamp("Secret", "given") == first
        await put("Secret", "given", {"a": "other"})
        second = await management.stamp("Secret", "given")
        assert second not in ("", first)
        assert "other" not in second

    @pytest.mark.parametrize(
        "text", ["hunter2", '{"auths": ["hunter2"]}', '{"auths": {"a": {"auth": "hunter2"}}}', '{"hunter2": {}}', '["hunter2"]']
    )
    async def test_a_broken_pull_secret_is_named_and_not_quoted(self, management: Management, put: Put, text: str) -> None:
        await put("Secret", "broken", {".dockerconfigjson": text})
        with pytest.raises(TerminalError, match="broken") as error:
            await management.pull_auth(["broken"])
        assert error.value.reason == "SecretMissing"
        assert "hunter2" not in str(error.value)

    async def test_evidence_is_kept_and_replaced_as_a_whole(self, management: Management, again: Management) -> None:
        assert await management.load_evidence() == ()
        entries = tuple(Evidence("join-nodes", "join", "KubeadmJoinFailed", "no", 1.0, f"w{n}", output="ä\n") for n in range(3))
        await management.save_evidence(entries)
        assert await again.load_evidence() == entries
        await again.save_evidence(entries[1:])
        assert await management.load_evidence() == entries[1:]
        await management.purge()
        assert await again.load_evidence() == ()

    async def test_purge_removes_our_records_and_leaves_the_users(self, management: Management, again: Management, put: Put) -> None:
        await put("Secret", "login", {"password": "one"})
        await management.save_state(RECORD, "")
        await management.create_pki(AUTHORITIES)
        await management.save_kubeconfig("text")
        await management.purge()
        assert await again.load_state() == (None, "")
        assert await again.load_pki() is None
        assert await again.load_kubeconfig() is None
        assert (await again.credentials("login")).password == "one"
        await again.purge()

    async def test_after_purge_a_cluster_can_begin_anew(self, management: Management) -> None:
        for _ in range(2):
            await management.save_state(RECORD, "")
            await management.create_pki(AUTHORITIES)
            await management.purge()
        assert await management.load_state() == (None, "")
