#!/usr/bin/env bash
# clean-cri.sh DATA
. ./common.sh

for unit in image-cri-shim containerd; do
  systemctl disable --now "$unit".service || logger WARN "$unit was not there"
  rm -f "/etc/systemd/system/$unit.service"
done
for comm in /proc/[0-9]*/comm; do
  pid=${comm#/proc/}
  if grep -qx containerd-shim "$comm" 2>/dev/null; then kill -9 "${pid%/comm}"; fi
done
for file in /run/containerd/io.containerd.runtime.v2.task/*/*/init.pid; do
  if [ -f "$file" ] && [ -d "/proc/$(cat "$file")" ]; then kill -9 "$(cat "$file")"; fi
done
grep -oE ' (/run/containerd|/run/netns/cni-)[^ ]*' /proc/mounts | sort -r | while read -r point; do umount -l "$point"; done
systemctl daemon-reload
rm -rf "${1:-/var/lib/containerd}" /run/containerd /etc/containerd /opt/containerd /etc/ld.so.conf.d/containerd.conf
rm -f "$BIN_DIR"/{containerd,containerd-shim-runc-v2,ctr,runc,image-cri-shim} /etc/crictl.yaml /etc/image-cri-shim.yaml
info "clean cri success"
