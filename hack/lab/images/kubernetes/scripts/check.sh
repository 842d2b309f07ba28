#!/usr/bin/env bash
# check.sh REGISTRY_DATA: refuses a machine on which the cluster could not run; changes nothing.
. ./common.sh

data=${1:-/var/lib/registry}
[ "$(id -u)" = 0 ] || die "not root"
[ -d /run/systemd/system ] || die "systemd is not running on this machine"
[ "$(uname -m)" = x86_64 ] || die "this image is for x86_64, the machine is $(uname -m)"
[ ! -f "$data" ] || die "$data is a file; the registry wants a folder there"
[ ! -S /var/run/docker.sock ] || die "docker runs on this machine (/var/run/docker.sock); remove it first"
for tool in ip iptables mount modprobe; do
  command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || die "$tool is not installed"
done
if [ ! -e /etc/kubernetes/kubelet.conf ]; then
  for port in 10248 10249 10250 10256 10257 10259; do
    ! listening "$port" || die "port $port is in use"
  done
fi
log "ok"
