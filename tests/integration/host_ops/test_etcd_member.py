"""Members of etcd are removed and promoted once."""

import pytest

from sealcluster.core.ops import EtcdMember
from sshkit.ops import do, done

ETCDCTL = """#!/bin/sh
case $1 in
ps) echo abc ;;
exec)
	echo "$@" >>@ROOT@/asked
	case "$*" in
	*"member list"*) cat @ROOT@/members ;;
	*"member remove"*) grep -v "^$(echo "$*" | sed 's/.*remove //')," @ROOT@/members >@ROOT@/m2; mv @ROOT@/m2 @ROOT@/members ;;
	*"member promote"*) sed -i 's/true$/false/' @ROOT@/members ;;
	esac
	;;
esac
"""
MEMBERS = """8e9e05c52164694d, started, m1, https://10.0.0.1:2380, https://10.0.0.1:2379, false
ff, started, m2, https://10.0.0.2:2380, https://10.0.0.2:2379, true
"""


@pytest.fixture
def etcd(m1):
    m1.box.tool("crictl", ETCDCTL.replace("@ROOT@", str(m1.box.root)))
    m1.file("/members").write_text(MEMBERS)
    return m1.file("/members")


async def test_a_member_is_removed_once(m1, etcd):
    await done(m1, EtcdMember("remove", "ff"))
    assert "m2" not in etcd.read_text()
    await done(m1, EtcdMember("remove", "ff"))
    assert m1.file("/asked").read_text().count("member remove") == 1


async def test_a_learner_is_promoted_once(m1, etcd):
    await done(m1, EtcdMember("promote", "ff"))
    assert "true" not in etcd.read_text()
    await done(m1, EtcdMember("promote", "ff"))
    assert m1.file("/asked").read_text().count("member promote") == 1
    assert (await do(m1, EtcdMember("promote", "aa"))).rc == 66


async def test_without_etcd_nothing_is_claimed_to_be_done(m1):
    m1.box.tool("crictl", "#!/bin/sh\n")
    assert (await do(m1, EtcdMember("remove", "ff"))).rc == 69
