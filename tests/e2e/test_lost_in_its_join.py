"""A master whose link is cut early in its join goes on joining where nobody sees it: the next one waits, whichever operator asks."""

import pytest

from labkit.product import journal

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

JOIN = "kubeadm-join"


def began(here, name):
    file = here.site.lab.machines[name].rootfs / "var/lib/sealcluster/journal"
    return file.exists() and f" started {JOIN} " in file.read_text()


def times(here, name, state):
    """When joins on this machine came to this state, in seconds of the clock that all lab machines share."""
    lines = here.site.lab.machines[name].exec("cat /var/lib/sealcluster/journal").stdout.decode().splitlines()
    return [int(words[1]) for words in map(str.split, lines) if words[2:4] == [state, JOIN]]


def test_the_next_master_waits_for_one_that_is_lost_in_its_join(managed, fault):
    here = managed(3)
    lab = here.site.lab
    here.apply(here.site.document(["m1", "m2", "m3"]))
    lost = here.told("a master to join", lambda: next((n for n in ("m2", "m3") if began(here, n)), ""), 400)
    fault.cut(lab, lab.machines[lost])
    other = {"m2": "m3", "m3": "m2"}[lost]

    def waits():
        plan = here.get()["status"].get("plan") or {}
        return any(step.get("host") == other and "it may still be changing" in step["what"] for step in plan.get("steps", ()))

    here.told(f"{other} to wait for {lost}", waits, 300)
    here.operator.kill()
    here.plane.kubectl("annotate", "sealcluster", "ha", "sealcluster.io/retry=somebody-new")
    here.operator.start()
    here.told("a new operator to have looked", lambda: here.get()["status"].get("lastHandledRetryAt") == "somebody-new", 120)
    here.told(f"{other} to wait for {lost} all the same", waits, 60)
    assert ("started", JOIN) not in journal(lab.machines[other])

    fault.heal(lab, lab.machines[lost])
    here.ready(seconds=900)
    cluster = here.cluster()
    assert cluster.ready_nodes() == {"m1", "m2", "m3"}
    members = cluster.etcd_members(here.site, "m1")
    assert sorted(m["name"] for m in members) == ["m1", "m2", "m3"]
    assert not any(m.get("isLearner") for m in members)
    first = times(here, lost, "done") + times(here, lost, "failed")
    assert times(here, other, "started")[0] >= min(first), "two masters joined at once"
