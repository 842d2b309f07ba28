"""What etcd says, by its gateway and by etcdctl, as 3.5 and 3.6 do."""

import json

from sealcluster.core.facts import EtcdMember
from sealcluster.host.etcd import parse_etcd

HEADER = {"cluster_id": 14841639068965178418, "member_id": 10276657743932975437, "raft_term": 2}
STATUS = json.dumps([{"Endpoint": "https://127.0.0.1:2379", "Status": {"header": HEADER, "version": "3.6.5", "leader": 1}}])
MEMBERS = json.dumps(
    {
        "header": HEADER,
        "members": [
            {"ID": 10276657743932975437, "name": "m1", "peerURLs": ["https://10.0.0.1:2380"], "clientURLs": ["https://10.0.0.1:2379"]},
            {"ID": 255, "name": "", "peerURLs": ["https://10.0.0.2:2380"], "isLearner": True},
        ],
    }
)


def test_a_member_that_answers_through_the_quorum_is_healthy():
    facts = parse_etcd(STATUS, MEMBERS)
    assert (facts.cluster_id, facts.member_id, facts.healthy) == ("cdf818194e3a8c32", "8e9e05c52164694d", True)
    assert facts.members[1] == EtcdMember("ff", "", True, ("https://10.0.0.2:2380",))


def test_ids_of_64_bits_are_exact():
    assert parse_etcd(STATUS, MEMBERS).members[0].id == format(10276657743932975437, "x")


def test_without_quorum_the_member_still_says_who_it_is():
    facts = parse_etcd(STATUS, "")
    assert (facts.member_id, facts.healthy, facts.members) == ("8e9e05c52164694d", False, ())


def test_a_member_with_an_alarm_is_not_healthy():
    status = json.loads(STATUS)
    status[0]["Status"]["errors"] = ["alarm:NOSPACE"]
    assert parse_etcd(json.dumps(status), MEMBERS).healthy is False


def test_silence_is_none():
    assert parse_etcd("", "") is None
    assert parse_etcd("Error: context deadline exceeded", "[]") is None


def as_text(value):
    """The gateway's way with 64-bit numbers."""
    if isinstance(value, dict):
        return {k: as_text(v) for k, v in value.items()}
    if isinstance(value, list):
        return [as_text(v) for v in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_the_gateway_says_the_same_as_etcdctl():
    status = json.dumps(as_text(json.loads(STATUS)[0]["Status"]))
    members = json.dumps(as_text(json.loads(MEMBERS)))
    assert parse_etcd(status, members) == parse_etcd(STATUS, MEMBERS)
    assert parse_etcd(status, "") == parse_etcd(STATUS, "")


def test_an_alarm_that_the_gateway_tells():
    status = as_text(json.loads(STATUS)[0]["Status"]) | {"errors": ["etcdserver: mvcc: database space exceeded"]}
    assert parse_etcd(json.dumps(status), MEMBERS).healthy is False
