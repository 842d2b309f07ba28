# etcdctl in the etcd container of this host, by whichever client of containerd is there.
etcd_container() {
	if command -v crictl >/dev/null 2>&1; then
		crictl ps -q --state Running --name '^etcd$' 2>/dev/null | head -n 1
		return
	fi
	ctr -n k8s.io tasks ls 2>/dev/null | while read -r task _ state; do
		[ "$state" = RUNNING ] || continue
		if ctr -n k8s.io containers info "$task" 2>/dev/null | grep -q '"io.kubernetes.container.name": "etcd"'; then
			printf '%s\n' "$task"
			break
		fi
	done
}

etcdctl_in() {
	container=$1
	shift
	pki=/etc/kubernetes/pki/etcd
	set -- etcdctl --endpoints=https://127.0.0.1:2379 --dial-timeout=3s --command-timeout=5s \
		--cacert="$pki/ca.crt" --cert="$pki/server.crt" --key="$pki/server.key" "$@"
	if command -v crictl >/dev/null 2>&1; then
		crictl exec -s "$container" "$@"
	else
		ctr -n k8s.io tasks exec --exec-id "sealcluster-$$-$(date +%N)" "$container" "$@"
	fi
}
