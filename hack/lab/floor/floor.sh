#!/usr/bin/env bash
# The floor: a cluster made by a plain shell script over OpenSSH, with nothing of the product.
#
#   floor.sh CONTENT RESULT "MASTER..." "WORKER..."
#
# CONTENT holds the unpacked and rendered images (kubernetes/, lab-cni/, hello/); RESULT gets the measured times and
# bytes as JSON. SSH_OPTIONS: words for every ssh. The hosts are addresses that root logs in to, bare machines.
set -euo pipefail

content=$1 result=$2
read -ra masters <<<"$3"
read -ra workers <<<"$4"
first=${masters[0]}
hosts=("${masters[@]}" "${workers[@]}")
here=$(cd "$(dirname "$0")" && pwd)
rootfs=/var/lib/sealos/data/floor/rootfs
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
version=${VERSION:-v1.34.4}
environment='export SEALAB=1 criData=/var/lib/containerd registryData=/var/lib/registry registryConfig=/etc/registry'
environment+=' registryDomain=sealos.hub registryPort=5000 sandboxImage=pause:3.10.1'
started=$(date +%s.%N)
stages=()

# shellcheck disable=SC2086 # SSH_OPTIONS is a list of words
on() { ssh ${SSH_OPTIONS:-} -o BatchMode=yes -c aes128-gcm@openssh.com "root@$1" "${@:2}"; }

kubectl() { on "$first" "kubectl --kubeconfig /etc/kubernetes/admin.conf$(printf ' %q' "$@")"; }

# every HOST... -- FUNCTION: FUNCTION HOST for all hosts side by side; a failure of one ends the script with its log.
every() {
  local host pids=() failed=""
  local targets=()
  while [ "$1" != -- ]; do targets+=("$1") && shift; done
  for host in "${targets[@]}"; do
    "$2" "$host" >"$logs/$2-$host" 2>&1 &
    pids+=($!)
  done
  for index in "${!pids[@]}"; do
    wait "${pids[$index]}" || failed="$failed ${targets[$index]}"
  done
  for host in $failed; do
    echo "floor: $2 failed on $host:" >&2
    tail -n 30 "$logs/$2-$host" >&2
  done
  [ -z "$failed" ]
}

stage() {
  local now
  now=$(date +%s.%N)
  stages+=("\"$1\": $(awk -v a="${mark:-$started}" -v b="$now" 'BEGIN {printf "%.2f", b - a}')")
  mark=$now
  echo "floor: ${stages[-1]}" >&2
}

# until_true SECONDS COMMAND...: repeats COMMAND until it succeeds.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "floor: not in time: $*" >&2 && "$@" >&2; }
    sleep 0.3
  done
}

received() { on "$1" cat /sys/class/net/eth0/statistics/rx_bytes; }

push() {
  local leave=(--exclude=./registry)
  [ "$1" != "$first" ] || leave=()
  tar -C "$content/kubernetes" "${leave[@]}" -cf - . | on "$1" "mkdir -p $rootfs && tar -xf - -C $rootfs"
}

push_applications() {
  local name
  for name in lab-cni hello; do
    tar -C "$content/$name" -cf - registry | on "$first" "tar -xf - -C $rootfs"
    tar -C "$content/$name" -cf - manifests | on "$first" "mkdir -p /root/$name && tar -xf - -C /root/$name"
  done
}

registry() {
  on "$first" "ln -sfn $rootfs/registry /var/lib/registry && cat >$rootfs/etc/registry_htpasswd" <"$here/registry_htpasswd"
  on "$first" "$environment; cd $rootfs/scripts && bash init-registry.sh \$registryData \$registryConfig"
}

prepare() {
  on "$1" "echo '$first sealos.hub apiserver.cluster.local' >>/etc/hosts"
  on "$1" "$environment; cd $rootfs/scripts && bash check.sh \$registryData"
}

init() { on "$1" "$environment; cd $rootfs/scripts && bash init-cri.sh \$registryDomain \$registryPort && bash init.sh"; }

join_master() {
  on "$1" "$join --control-plane --certificate-key $certificate_key --apiserver-advertise-address $1 &&
    sed -i 's/^$first sealos.hub apiserver.cluster.local\$/$first sealos.hub\n$1 apiserver.cluster.local/' /etc/hosts"
}

join_worker() { on "$1" "$join"; }

all_ready() {
  [ "$(kubectl get nodes -o 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}' | grep -o True | wc -l)" = ${#hosts[@]} ]
}

before=()
for host in "${hosts[@]}"; do before+=("$(received "$host")"); done
started=$(date +%s.%N)
every "${hosts[@]}" -- push
push_applications
stage push
every "${hosts[@]}" -- prepare
registry >"$logs/registry" 2>&1 || { cat "$logs/registry" >&2 && false; }
every "${hosts[@]}" -- init
stage bootstrap
certificate_key=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
sed "s/@ADDRESS@/$first/; s/@VERSION@/$version/" "$here/kubeadm.yaml" | on "$first" "cat >/root/kubeadm.yaml"
on "$first" "kubeadm init --config /root/kubeadm.yaml --skip-token-print --ignore-preflight-errors SystemVerification" >"$logs/init" 2>&1 ||
  { tail -n 40 "$logs/init" >&2 && false; }
stage init
on "$first" "kubeadm init phase upload-certs --upload-certs --certificate-key $certificate_key" >/dev/null 2>&1
join="$(on "$first" kubeadm token create --print-join-command 2>/dev/null) --ignore-preflight-errors SystemVerification"
for host in "${masters[@]:1}"; do every "$host" -- join_master; done
stage masters
if [ ${#workers[@]} -gt 0 ]; then every "${workers[@]}" -- join_worker; fi
stage workers
kubectl apply -f /root/lab-cni/manifests/lab-cni.yaml >/dev/null
until_true 120 all_ready
stage ready
until_true 120 kubectl -n kube-system rollout status deployment/coredns --timeout=5s
stage coredns
if [ ${#workers[@]} -eq 0 ]; then kubectl taint nodes --all node-role.kubernetes.io/control-plane- >/dev/null; fi
kubectl apply -f /root/hello/manifests/hello.yaml >/dev/null
until_true 120 kubectl rollout status deployment/hello --timeout=5s
stage hello
pods=$(kubectl get pods -l app=hello -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{"\n"}{end}')
asking=$(head -n 1 <<<"$pods" | cut -d' ' -f1)
asking_node=$(head -n 1 <<<"$pods" | cut -d' ' -f2)
# The Service spreads requests: ask until a pod of another node answers (of this node when there is no other).
across() {
  local answer
  answer=$(kubectl exec "$asking" -- /hello get http://hello.default.svc.cluster.local/)
  echo "$answer"
  [ "${#workers[@]}" -lt 2 ] || [ "${answer##* }" != "$asking_node" ]
}
until_true 30 across
stage service
total=$(awk -v a="$started" -v b="$mark" 'BEGIN {printf "%.2f", b - a}')
bytes=()
for index in "${!hosts[@]}"; do
  bytes+=("\"${hosts[$index]}\": $(($(received "${hosts[$index]}") - before[index]))")
done
join_with() { local IFS=,; echo "$*"; }
printf '{"seconds": %s, "stages": {%s}, "received_bytes": {%s}}\n' "$total" "$(join_with "${stages[@]}")" "$(join_with "${bytes[@]}")" >"$result"
