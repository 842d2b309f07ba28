# etcd of this host: asked over its JSON gateway where curl is there (a tenth of the cost of a command in its container, and machines are
# looked at often), else by etcdctl in its container, by whichever client of containerd is there.
ask_etcd() {
	pki=$R/etc/kubernetes/pki/etcd
	[ -r "$pki/server.key" ] && command -v curl >/dev/null 2>&1 || return 1
	curl -q -s -f --noproxy '*' --connect-timeout 2 --max-time 5 --cacert "$pki/ca.crt" --cert "$pki/server.crt" --key "$pki/server.key" \
		-d "$2" "https://127.0.0.1:2379/v3/$1" 2>/dev/null
}

# A user's container may have the same name, in another namespace.
etcd_container() {
	if command -v crictl >/dev/null 2>&1; then
		crictl ps -q --state Running --name '^etcd$' --label io.kubernetes.pod.namespace=kube-system 2>/dev/null | head -n 1
		return
	fi
	ctr -n k8s.io tasks ls 2>/dev/null | while read -r task _ state; do
		[ "$state" = RUNNING ] || continue
		info=$(ctr -n k8s.io containers info "$task" 2>/dev/null)
		case $info in
		*'"io.kubernetes.container.name": "etcd"'*) ;;
		*) continue ;;
		esac
		case $info in
		*'"io.kubernetes.pod.namespace": "kube-system"'*)
			printf '%s\n' "$task"
			break
			;;
		esac
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
