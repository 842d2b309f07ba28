"""kubeadm configuration: golden files for every minor, and the rules behind them one by one."""

from dataclasses import replace
from datetime import timedelta

import pytest
import yaml

from sealcluster.render.kubeadm import certificate_names, init_documents, parse_documents, render_csr, render_init, render_join
from sealcluster.render.kubeadm_component import choose_proxy_mode
from sealcluster.render.kubeadm_defaults import DEFAULT_AUDIT_POLICY, go_duration
from sealcluster.render.kubeadm_inputs import FieldError, KubeadmDocuments, NodeInputs, Taint
from unit.render.kubeadm_cases import DISCOVERY, GOLDEN, IMAGE, MINORS, TOKEN, USER, cases, cluster

NODE = NodeInputs("m1", "10.0.0.11")


def documents(inputs, node=NODE):
    return {document["kind"]: document for document in init_documents(inputs, node)}


def joined(inputs, node=NODE, *, master=True):
    return yaml.safe_load(render_join(inputs, node, DISCOVERY, master=master))


def flags(component):
    found = component["extraArgs"]
    return found if isinstance(found, dict) else {flag["name"]: flag["value"] for flag in found}


@pytest.mark.parametrize(("name", "text"), [pytest.param(*case, id=case[0]) for case in cases()])
def test_golden(name, text):
    assert text == (GOLDEN / name).read_text()


def test_no_golden_file_is_left_over():
    assert {path.name for path in GOLDEN.iterdir()} == {name for name, _ in cases()}


@pytest.mark.parametrize("minor", MINORS)
def test_the_api_version_follows_from_the_minor(minor):
    expected = "kubeadm.k8s.io/v1beta4" if minor >= 31 else "kubeadm.k8s.io/v1beta3"
    found = documents(cluster(minor))
    assert found["InitConfiguration"]["apiVersion"] == found["ClusterConfiguration"]["apiVersion"] == expected
    assert joined(cluster(minor))["apiVersion"] == expected


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("layers", [{}, {"user_documents": USER, "image_documents": IMAGE}])
def test_every_minor_reads_the_layers_and_repeats_nothing(minor, layers):
    found = documents(cluster(minor, **layers))["ClusterConfiguration"]
    for component in ("apiServer", "controllerManager"):
        names = [f["name"] for f in found[component]["extraArgs"]] if minor >= 31 else list(found[component]["extraArgs"])
        assert len(names) == len(set(names))
    sans = found["apiServer"]["certSANs"]
    assert len(sans) == len(set(sans))
    mounts = [volume["mountPath"] for volume in found["apiServer"]["extraVolumes"]]
    assert len(mounts) == len(set(mounts)) == 2


def test_layers_beat_each_other_in_order():
    found = documents(cluster(34, user_documents=USER, image_documents=IMAGE))["ClusterConfiguration"]
    assert flags(found["apiServer"])["audit-log-maxage"] == "30"  # user over image over ours
    assert flags(found["apiServer"])["v"] == "1"  # the image's stays where the user is silent
    assert flags(found["apiServer"])["audit-log-maxsize"] == "100"  # ours stays where both are
    assert found["networking"]["serviceSubnet"] == "10.96.0.0/22"  # what must hold beats the image
    without = documents(cluster(34, image_documents=IMAGE))["ClusterConfiguration"]
    assert flags(without["apiServer"])["audit-log-maxage"] == "14"


def test_inputs_are_not_changed():
    before = repr(USER), repr(IMAGE)
    render_init(cluster(29, user_documents=USER, image_documents=IMAGE), NODE)
    assert (repr(USER), repr(IMAGE)) == before


@pytest.mark.parametrize("minor", [30, 34])
def test_both_spellings_of_a_users_document_give_the_same(minor):
    old = {"apiServer": {"extraArgs": {"v": "3"}, "timeoutForControlPlane": "6m0s"}}
    new = {"apiServer": {"extraArgs": [{"name": "v", "value": "3"}]}}
    timeouts = {"timeouts": {"controlPlaneComponentHealthCheck": "6m0s"}}
    first = KubeadmDocuments(cluster={"apiVersion": "kubeadm.k8s.io/v1beta3", "kind": "ClusterConfiguration", **old})
    second = KubeadmDocuments(
        cluster={"apiVersion": "kubeadm.k8s.io/v1beta4", **new}, init={"apiVersion": "kubeadm.k8s.io/v1beta4", **timeouts}
    )
    assert render_init(cluster(minor, user_documents=first), NODE) == render_init(cluster(minor, user_documents=second), NODE)


@pytest.mark.parametrize("minor", [30, 34])
def test_the_discovery_timeout_is_where_the_version_wants_it(minor):
    for document in (
        {"apiVersion": "kubeadm.k8s.io/v1beta3", "discovery": {"timeout": "9m0s"}},
        {"apiVersion": "kubeadm.k8s.io/v1beta4", "timeouts": {"discovery": "9m0s"}},
    ):
        found = joined(cluster(minor, user_documents=KubeadmDocuments(join=document)))
        assert (found["timeouts"]["discovery"] if minor >= 31 else found["discovery"]["timeout"]) == "9m0s"


