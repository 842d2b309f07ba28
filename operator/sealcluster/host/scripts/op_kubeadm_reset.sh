reset_kubeadm
for path in "$R/etc/kubernetes/manifests" "$R/etc/kubernetes/pki" "$R/etc/kubernetes/kubelet.conf" "$R/var/lib/etcd" "$R/var/lib/kubelet"; do
	gone "$path" || fail "resetting: $path is still there"
done
