"""What the client does when the API server misbehaves."""

import socket

import pytest

from sealcluster.core.errors import SealError, StateConflict, TerminalError, TransientError
from sealcluster.kube.client import KubeClient, worth_another_try
from sealcluster.kube.errors import Answer, Conflict, NotFound, Refused, Unavailable, error_of
from sealcluster.kube.resources import NODES, PODS, SEALCLUSTERS, SECRETS
from unit.kube.scripted_api import LOST, ScriptedAPI, refusal

pytestmark = pytest.mark.usefixtures("no_waits")
SECRET = {"metadata": {"name": "a"}, "data": {"password": "aHVudGVyMg=="}}


@pytest.fixture
def client(api: ScriptedAPI) -> KubeClient:
    return KubeClient(api.transport, attempts=3, timeout=5)


@pytest.mark.parametrize("trouble", [429, 500, 502, 503, 504, LOST])
async def test_a_passing_trouble_is_overcome(api: ScriptedAPI, client: KubeClient, trouble: object) -> None:
    api.will(trouble, trouble, (200, {"kind": "Secret"}))
    assert await client.get(SECRETS, "a", "ns") == {"kind": "Secret"}
    assert [asked.path for asked in api.asked] == ["/api/v1/namespaces/ns/secrets/a"] * 3


@pytest.mark.parametrize("trouble", [429, 503, LOST])
async def test_a_lasting_trouble_is_transient_and_bounded(api: ScriptedAPI, client: KubeClient, trouble: object) -> None:
    api.will(*[trouble] * 10)
    with pytest.raises(Unavailable, match="patching Secret ns/a") as error:
        await client.patch(SECRETS, "a", {}, "ns")
    assert isinstance(error.value, TransientError)
    assert len(api.asked) == 3
    assert error.value.answered == (trouble is not LOST)


async def test_nobody_listens(client: KubeClient, api: ScriptedAPI) -> None:
    nobody = KubeClient(api.transport, server="http://127.0.0.1:1", attempts=2)
    with pytest.raises(Unavailable, match="listing nodes") as error:
        _ = [node async for node in nobody.pages(NODES)]
    assert not error.value.answered


@pytest.mark.parametrize("status", [400, 401, 403, 405, 413, 415, 422])
async def test_a_refusal_is_final(api: ScriptedAPI, client: KubeClient, status: int) -> None:
    api.will(refusal(status, "Invalid", "spec.hosts[0].port: Invalid value"))
    with pytest.raises(Refused, match=r"creating Secret ns/a: spec\.hosts\[0\]\.port") as error:
        await client.create(SECRETS, dict(SECRET), "ns")
    assert isinstance(error.value, TerminalError)
    assert error.value.status == status
    assert len(api.asked) == 1


async def test_absence(api: ScriptedAPI, client: KubeClient) -> None:
    api.will(404, 404, 404)
    with pytest.raises(NotFound, match="getting SealCluster ns/a"):
        await client.get(SEALCLUSTERS, "a", "ns")
    assert await client.find(SEALCLUSTERS, "a", "ns") is None
    assert await client.delete(SEALCLUSTERS, "a", "ns") is False


async def test_a_conflict_tells_a_taken_name_from_a_stale_version(api: ScriptedAPI, client: KubeClient) -> None:
    api.will(refusal(409, "AlreadyExists", "exists"), refusal(409, "Conflict", "stale"))
    with pytest.raises(Conflict) as taken:
        await client.create(SECRETS, dict(SECRET), "ns")
    with pytest.raises(Conflict) as stale:
        await client.patch(SECRETS, "a", {}, "ns")
    assert (taken.value.exists, stale.value.exists) == (True, False)
    assert not taken.value.after_lost_reply
    assert isinstance(stale.value, StateConflict)


@pytest.mark.parametrize("first", [LOST, 504])
async def test_a_conflict_after_a_lost_answer_may_be_our_own_change(api: ScriptedAPI, client: KubeClient, first: object) -> None:
    api.will(first, refusal(409, "AlreadyExists", "exists"))
    with pytest.raises(Conflict) as error:
        await client.create(SECRETS, dict(SECRET), "ns")
    assert error.value.after_lost_reply


async def test_a_server_that_hangs_is_given_up(api: ScriptedAPI) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        impatient = KubeClient(api.transport, server=f"http://127.0.0.1:{silent.getsockname()[1]}", attempts=1, timeout=0.05)
        with pytest.raises(Unavailable, match=r"within 0\.05 s"):
            await impatient.get(NODES, "n")


