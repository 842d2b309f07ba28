"""What may start on a machine beside what runs there already."""

from dataclasses import replace

import pytest

from sealcluster.core.facts import JobFacts
from sealcluster.core.plan import Action
from sealcluster.engine.beside import taken
from unit.core.views import spec, view

ORDINARY = Action("bootstrap", "run init script", "m1", step="init")
SHORT = Action("hosts-entries", "write /etc/hosts", "m1")
ASIDE = Action("certificates", "issue certificates", "m1", aside="certificates")
ALONE = Action("init-control-plane", "initialise the control plane", "m1", step="kubeadm-init")


def world(*running, state="running"):
    here = view(spec(1))
    host = here.hosts["m1"]
    jobs = {step: JobFacts(step, "d", 1, state) for step in running}
    return replace(here, hosts={"m1": replace(host, facts=replace(host.facts, jobs=jobs))})


@pytest.mark.parametrize(
    ("jobs", "ours", "action", "is_taken"),
    [
        ((), (), ORDINARY, False),
        (("init",), (), ORDINARY, False),  # its own job: it is waited for
        (("pull",), (), ORDINARY, True),
        (("pull",), (), SHORT, True),
        (("certificates",), (), SHORT, True),  # nobody here waits for it
        (("certificates",), (ASIDE,), SHORT, False),
        (("pull",), (), ASIDE, False),
        (("certificate-requests",), (), ASIDE, True),
        (("kubeadm-join",), (), ASIDE, True),
        ((), (ALONE,), ASIDE, True),
        ((), (ASIDE,), ALONE, True),
        (("kubeadm-init",), (), ALONE, False),
        (("kubeadm-init",), (ASIDE,), ALONE, True),
    ],
)
def test_beside_what_a_job_may_start(jobs, ours, action, is_taken):
    assert taken(world(*jobs), action, ours) is is_taken


def test_a_job_that_was_interrupted_takes_no_room():
    assert not taken(world("pull", state="interrupted"), ORDINARY, ())


def test_of_a_machine_that_was_not_seen_nothing_is_known():
    here = view(spec(1))
    unseen = replace(here, hosts={"m1": replace(here.hosts["m1"], facts=None)})
    assert not taken(unseen, ALONE, ())
    assert not taken(here, replace(ORDINARY, host=""), ())
