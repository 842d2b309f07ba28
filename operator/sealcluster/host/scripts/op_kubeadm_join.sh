put_all "$R" || fail "joining: writing the files that the API server mounts failed"
# The configuration holds the bootstrap token: it stays in the job's inputs, which go when the job ends.
kubeadm join --config in/config --ignore-preflight-errors=SystemVerification || exit
if [ "$role" = master ]; then
	keep_manifests || fail "joining: keeping a copy of the static pods failed"
	admin_kubeconfig || fail "joining: writing /root/.kube/config failed"
fi
