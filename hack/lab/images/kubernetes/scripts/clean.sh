#!/usr/bin/env bash
# clean.sh: takes the kubelet and everything of Kubernetes away, after `kubeadm reset` or without it. May run again.
. ./common.sh

if [ -f "$UNITS/kubelet.service" ]; then
  systemctl disable --now --quiet kubelet.service
fi
if [ -S /run/containerd/containerd.sock ] && [ -x "$BIN_DIR/crictl" ]; then
  "$BIN_DIR/crictl" -t 60s rmp -a -f || log "some pods are left to clean-cri.sh"
fi
awk '$2 ~ "^/var/lib/kubelet/" {print $2}' /proc/mounts | sort -r | while read -r point; do umount "$point"; done
rm -rf /var/lib/kubelet /etc/kubernetes /var/lib/etcd /var/log/pods /var/log/containers /var/log/kubernetes
rm -rf "$UNITS/kubelet.service" "$UNITS/kubelet.service.d" /usr/bin/kubelet-pre-start.sh
rm -f /etc/modules-load.d/kubernetes.conf /etc/sysctl.d/99-kubernetes.conf
for program in "$ROOTFS"/bin/*; do
  rm -f "$BIN_DIR/${program##*/}"
done
systemctl daemon-reload
log "Kubernetes is gone"
