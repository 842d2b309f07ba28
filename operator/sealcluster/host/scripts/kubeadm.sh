# The kubeadm that belongs to the cluster is the one that the image's init script put on PATH.
admin_kubeconfig() {
	mkdir -p "$R/root/.kube" && cp "$R/etc/kubernetes/admin.conf" "$R/root/.kube/config.new" && chmod 600 "$R/root/.kube/config.new" &&
		mv "$R/root/.kube/config.new" "$R/root/.kube/config"
}

# Static pods of the control plane as kubeadm made them: what is deleted later is put back from here.
keep_manifests() {
	mkdir -p "$S/manifests" && chmod 700 "$S/manifests" || return 1
	for pod in etcd kube-apiserver kube-controller-manager kube-scheduler; do
		[ ! -e "$R/etc/kubernetes/manifests/$pod.yaml" ] || cp -p "$R/etc/kubernetes/manifests/$pod.yaml" "$S/manifests/" || return 1
	done
	flush_tree "$S/manifests"
}

# Volumes are unmounted first of all: `kubeadm reset` and an image's clean scripts delete whatever they find below /var/lib/kubelet, and
# kubeadm does not know how /proc/mounts spells a space. While one is mounted nothing is deleted.
reset_kubeadm() {
	systemctl stop kubelet.service 2>/dev/null
	unmount_below "$R/var/lib/kubelet"
	points=$(mounts_below "$R/var/lib/kubelet" | tr '\n' ' ')
	[ -z "$points" ] || fail "resetting: volumes cannot be unmounted: $points"
	if command -v kubeadm >/dev/null 2>&1; then
		# Its own last phase waits for an etcd that may have no quorum any more.
		timeout -k 10 180 kubeadm reset -f >in/reset 2>&1 || cat in/reset
	fi
	# What runs without its kubelet: pods of static manifests would go on writing.
	if command -v crictl >/dev/null 2>&1 && systemctl is-active -q containerd.service; then
		crictl pods -q 2>/dev/null | xargs -r crictl rmp -f >/dev/null 2>&1
	fi
	# What was mounted until its pod was gone.
	unmount_below "$R/var/lib/kubelet"
	for path in "$R/etc/kubernetes/manifests" "$R/etc/kubernetes/pki" "$R/etc/kubernetes/tmp" "$R/var/lib/etcd" "$R/var/lib/kubelet"; do
		remove_tree "$path"
	done
	rm -rf "$R"/etc/kubernetes/*.conf "$R/root/.kube/config" "$S/requests" "$S/requests.new" "$S/manifests"
}

# A directory as /proc/mounts spells it.
spelled() {
	readlink -f "$1" | sed 's/\\/\\134/g; s/ /\\040/g'
}

# What is mounted below a directory, as /proc/mounts spells it, the innermost first.
mounts_below() {
	[ -d "$1" ] || return 0
	top=$(spelled "$1")
	[ -n "$top" ] || return 1
	top=$top/ awk 'index($2, ENVIRON["top"]) == 1 { print $2 }' /proc/mounts | sort -r
}

unmount_below() {
	mounts_below "$1" | while read -r point; do
		point=$(printf '%b.' "$point")
		umount "${point%.}" 2>/dev/null || umount -l "${point%.}"
	done
}

is_mount() {
	[ -d "$1" ] && ! [ -L "$1" ] && grep -q -F -e " $(spelled "$1") " /proc/mounts
}

# remove_tree <directory>: never what is mounted below it, which is other people's. A disk that the machine itself has there stays, empty.
remove_tree() {
	if ! points=$(mounts_below "$1") || [ -n "$points" ]; then
		printf '%s is not removed: still mounted: %s\n' "$1" "$points" >&2
		return 1
	fi
	if is_mount "$1"; then
		find "$1" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
	else
		rm -rf "$1"
	fi
}

# Is nothing left of it but, at most, such a disk?
gone() {
	[ ! -e "$1" ] || { is_mount "$1" && [ -z "$(ls -A "$1")" ]; }
}