def test_a_flag_given_twice_stays_twice_where_the_api_can_say_it():
    twice = [{"name": "service-account-issuer", "value": "https://a"}, {"name": "service-account-issuer", "value": "https://b"}]
    user = KubeadmDocuments(cluster={"apiServer": {"extraArgs": twice}})
    found = documents(cluster(34, user_documents=user))["ClusterConfiguration"]["apiServer"]["extraArgs"]
    assert [flag for flag in found if flag["name"] == "service-account-issuer"] == twice
    with pytest.raises(FieldError, match=r"spec.kubeadm.cluster.apiServer.extraArgs.service-account-issuer: is given twice"):
        documents(cluster(30, user_documents=user))


def test_a_single_machine_takes_workloads_unless_its_taints_say_otherwise():
    single = cluster(34, single_node=True)
    assert documents(single)["InitConfiguration"]["nodeRegistration"]["taints"] == []
    assert "taints" not in documents(cluster(34))["InitConfiguration"]["nodeRegistration"]
    user = KubeadmDocuments(init={"nodeRegistration": {"taints": [{"key": "kubeadmNode", "value": "theValue", "effect": "NoSchedule"}]}})
    chosen = documents(replace(single, user_documents=user))["InitConfiguration"]["nodeRegistration"]["taints"]
    assert [taint["key"] for taint in chosen] == ["kubeadmNode"]


@pytest.mark.parametrize(
    ("minor", "keys"),
    [
        (23, ["node-role.kubernetes.io/master"]),
        (24, ["node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"]),
        (25, ["node-role.kubernetes.io/control-plane"]),
    ],
)
def test_a_masters_own_taint_comes_on_top_of_the_roles(minor, keys):
    node = replace(NODE, taints=(Taint("dedicated", "NoExecute"),))
    taints = joined(cluster(minor), node)["nodeRegistration"]["taints"]
    assert [taint["key"] for taint in taints] == [*keys, "dedicated"]
    assert taints[-1] == {"key": "dedicated", "effect": "NoExecute"}
    worker = joined(cluster(minor), node, master=False)["nodeRegistration"]["taints"]
    assert [taint["key"] for taint in worker] == ["dedicated"]


@pytest.mark.parametrize(
    "layers", [{}, {"user_documents": KubeadmDocuments(join={"nodeRegistration": {"taints": [{"key": "a", "effect": "NoSchedule"}]}})}]
)
def test_a_host_without_any_taint(layers):
    assert joined(cluster(34, **layers), replace(NODE, taints=None))["nodeRegistration"]["taints"] == []


def test_the_hosts_own_values_hold():
    node = NodeInputs("m7", "10.0.0.17", cri_socket="unix:///run/crio/crio.sock")
    init = documents(cluster(34, user_documents=USER), node)["InitConfiguration"]
    assert init["localAPIEndpoint"] == {"advertiseAddress": "10.0.0.17", "bindPort": 6443}
    registration = init["nodeRegistration"]
    assert (registration["name"], registration["criSocket"]) == ("m7", "unix:///run/crio/crio.sock")
    assert registration["kubeletExtraArgs"] == [{"name": "node-ip", "value": "10.0.0.17"}, {"name": "v", "value": "2"}]


def test_an_external_balancer_on_another_port():
    inputs = cluster(34, endpoint_domain="lb.example.org", endpoint_port=443, bind_port=6443, vip=None)
    found = documents(inputs)
    assert found["ClusterConfiguration"]["controlPlaneEndpoint"] == "lb.example.org:443"
    assert found["InitConfiguration"]["localAPIEndpoint"]["bindPort"] == 6443
    assert "excludeCIDRs" not in found["KubeProxyConfiguration"].get("ipvs", {})


def test_a_joining_master_needs_no_certificate_key_and_a_worker_no_control_plane():
    master, worker = joined(cluster(34)), joined(cluster(34), master=False)
    assert master["controlPlane"] == {"localAPIEndpoint": {"advertiseAddress": "10.0.0.11", "bindPort": 6443}}
    assert "controlPlane" not in worker
    assert master["discovery"] == worker["discovery"]


def test_the_token_does_not_show_in_repr():
    assert TOKEN not in repr(DISCOVERY)


def test_the_csr_file_names_the_host_and_has_no_component_documents():
    found = list(yaml.safe_load_all(render_csr(cluster(34), NodeInputs("m2", "10.0.0.12"))))
    assert [document["kind"] for document in found] == ["InitConfiguration", "ClusterConfiguration"]
    assert found[0]["nodeRegistration"]["name"] == "m2"


@pytest.mark.parametrize("minor", [30, 34])
def test_certificates_follow_the_declared_validity(minor):
    inputs = cluster(minor, validity=timedelta(days=90), ca_validity=timedelta(days=3650))
    found = documents(inputs)["ClusterConfiguration"]
    assert flags(found["controllerManager"])["cluster-signing-duration"] == "2160h0m0s"
    assert found.get("certificateValidityPeriod") == ("2160h0m0s" if minor >= 31 else None)
    assert found.get("caCertificateValidityPeriod") == ("87600h0m0s" if minor >= 31 else None)


