#!/usr/bin/env bash
# init-containerd.sh DOMAIN PORT
. ./common.sh

# libraries that are in the way of the system's own are left out
mkdir -p /opt/containerd
tar -zxf ../cri/libseccomp.tar.gz -C /opt/containerd
if ! PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q libseccomp.so.2; then
  echo /opt/containerd/lib >/etc/ld.so.conf.d/containerd.conf
  PATH=$PATH:/sbin:/usr/sbin ldconfig
fi
tar -zxf ../cri/cri-containerd.tar.gz -C /
mkdir -p /etc/containerd "/etc/containerd/certs.d/$1:$2"
cp ../etc/config.toml /etc/containerd/config.toml
cp ../etc/hosts.toml "/etc/containerd/certs.d/$1:$2/hosts.toml"
cp ../etc/containerd.service /etc/systemd/system/containerd.service
systemctl daemon-reload
systemctl enable containerd.service
systemctl restart containerd.service
systemctl --quiet is-active containerd.service || fail "containerd status is error"
info "init containerd success"
