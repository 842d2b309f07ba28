#!/usr/bin/env bash
# init.sh: makes the machine ready for kubeadm. May run again.
. ./common.sh

put "$ROOTFS/etc/crictl.yaml" /etc/crictl.yaml 0644
for program in "$ROOTFS"/bin/*; do
  put "$program" "$BIN_DIR/${program##*/}" 0755
done
put "$ROOTFS/scripts/kubelet-pre-start.sh" /usr/bin/kubelet-pre-start.sh 0755

put "$ROOTFS/etc/modules.conf" /etc/modules-load.d/kubernetes.conf 0644
if in_lab; then
  put "$ROOTFS/etc/sysctl-network.conf" /etc/sysctl.d/99-kubernetes.conf 0644
else
  put "$ROOTFS/etc/sysctl.conf" /etc/sysctl.d/99-kubernetes.conf 0644
fi
for service in firewalld ufw; do
  if systemctl is-active --quiet "$service"; then
    log "stopping $service: it would cut pods off"
    systemctl disable --now --quiet "$service"
  fi
done

sed "s#/usr/bin/kubelet\$#$BIN_DIR/kubelet#" "$ROOTFS/etc/kubelet.service" >"$UNITS/kubelet.service"
mkdir -p "$UNITS/kubelet.service.d"
sed "s#=/usr/bin/kubelet #=$BIN_DIR/kubelet #" "$ROOTFS/etc/10-kubeadm.conf" >"$UNITS/kubelet.service.d/10-kubeadm.conf"
systemctl daemon-reload
systemctl enable --quiet kubelet.service
/usr/bin/kubelet-pre-start.sh

# containerd's configuration holds the registry's password
crictl pull "${registryDomain:?}:${registryPort:?}/${sandboxImage:?}"
log "the machine is ready for kubeadm"
