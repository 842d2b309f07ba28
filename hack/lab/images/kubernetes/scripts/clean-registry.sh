#!/usr/bin/env bash
# clean-registry.sh REGISTRY_DATA REGISTRY_CONFIG: takes the registry away. May run again.
. ./common.sh

data=${1:-/var/lib/registry}
config=${2:-/etc/registry}
if [ -f "$UNITS/registry.service" ]; then
  systemctl disable --now --quiet registry.service
  rm -f "$UNITS/registry.service"
  systemctl daemon-reload
fi
rm -f "$BIN_DIR/registry"
rm -rf "$config"
if [ -L "$data" ]; then rm -f "$data"; else rm -rf "$data"; fi
log "the registry is gone"
