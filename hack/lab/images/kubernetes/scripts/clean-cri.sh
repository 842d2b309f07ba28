#!/usr/bin/env bash
# clean-cri.sh CRI_DATA: takes containerd, its containers and its images away. May run again.
. ./common.sh

data=${1:-/var/lib/containerd}

# containers outlive containerd: their shims go with everything below them
if [ -f "$UNITS/containerd.service" ]; then
  systemctl disable --now --quiet containerd.service
fi
for comm in /proc/[0-9]*/comm; do
  pid=${comm#/proc/}
  pid=${pid%/comm}
  if grep -qx containerd-shim "$comm" 2>/dev/null; then kill -KILL "$pid" || log "shim $pid has ended by itself"; fi
done
for file in /run/containerd/io.containerd.runtime.v2.task/*/*/init.pid; do
  [ -f "$file" ] || continue
  pid=$(cat "$file")
  [ ! -d "/proc/$pid" ] || kill -KILL "$pid" || log "container process $pid has ended by itself"
done

# innermost mounts first; a mount that its dying process still uses is detached
awk -v data="$data/" '$2 ~ "^/run/containerd/" || $2 ~ "^/run/netns/cni-" || index($2, data) == 1 {print $2}' /proc/mounts | sort -r |
  while read -r point; do umount "$point" 2>/dev/null || umount -l "$point"; done

rm -rf "$data" /run/containerd /etc/containerd /opt/containerd /run/netns/cni-*
rm -f "$UNITS/containerd.service" /etc/ld.so.conf.d/containerd.conf /etc/crictl.yaml
for program in "$ROOTFS"/cri/bin/*; do
  rm -f "$BIN_DIR/${program##*/}"
done
systemctl daemon-reload
log "containerd is gone"
