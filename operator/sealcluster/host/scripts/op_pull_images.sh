# Its lists are kept in memory: containerd may have filled the disk.
kubeadm=$R$root/bin/kubeadm
[ -x "$kubeadm" ] || kubeadm=kubeadm
wanted=$("$kubeadm" config images list --kubernetes-version "$version") || fail "listing the images of $version: kubeadm failed"
[ "$role" != worker ] || wanted=$(printf '%s\n' "$wanted" | grep -E '/(kube-proxy|pause):')
wanted=$(printf '%s\n' "$wanted" "$images" | sort -u)
[ -n "$wanted" ] || fail "pulling images: kubeadm named none"

pull() {
	if command -v crictl >/dev/null 2>&1; then
		crictl pull "$1" >/dev/null
	else
		[ -z "$(ctr -n k8s.io images ls -q "name==$1")" ] || return 0
		ctr -n k8s.io images pull --hosts-dir /etc/containerd/certs.d "$1" >/dev/null
	fi
}

pull_again() {
	for pause in 1 3 0; do
		if said=$(pull "$1" 2>&1); then
			printf 'pulled %s\n' "$1"
			return 0
		fi
		printf '%s: %s\n' "$1" "$said" >&2
		sleep "$pause"
	done
	return 1
}

# The end of those under way.
settle() {
	for one in $under_way; do
		wait "${one%%=*}" || failed="$failed${one#*=} "
	done
	under_way='' running=0
}

under_way='' running=0 failed=''
for image in $wanted; do
	pull_again "$image" &
	under_way="$under_way $!=$image"
	running=$((running + 1))
	[ "$running" -lt 3 ] || settle
done
settle
[ -z "$failed" ] || fail "pulling images: failed for $failed"
