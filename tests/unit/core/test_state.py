"""The state record survives its own format, and refuses what it does not know."""

import json

import pytest

from sealcluster.core.state import FORMAT, GuestRecord, InitRecord, InventoryRow, StateRecord

FULL = StateRecord(
    "c0ffee",
    fence=7,
    holder="me",
    init=InitRecord(2, "m1", "e7cd", "sha256:1"),
    inventory={
        "m1": InventoryRow(
            "m1", "10.0.0.1", 22, ("master", "registry"), "id", "ssh-ed25519 AAAA", clean=("clean.sh",), clean_env={"a": "b"}
        )
    },
    guests={"cni": GuestRecord("d", 0, "m1", 1.0)},
    rootfs={"amd64": "sha256:2"},
    version="v1.34.4",
    made_from={"spec.network.podSubnet": "100.64.0.0/10"},
    pki_created=True,
    changing="m3",
)


def test_what_is_written_is_read():
    assert StateRecord.loads(FULL.dumps()) == FULL
    assert StateRecord.loads(StateRecord("x").dumps()) == StateRecord("x")


@pytest.mark.parametrize("field", ["changing", "first_keys", "bastion_keys", "pki_created", "made_from"])
def test_a_record_from_before_a_field_is_read(field):
    older = {name: value for name, value in json.loads(FULL.dumps()).items() if name != field}
    assert getattr(StateRecord.loads(json.dumps(older)), field) == getattr(StateRecord("x"), field)


def test_equal_records_are_equal_texts():
    assert FULL.dumps() == StateRecord.loads(FULL.dumps()).dumps()


def test_a_newer_format_is_refused():
    newer = json.dumps({**json.loads(FULL.dumps()), "format": FORMAT + 1})
    with pytest.raises(ValueError, match="newer release"):
        StateRecord.loads(newer)


@pytest.mark.parametrize("text", ["[]", "{}", '{"cluster_id": 5}', "null"])
def test_what_is_no_record_is_refused(text):
    with pytest.raises(ValueError, match="not a SealCluster state record"):
        StateRecord.loads(text)


def test_rows_come_and_go_without_touching_others():
    row = InventoryRow("m2", "10.0.0.2", 22, ("master",), "id2", "")
    assert FULL.with_host(row).without_host("m2") == FULL
    assert set(FULL.with_host(row).inventory) == {"m1", "m2"}


def test_nobody_waits_for_a_change_on_a_machine_that_was_released():
    row = InventoryRow("m3", "10.0.0.3", 22, ("master",), "id3", "")
    assert FULL.with_host(row).changing == "m3"
    assert FULL.with_host(row).without_host("m3").changing == ""
