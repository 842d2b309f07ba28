"""Which keys are accepted: a table over what is known and what is shown."""

import asyncssh
import pytest

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import HostKeyPolicy
from sealcluster.ssh.hostkeys import Trust, line_of

A, B = (asyncssh.generate_private_key("ssh-ed25519").convert_to_public() for _ in range(2))
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048).convert_to_public()
HERE = f"10.0.0.1 {line_of(A)}\n"
ELSEWHERE = f"10.0.0.2 {line_of(A)}\n"

CASES = {
    "pinned and shown": (HostKeyPolicy(pinned=line_of(A)), A, True),
    "another than pinned": (HostKeyPolicy(pinned=line_of(A)), B, False),
    "another than pinned, first use allowed": (HostKeyPolicy(trust_on_first_use=True, pinned=line_of(A)), B, False),
    "unknown": (HostKeyPolicy(), A, False),
    "unknown, first use allowed": (HostKeyPolicy(trust_on_first_use=True), A, True),
    "in known_hosts": (HostKeyPolicy(known_hosts=HERE), A, True),
    "known_hosts knows another key": (HostKeyPolicy(known_hosts=HERE), B, False),
    "known_hosts knows another key, first use allowed": (HostKeyPolicy(True, None, HERE), B, False),
    "known_hosts is about another host": (HostKeyPolicy(known_hosts=ELSEWHERE), A, False),
    "known_hosts is about another host, first use allowed": (HostKeyPolicy(True, None, ELSEWHERE), B, True),
    "the user's file overrules what we recorded": (HostKeyPolicy(pinned=line_of(B), known_hosts=HERE), A, True),
    "what we recorded does not overrule the user's file": (HostKeyPolicy(pinned=line_of(B), known_hosts=HERE), B, False),
    "revoked": (HostKeyPolicy(True, None, f"@revoked 10.0.0.1 {line_of(A)}\n"), A, False),
}


@pytest.mark.parametrize(("policy", "shown", "accepted"), CASES.values(), ids=CASES)
def test_policy(policy, shown, accepted):
    assert Trust.of(policy, "h1", "10.0.0.1", 22).accepts(shown) is accepted


def test_known_hosts_of_another_port():
    trust = Trust.of(HostKeyPolicy(known_hosts=f"[10.0.0.1]:2222 {line_of(A)}\n"), "h1", "10.0.0.1", 2222)
    assert trust.accepts(A)


def test_checking_is_never_switched_off():
    assert Trust.of(HostKeyPolicy(), "h1", "10.0.0.1", 22).known_hosts == ([], [], [])


def test_a_changed_key_is_named_with_both_fingerprints():
    error = Trust.of(HostKeyPolicy(pinned=line_of(A)), "h1", "10.0.0.1", 22).refusal("h1", B)
    assert (error.reason, error.host) == ("HostKeyMismatch", "h1")
    assert A.get_fingerprint() in str(error)
    assert B.get_fingerprint() in str(error)


def test_an_unknown_key_is_named_with_its_fingerprint():
    error = Trust.of(HostKeyPolicy(), "h1", "10.0.0.1", 22).refusal("h1", A)
    assert error.reason == "HostKeyUnknown"
    assert A.get_fingerprint() in str(error)
    assert "ssh-keygen" in error.hint


def test_the_kind_of_the_known_key_is_asked_for_first():
    trust = Trust.of(HostKeyPolicy(pinned=line_of(RSA)), "h1", "10.0.0.1", 22)
    assert trust.algorithms[0].startswith("rsa-sha2")
    assert "ssh-ed25519" in trust.algorithms


@pytest.mark.parametrize("policy", [HostKeyPolicy(pinned="rubbish"), HostKeyPolicy(known_hosts="10.0.0.1 ssh-ed25519 AAAA\n")])
def test_unreadable_keys_are_an_error_that_names_the_host(policy):
    with pytest.raises(TerminalError) as caught:
        trust = Trust.of(policy, "h1", "10.0.0.1", 22)
        assert not trust.keys
        raise trust.refusal("h1", A)
    assert caught.value.host == "h1"
    assert caught.value.reason == "HostKeyUnknown"
