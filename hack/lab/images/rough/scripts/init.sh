#!/usr/bin/env bash
# init.sh: runs once. After it has succeeded only clean.sh makes it run again.
. ./common.sh

if [ -e /etc/rough/initialized ]; then
  fail "init.sh has run on this machine"
fi
bash init-shim.sh
bash init-kube.sh
mkdir -p /etc/rough
touch /etc/rough/initialized
info "init rootfs success"
