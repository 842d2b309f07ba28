#!/usr/bin/env bash
# init-cri.sh REGISTRY_DOMAIN REGISTRY_PORT: installs and starts containerd. May run again.
. ./common.sh

domain=${1:-sealos.hub}
port=${2:-5000}

# Libraries that the runtime needs and this system lacks.
loadable=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p)
for library in "$ROOTFS"/cri/lib/*; do
  name=${library##*/}
  if ! grep -qF "$name " <<<"$loadable"; then
    put "$library" "/opt/containerd/lib/$name" 0644
    echo /opt/containerd/lib >/etc/ld.so.conf.d/containerd.conf
    PATH=$PATH:/usr/sbin:/sbin ldconfig
  fi
done

for program in "$ROOTFS"/cri/bin/*; do
  put "$program" "$BIN_DIR/${program##*/}" 0755
done
put "$ROOTFS/etc/hosts.toml" /etc/containerd/certs.d/_default/hosts.toml 0644
put "$ROOTFS/etc/hosts-registry.toml" "/etc/containerd/certs.d/$domain:$port/hosts.toml" 0644

# can_overlay FOLDER: whether overlayfs works on FOLDER's file system (not on top of another overlay).
can_overlay() {
  local probe result=1
  mkdir -p "$1"
  probe=$(mktemp -d "$1/.probe-XXXXXX")
  mkdir "$probe/lower" "$probe/upper" "$probe/work" "$probe/merged"
  if mount -t overlay -o "lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work" probe "$probe/merged" 2>/dev/null; then
    umount "$probe/merged"
    result=0
  fi
  rm -rf "$probe"
  return $result
}

config=$(mktemp)
trap 'rm -f "$config"' EXIT
cp "$ROOTFS/etc/config.toml" "$config"
root=$(sed -n 's/^root = "\(.*\)"$/\1/p' "$config")
if grep -q 'snapshotter = "overlayfs"' "$config" && ! can_overlay "$root"; then
  log "overlayfs does not work on $root: using plain copies (snapshotter native)"
  sed -i 's/snapshotter = "overlayfs"/snapshotter = "native"/' "$config"
fi
put "$config" /etc/containerd/config.toml 0600

sed "s#/usr/bin/containerd#$BIN_DIR/containerd#" "$ROOTFS/etc/containerd.service" >"$UNITS/containerd.service"
systemctl daemon-reload
systemctl enable --quiet containerd.service
systemctl restart containerd.service
log "containerd runs"