def test_go_durations():
    assert go_duration(timedelta(days=1, minutes=2, seconds=3.7)) == "24h2m3s"


def test_without_audit_nothing_of_it_is_left():
    found = documents(cluster(34, audit=False))["ClusterConfiguration"]["apiServer"]
    assert list(flags(found)) == ["enable-aggregator-routing"]
    assert "extraVolumes" not in found


def test_the_default_audit_policy_is_one():
    policy = yaml.safe_load(DEFAULT_AUDIT_POLICY)
    assert (policy["apiVersion"], policy["kind"]) == ("audit.k8s.io/v1", "Policy")
    assert policy["rules"][-1] == {"level": "Metadata"}


def test_certificate_names_are_what_kubeadm_will_look_for():
    user = KubeadmDocuments(
        cluster={"apiServer": {"certSANs": ["api.example.org"]}, "etcd": {"local": {"serverCertSANs": ["e1"], "peerCertSANs": ["e2"]}}}
    )
    inputs = cluster(34, user_documents=user, extra_sans=("203.0.113.7",))
    names = certificate_names(inputs)
    assert list(names.api_server) == documents(inputs)["ClusterConfiguration"]["apiServer"]["certSANs"]
    assert names.api_server[-2:] == ("203.0.113.7", "api.example.org")
    assert (names.etcd_server, names.etcd_peer) == (("e1",), ("e2",))


@pytest.mark.parametrize(("minor", "kept"), [(26, False), (27, True)])
def test_the_images_shim_is_a_flag_or_a_field(minor, kept):
    found = documents(cluster(minor, image_service_endpoint="unix:///shim.sock"))
    assert ("imageServiceEndpoint" in found["KubeletConfiguration"]) is kept
    assert (
        "image-service-endpoint" in flags({"extraArgs": found["InitConfiguration"]["nodeRegistration"]["kubeletExtraArgs"]})
    ) is not kept


def test_a_detected_cgroup_driver_holds():
    assert documents(cluster(34))["KubeletConfiguration"]["cgroupDriver"] == "systemd"
    assert documents(cluster(34, cgroup_driver="cgroupfs"))["KubeletConfiguration"]["cgroupDriver"] == "cgroupfs"
    user = KubeadmDocuments(kubelet={"cgroupDriver": "cgroupfs"})
    assert documents(cluster(34, user_documents=user))["KubeletConfiguration"]["cgroupDriver"] == "cgroupfs"
    with pytest.raises(FieldError, match=r"spec\.kubeadm\.kubelet\.cgroupDriver"):
        documents(cluster(34, user_documents=user, cgroup_driver="systemd"))


@pytest.mark.parametrize(("minor", "gates"), [(29, {"NFTablesProxyMode": True}), (30, {"NFTablesProxyMode": True}), (31, None)])
def test_nftables_mode_has_its_gate_as_long_as_it_needs_one(minor, gates):
    found = documents(cluster(minor, proxy_mode="nftables"))["KubeProxyConfiguration"]
    assert (found["mode"], found.get("featureGates")) == ("nftables", gates)
    assert "ipvs" not in found


def test_nftables_mode_before_v129_is_refused():
    with pytest.raises(FieldError, match=r"^spec\.network\.proxyMode: nftables needs Kubernetes v1\.29"):
        documents(cluster(28, proxy_mode="nftables"))


@pytest.mark.parametrize(
    ("requested", "minor", "ipvs", "mode"),
    [
        ("Auto", 34, True, "ipvs"),
        ("Auto", 34, False, "iptables"),
        ("Auto", 35, True, "iptables"),
        ("Auto", 35, False, "iptables"),
        ("ipvs", 36, False, "ipvs"),
        ("nftables", 35, False, "nftables"),
        ("iptables", 23, True, "iptables"),
    ],
)
def test_the_proxy_mode_is_chosen_by_fact_and_says_why(requested, minor, ipvs, mode):
    chosen, why = choose_proxy_mode(requested, minor, has_ipvs=ipvs)
    assert chosen == mode and why


def test_numbers_written_as_text_stay_text():
    user = KubeadmDocuments(
        cluster={"clusterName": "1e3", "featureGates": {}, "apiServer": {"extraArgs": {"a": "0x10", "b": "on", "c": ".5"}}}
    )
    text = render_init(cluster(34, user_documents=user), NODE)
    for quoted in ("clusterName: '1e3'", "value: '0x10'", "value: 'on'", "value: '.5'"):
        assert quoted in text


def test_the_images_file_is_read_by_kind():
    text = "kind: KubeletConfiguration\nmaxPods: 5\n---\n---\nkind: ClusterConfiguration\nclusterName: x\n"
    assert parse_documents(text) == KubeadmDocuments(
        kubelet={"kind": "KubeletConfiguration", "maxPods": 5}, cluster={"kind": "ClusterConfiguration", "clusterName": "x"}
    )
