keep=$R$directory/etc
mkdir -p "$keep" && chmod 700 "$keep" || fail "initialising: making $keep failed"
put_all "$R" || fail "initialising: writing the files that the API server mounts failed"
cp in/config "$keep/kubeadm-init.yaml" && chmod 600 "$keep/kubeadm-init.yaml" || fail "initialising: writing the configuration failed"
kubeadm init --config "$keep/kubeadm-init.yaml" --skip-certificate-key-print --skip-token-print \
	--ignore-preflight-errors=SystemVerification || exit
keep_manifests || fail "initialising: keeping a copy of the static pods failed"
admin_kubeconfig || fail "initialising: writing /root/.kube/config failed"