async def test_an_eviction_that_a_budget_forbids_is_asked_for_once(api: ScriptedAPI, client: KubeClient) -> None:
    cause = {"reason": "DisruptionBudget", "message": "The disruption budget web needs 2 healthy pods and has 2 currently"}
    api.will(refusal(429, "TooManyRequests", "Cannot evict pod", causes=[cause]))
    with pytest.raises(Unavailable) as error:
        await client.evict("web-1", "shop")
    assert error.value.causes == (cause["message"],)
    assert [(asked.method, asked.path) for asked in api.asked] == [("POST", "/api/v1/namespaces/shop/pods/web-1/eviction")]


async def test_pages_are_followed_to_the_end(api: ScriptedAPI, client: KubeClient) -> None:
    api.will((200, {"items": [1, 2], "metadata": {"continue": "token+/="}}), (200, {"items": [3], "metadata": {}}))
    assert [item async for item in client.pages(PODS, labels="a=b", fields="spec.nodeName=n", page=2)] == [1, 2, 3]
    assert api.asked[1].query == {"limit": "2", "labelSelector": "a=b", "fieldSelector": "spec.nodeName=n", "continue": "token+/="}


async def test_what_goes_over_the_wire(api: ScriptedAPI, client: KubeClient) -> None:
    await client.patch(SECRETS, "a", {"data": {"k": None}}, "ns")
    await client.patch(SECRETS, "a", [{"op": "test"}], "ns")
    await client.apply(SEALCLUSTERS, {"metadata": {"name": "c"}, "status": {}}, "ns", subresource="status")
    await client.delete(NODES, "n", uid="u", version="7")
    assert [asked.headers["Content-Type"] for asked in api.asked[:3]] == [
        "application/merge-patch+json",
        "application/json-patch+json",
        "application/apply-patch+yaml",
    ]
    applied = api.asked[2]
    assert applied.path == "/apis/sealcluster.io/v1alpha1/namespaces/ns/sealclusters/c/status"
    assert applied.query == {"fieldManager": "sealcluster", "force": "true"}
    assert (applied.body["apiVersion"], applied.body["kind"]) == ("sealcluster.io/v1alpha1", "SealCluster")
    assert api.asked[3].body["preconditions"] == {"uid": "u", "resourceVersion": "7"}
    assert all(asked.headers["Authorization"] == "Bearer s3cret" for asked in api.asked)


@pytest.mark.parametrize("answer", [LOST, 500, (403, {"kind": "Status", "message": "no"}), (200, "not an object")])
async def test_no_error_quotes_token_or_content(api: ScriptedAPI, client: KubeClient, answer: object) -> None:
    api.will(answer, answer, answer)
    try:
        await client.create(SECRETS, dict(SECRET), "ns")
    except SealError as error:
        text = repr(error) + str(error) + error.hint
        assert "s3cret" not in text
        assert "aHVudGVyMg" not in text


@pytest.mark.parametrize("name", ["../nodes", "a/b", "", "a%2Fb", ".", "..", "a?b", "a#b", "ä"])
async def test_a_name_cannot_become_another_path(api: ScriptedAPI, client: KubeClient, name: str) -> None:
    with pytest.raises(TerminalError, match="valid name"):
        await client.get(SECRETS, name, "ns")
    with pytest.raises(TerminalError, match="valid name"):
        await client.get(SECRETS, "a", name)
    assert api.asked == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({"Retry-After": "7"}, 7.0), ({"Retry-After": "86400"}, 30.0), ({}, True), ({"Retry-After": "Wed, 21 Oct 2026"}, True)],
)
def test_the_servers_wait_is_kept_within_bounds(headers: dict[str, str], expected: float | bool) -> None:
    assert worth_another_try(error_of(Answer(429, b"", headers), "getting")) == expected


def test_an_expired_page_is_not_asked_for_again() -> None:
    assert worth_another_try(error_of(Answer(410, b"", {}), "listing")) is False


async def test_an_answer_that_is_no_json_is_a_trouble_of_the_server(api: ScriptedAPI, client: KubeClient) -> None:
    api.will((200, "<html>"))
    with pytest.raises(Unavailable, match="getting Secret ns/a"):
        await client.get(SECRETS, "a", "ns")
