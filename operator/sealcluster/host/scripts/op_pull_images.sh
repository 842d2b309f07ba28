kubeadm=$R$root/bin/kubeadm
[ -x "$kubeadm" ] || kubeadm=kubeadm
"$kubeadm" config images list --kubernetes-version "$version" >in/listed || fail "listing the images of $version: kubeadm failed"
if [ "$role" = worker ]; then
	grep -E '/(kube-proxy|pause):' in/listed >in/wanted
else
	cat in/listed >in/wanted
fi
[ -z "$images" ] || printf '%s\n' "$images" >>in/wanted
[ -s in/wanted ] || fail "pulling images: kubeadm named none"

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
	printf '%s\n' "$1" >>in/failed
}

running=0
sort -u in/wanted >in/images
while read -r image; do
	pull_again "$image" &
	running=$((running + 1))
	if [ "$running" -eq 3 ]; then
		wait
		running=0
	fi
done <in/images
wait
[ ! -s in/failed ] || fail "pulling images: failed for $(tr '\n' ' ' <in/failed)"
