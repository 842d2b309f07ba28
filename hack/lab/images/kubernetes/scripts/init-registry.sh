#!/usr/bin/env bash
# init-registry.sh REGISTRY_DATA REGISTRY_CONFIG: runs the registry as registry.service. May run again.
. ./common.sh

data=${1:-/var/lib/registry}
config=${2:-/etc/registry}
[ -f "$ROOTFS/etc/registry_htpasswd" ] || die "$ROOTFS/etc/registry_htpasswd is missing"
mkdir -p "$data"
put "$ROOTFS/cri/registry" "$BIN_DIR/registry" 0755
put "$ROOTFS/etc/registry_config.yml" "$config/registry_config.yml" 0644
put "$ROOTFS/etc/registry_htpasswd" "$config/registry_htpasswd" 0600
sed "s#/usr/bin/registry serve /etc/registry#$BIN_DIR/registry serve $config#" "$ROOTFS/etc/registry.service" >"$UNITS/registry.service"
systemctl daemon-reload
systemctl enable --quiet registry.service
systemctl restart registry.service
port=$(sed -n 's/^ *addr: *:\([0-9]*\)$/\1/p' "$config/registry_config.yml" | head -n 1)
wait_for 30 "the registry on port $port" listening "$port"
log "the registry listens on port $port"
