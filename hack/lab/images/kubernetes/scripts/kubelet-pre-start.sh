#!/usr/bin/env bash
# What the kernel must have before the kubelet starts, at every boot.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

# A module may be built in or not exist for this kernel: kubeadm's preflight judges what is missing.
while read -r module; do
  modprobe -q "$module" || true
done </etc/modules-load.d/kubernetes.conf
sysctl -q -e -p /etc/sysctl.d/99-kubernetes.conf
if [ "${SEALAB:-0}" != 1 ]; then
  swapoff -a
  if command -v setenforce >/dev/null && [ "$(getenforce)" = Enforcing ]; then setenforce 0; fi
fi
