#!/usr/bin/env bash
# clean-registry.sh DATA CONFIG
. ./common.sh

systemctl disable --now registry.service
rm -f /etc/systemd/system/registry.service
systemctl daemon-reload
rm -f "$BIN_DIR"/registry
rm -rf "${1:-/var/lib/registry}" "${2:-/etc/registry}"
info "clean registry success"
