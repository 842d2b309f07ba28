#!/usr/bin/env bash
. ./common.sh

systemctl disable --now kubelet.service || logger WARN "kubelet was not there"
rm -rf /etc/systemd/system/kubelet.service /etc/systemd/system/kubelet.service.d
rm -f /usr/bin/kubelet-pre-start.sh /usr/bin/kubelet-post-stop.sh
for program in ../bin/*; do rm -f "$BIN_DIR/${program##*/}"; done
sed -i '/ # sealos$/d' /etc/sysctl.conf
sed -i '/^# begin sealos$/,/^# end sealos$/d' /etc/security/limits.conf
rm -rf /var/lib/kubelet /etc/rough
systemctl daemon-reload
info "clean kube success"
