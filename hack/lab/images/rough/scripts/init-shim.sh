#!/usr/bin/env bash
. ./common.sh

install -m 755 ../cri/image-cri-shim "$BIN_DIR"/image-cri-shim.new && mv "$BIN_DIR"/image-cri-shim.new "$BIN_DIR"/image-cri-shim
cp -a ../etc/image-cri-shim.service /etc/systemd/system/
cp -a ../etc/image-cri-shim.yaml ../etc/crictl.yaml /etc/
systemctl daemon-reload
systemctl enable image-cri-shim.service
systemctl restart image-cri-shim.service
info "init shim success"
