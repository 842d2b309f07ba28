"""A machine that is reached as an ordinary user with a password, on another port, through sudo that asks for it."""

import pytest

from sealab.machines import MachineSpec

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def test_a_sudo_user_with_a_password_on_port_2222_makes_a_cluster(managed):
    here = managed(MachineSpec("m1", port=2222, user="ops", auth="password", sudo="password"), secret=False)
    machine = here.site.lab.machines["m1"]
    here.secret("lab-ssh", username="ops", password=machine.password)
    document = here.site.document(["m1"])
    row = document["spec"]["hosts"][0]
    assert (row["port"], row["ssh"]["user"]) == (2222, "ops")
    here.apply(document)
    here.ready(seconds=600)
    assert here.cluster().ready_nodes() == {"m1"}
    shown = "\n".join([here.operator.log.read_text(), str(here.get()), machine.exec("journalctl --no-pager -o cat").stdout.decode()])
    assert machine.password not in shown
