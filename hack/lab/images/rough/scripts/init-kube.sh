#!/usr/bin/env bash
. ./common.sh

grep -qE '^127.0.0.1[[:space:]]+localhost' /etc/hosts || echo "127.0.0.1 localhost" >>/etc/hosts
for service in firewalld ufw; do
  if systemctl is-active --quiet "$service"; then systemctl disable --now "$service"; fi
done
# appended on every run
while read -r line; do echo "$line # sealos" >>/etc/sysctl.conf; done <../etc/sysctl.d/sealos-k8s.conf
{
  echo "# begin sealos"
  cat ../etc/limits.d/sealos.conf
  echo "# end sealos"
} >>/etc/security/limits.conf
cp -f ../scripts/kubelet-pre-start.sh ../scripts/kubelet-post-stop.sh /usr/bin/
chmod +x /usr/bin/kubelet-pre-start.sh /usr/bin/kubelet-post-stop.sh
/usr/bin/kubelet-pre-start.sh
cp -f ../bin/* "$BIN_DIR"/
crictl pull "$registryDomain:$registryPort/$sandboxImage"
mkdir -p /etc/systemd/system/kubelet.service.d
cp -f ../etc/kubelet.service /etc/systemd/system/
cp -f ../etc/10-kubeadm.conf /etc/systemd/system/kubelet.service.d/
systemctl daemon-reload
systemctl enable kubelet.service
info "init kube success"
