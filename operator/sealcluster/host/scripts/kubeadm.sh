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
}

reset_kubeadm() {
	if command -v kubeadm >/dev/null 2>&1; then
		# Its own last phase waits for an etcd that may have no quorum any more.
		timeout -k 10 180 kubeadm reset -f >in/reset 2>&1 || cat in/reset
	fi
	systemctl stop kubelet.service 2>/dev/null
	# What runs without its kubelet: pods of static manifests would go on writing.
	if command -v crictl >/dev/null 2>&1 && systemctl is-active -q containerd.service; then
		crictl pods -q 2>/dev/null | xargs -r crictl rmp -f >/dev/null 2>&1
	fi
	unmount_below "$R/var/lib/kubelet"
	rm -rf "$R/etc/kubernetes/manifests" "$R/etc/kubernetes/pki" "$R/etc/kubernetes/tmp" "$R"/etc/kubernetes/*.conf \
		"$R/var/lib/etcd" "$R/var/lib/kubelet" "$R/root/.kube/config" "$S/requests" "$S/manifests"
}

# Mounts below a directory, the innermost first.
unmount_below() {
	awk -v top="$1/" 'index($2, top) == 1 { print $2 }' /proc/mounts | sort -r | while read -r point; do
		umount "$point" 2>/dev/null || umount -l "$point"
	done
}
