# Look at the machine; change nothing. Set before: UNITS FILES PROBE TOOLS MODULES (words or lines), WANT_ETCD WANT_CERTS WANT_PREFLIGHT (1 or empty).
sect date
date +%s.%N

show() {
	sect "$1"
	[ -r "$2" ] && cat "$2"
}

show machine-id "$R/etc/machine-id"
show hostname "$R/proc/sys/kernel/hostname"
show boot-id "$R/proc/sys/kernel/random/boot_id"
sect uname
uname -m -r
if [ -r "$R/etc/os-release" ]; then show os "$R/etc/os-release"; else show os "$R/usr/lib/os-release"; fi
sect cpus
nproc 2>/dev/null || grep -c '^processor' "$R/proc/cpuinfo"
sect memory
grep -E '^(MemTotal|SwapTotal):' "$R/proc/meminfo"
[ -e "$R/sys/fs/cgroup/cgroup.controllers" ] && sect cgroup2
if [ -d "$R/run/systemd/system" ]; then
	sect systemd
	systemctl --version 2>/dev/null | head -n 1
fi
if [ -e "$R/proc/net/ip_vs" ] || modprobe -n -q ip_vs 2>/dev/null; then sect ipvs; fi
sect disks
df -P -k "${R:-/}" "$R/var/lib" 2>/dev/null
sect addresses
if command -v ip >/dev/null 2>&1; then
	ip -o addr show 2>/dev/null
else
	awk '/32 host LOCAL/ { print "fib", last } { last = $2 }' /proc/net/fib_trie
fi
sect listening
awk '$4 == "0A" { n = split($2, a, ":"); print a[n] }' "$R/proc/net/tcp" "$R/proc/net/tcp6" 2>/dev/null
show resolv "$R/etc/resolv.conf"
# Our block of it alone: the file may be of any length. A block that does not end is none, and is not sent as a whole either.
sect hosts
awk '$0 == "# BEGIN sealcluster" { ours = 1 } ours { print } ours && $0 == "# END sealcluster" { exit }' "$R/etc/hosts" 2>/dev/null |
	head -c 1048576
[ -e "$R/etc/kubernetes/kubelet.conf" ] && sect kubelet-conf
sect manifests
for f in "$R"/etc/kubernetes/manifests/*; do
	[ -f "$f" ] && printf '%s\n' "${f##*/}"
done

show owner "$S/owner"
show fence "$S/fence"
sect journal
if [ -r "$S/journal" ]; then
	last_words
fi
sect jobs
for d in "$S"/jobs/*/; do
	d=${d%/}
	read -r line <"$d/id" || continue
	if read -r result <"$d/rc"; then
		printf 'ended %s %s\n' "$line" "$result"
	elif job_lives "$d"; then
		printf 'running %s\n' "$line"
	else
		printf 'interrupted %s\n' "$line"
	fi
done 2>/dev/null
sect parts
# Those of an earlier boot are proven before they are believed, by whoever wants them next (store.sh).
if [ -r "$S/store/.boot" ] && [ "$(cat "$S/store/.boot")" = "$(cat "$R/proc/sys/kernel/random/boot_id")" ]; then
	for f in "$S"/store/*; do
		[ -f "$f" ] && printf '%s\n' "${f##*/}"
	done
fi
show managed "$S/managed"
sect digests
{
	[ -r "$S/managed" ] && cut -c 67- "$S/managed"
	[ -n "$FILES" ] && printf '%s\n' "$FILES"
} | (cd "${R:-/}" && cut -c 2- | tr '\n' '\000' | xargs -0 -r sha256sum 2>/dev/null)

if [ -n "$UNITS" ] && [ -d "$R/run/systemd/system" ]; then
	sect units
	# shellcheck disable=SC2086 # unit names are words
	systemctl show -p Id -p LoadState -p ActiveState $UNITS 2>/dev/null
fi

if [ -n "$PROBE" ]; then
	sect answers
	# shellcheck disable=SC2016 # bash, not we, expands them
	printf '%s\n' "$PROBE" | {
		while read -r address port; do
			timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1" && echo "$0 $1"' "$address" "$port" 2>/dev/null &
		done
		wait
	}
fi

if [ -n "$WANT_CERTS" ]; then
	for f in "$R"/etc/kubernetes/pki/*.crt "$R"/etc/kubernetes/pki/etcd/*.crt; do
		case $f in
		*/ca.crt | */front-proxy-ca.crt | *'*'*) continue ;;
		esac
		name=${f#"$R"/etc/kubernetes/pki/}
		show "certificate ${name%.crt}" "$f"
	done
	for f in "$R"/etc/kubernetes/*.conf; do
		[ -f "$f" ] || continue
		sect "kubeconfig ${f##*/}"
		awk '$1 == "client-certificate-data:" { print $2 }' "$f"
	done
fi

if [ -n "$WANT_ETCD" ]; then
	if said=$(ask_etcd maintenance/status '{}'); then
		sect etcd-status
		printf '%s\n' "$said"
		sect etcd-members
		ask_etcd cluster/member/list '{"linearizable":true}'
	elif container=$(etcd_container) && [ -n "$container" ]; then
		sect etcd-status
		etcdctl_in "$container" endpoint status -w json 2>/dev/null
		sect etcd-members
		etcdctl_in "$container" member list -w json 2>/dev/null
	fi
fi

if [ -n "$WANT_PREFLIGHT" ]; then
	sect tools
	for tool in $TOOLS; do
		command -v "$tool" >/dev/null 2>&1 || printf '%s\n' "$tool"
	done
	sect modules
	for module in $MODULES; do
		[ -d "$R/sys/module/$module" ] && continue
		case $module in
		overlay) grep -qw overlay "$R/proc/filesystems" && continue ;;
		br_netfilter) [ -e "$R/proc/sys/net/bridge/bridge-nf-call-iptables" ] && continue ;;
		nf_conntrack) [ -e "$R/proc/sys/net/netfilter/nf_conntrack_max" ] && continue ;;
		esac
		modprobe -n -q "$module" 2>/dev/null || printf '%s\n' "$module"
	done
	show routes "$R/proc/net/route"
	sect mtu
	for f in "$R"/sys/class/net/*/mtu; do
		read -r value <"$f" && printf '%s %s\n' "$f" "$value"
	done 2>/dev/null
	sect leftovers
	for f in "$R"/etc/kubernetes/*.conf "$R"/etc/kubernetes/manifests/* "$R/var/lib/kubelet/config.yaml" "$R/var/lib/etcd/member" \
		"$R"/etc/cni/net.d/*.conf* "$R/etc/rancher" "$R/var/lib/rancher" "$R/var/lib/k0s" "$R/var/run/docker.sock" \
		"$R/etc/systemd/system/kubelet.service" "$R/usr/lib/systemd/system/kubelet.service" "$R/lib/systemd/system/kubelet.service"; do
		[ -e "$f" ] && printf '%s\n' "${f#"$R"}"
	done
fi
sect end
exit 0
