#!/usr/bin/env bash
# init-registry.sh DATA CONFIG
. ./common.sh

REGISTRY_DATA=${1:-/var/lib/registry}
REGISTRY_CONFIG=${2:-/etc/registry}
mkdir -p "$REGISTRY_DATA" "$REGISTRY_CONFIG"
install -m 755 ../cri/registry "$BIN_DIR"/registry.new && mv "$BIN_DIR"/registry.new "$BIN_DIR"/registry
cp -a ../etc/registry.service /etc/systemd/system/
cp -a ../etc/registry_config.yml "$REGISTRY_CONFIG"
cp -a ../etc/registry_htpasswd "$REGISTRY_CONFIG"
systemctl daemon-reload
systemctl enable registry.service
systemctl restart registry.service
sleep 1
systemctl --quiet is-active registry.service || fail "registry status is error"
info "init registry success"
