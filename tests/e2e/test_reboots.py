"""Every machine is rebooted in turn, and its boot writes /etc/hosts anew: the cluster comes back without a hand."""

import pytest

from labkit.product import wait_for
from sealab.machines import MachineSpec

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]


def test_every_machine_of_a_highly_available_cluster_is_rebooted_in_turn(managed, fault):
    names = ["m1", "m2", "m3", "m4"]
    here = managed(*(MachineSpec(name, cloud_hosts=True) for name in names))
    lab, machines = here.site.lab, here.site.lab.machines
    here.apply(here.site.document(names[:3], names[3:]))
    here.ready()
    cluster = here.cluster()
    for name in names:
        boot = machines[name].exec("cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat | cut -d' ' -f22").stdout
        fault.reboot(lab, machines[name])
        assert machines[name].exec("cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat | cut -d' ' -f22").stdout != boot
        assert b"sealos.hub" not in machines[name].exec("cat /etc/hosts").stdout, "the boot rewrote the file"
        wait_for(f"{name}'s entries to be back", lambda m=machines[name]: b"sealos.hub" in m.exec("cat /etc/hosts").stdout, 180)
        here.ready()
        assert cluster.ready_nodes() == set(names)
    assert sorted(m["name"] for m in cluster.etcd_members(here.site, "m1")) == names[:3]
    wait_for("hello to run", lambda: any(p["status"]["phase"] == "Running" for p in cluster.pods("app=hello", "default")), 120)
