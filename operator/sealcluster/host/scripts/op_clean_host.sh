# Undo everything. Each step goes on after failures of the one before; what counts is what is left, and that is looked at last.

# Other jobs are ended: what they were to make is not wanted any more.
systemctl list-units --all --plain --no-legend 'sealcluster-*.service' 2>/dev/null | while read -r unit _; do
	[ "$unit" = "sealcluster-${d##*/}.service" ] || systemctl stop "$unit"
done

if [ -d "$R$root/scripts" ]; then
	PATH="$PATH:$R$root/bin"
fi
setting_names() {
	cat "$R/etc/sysctl.conf" "$R"/etc/sysctl.d/*.conf 2>/dev/null | sed -n 's/^[ \t-]*\([A-Za-z0-9_./-]*\)[ \t]*=.*/\1/p' | tr . / | sort -u
}
setting_names >in/settings || printf 'the names of kernel settings are not complete: %s\n' "$(room "$d")"
reset_kubeadm

number=0
while [ -e "$d/in/commands/$number" ]; do
	if [ -d "$R$root/scripts" ]; then
		in_env "$d/in/commands/$number" "$R$root/scripts" || printf 'clean script %s: exit code %s\n' "$((number + 1))" "$?"
	fi
	number=$((number + 1))
done

# Kept in memory: on a full disk the list would be empty.
leftovers=''
left() {
	leftovers="$leftovers$1;"
	printf '%s\n' "$1" >>out
}

# Processes that a script which failed left behind.
for unit in kubelet image-cri-shim registry containerd; do
	file=$R/etc/systemd/system/$unit.service
	[ -e "$file" ] && grep -q -e "$root" -e /usr/bin "$file" || continue
	grep -q -i -e kube -e sealos -e containerd -e distribution -e registry "$file" || continue
	systemctl disable --now "$unit.service" >/dev/null 2>&1
	rm -rf "$file" "$R/etc/systemd/system/$unit.service.d"
done
systemctl daemon-reload

# What every script agrees on, for those that failed half-way.
unmount_below "$R/var/lib/kubelet"
unmount_below "$R/run/netns"
if ! systemctl is-active -q containerd.service; then
	unmount_below "$R/run/containerd"
	remove_tree "$R/var/lib/containerd"
	remove_tree "$R/run/containerd"
fi

links() {
	ip -o link show 2>/dev/null | awk -F ': ' '{ sub(/@.*/, "", $2); print $2 }' |
		grep -E '^(cni0|cbr0|flannel[.0-9a-z]*|vxlan\.calico|cali[0-9a-f]+|tunl0|kube-ipvs0|kube-bridge|cilium_.*|lxc[0-9a-f]+|weave|nodelocaldns)$'
}
for link in $(links); do
	# tunl0 belongs to the kernel's module: it cannot be deleted, only emptied.
	if [ "$link" = tunl0 ]; then
		ip addr flush dev tunl0 2>/dev/null
		ip link set tunl0 down 2>/dev/null
	else
		ip link del "$link" 2>/dev/null
	fi
done

for netns in "$R"/var/run/netns/cni-*; do
	[ -e "$netns" ] && ip netns del "${netns##*/}" 2>/dev/null
done
rmdir "$R/run/netns" 2>/dev/null
systemctl stop kubepods.slice 2>/dev/null

rules() {
	"$1-save" 2>/dev/null | grep -E -c '(KUBE-|CNI-|cali-|FLANNEL-|CILIUM_|LVSCARE)'
}
for tables in iptables ip6tables; do
	command -v "$tables-save" >/dev/null 2>&1 || continue
	[ "$(rules "$tables")" -gt 0 ] || continue
	"$tables-save" | grep -v -E '(KUBE-|CNI-|cali-|FLANNEL-|CILIUM_|LVSCARE)' | "$tables-restore"
done
if command -v nft >/dev/null 2>&1; then
	nft list tables 2>/dev/null | awk '$3 ~ /^(kube-proxy|cni_hostport|flannel-.*)$/' | while read -r _ family table; do
		nft delete table "$family" "$table"
	done
fi
if command -v ipvsadm >/dev/null 2>&1; then
	ipvsadm --clear 2>/dev/null
fi
if [ -n "$subnets" ]; then
	for subnet in $subnets; do
		ip -4 route show root "$subnet" 2>/dev/null | while read -r to _; do ip route del "$to" 2>/dev/null; done
	done
fi
if [ -n "$vip_routes" ]; then
	for vip in $vip_routes; do ip route del "$vip" 2>/dev/null; done
fi

: >in/block
write_hosts "$hosts_names" || left /etc/hosts

while read -r path; do
	remove_tree "$R$path"
done <<-'PATHS'
	/etc/kubernetes
	/etc/cni
	/var/lib/cni
	/var/lib/etcd
	/var/lib/kubelet
	/var/lib/calico
	/var/lib/kube-proxy
	/var/log/pods
	/var/log/containers
	/var/log/kubernetes
	/var/log/calico
	/run/flannel
	/run/calico
	/root/.kube
PATHS
find "$R/usr/libexec/kubernetes" -depth -type d -empty -delete 2>/dev/null
remove_tree "$R/opt/cni/bin" && rmdir "$R/opt/cni" 2>/dev/null
if [ -L "$R/var/lib/registry" ]; then
	case $(readlink "$R/var/lib/registry") in
	"$R$root"/*) rm -f "$R/var/lib/registry" ;;
	esac
fi
for file in "$R/etc/sysctl.conf" "$R/etc/security/limits.conf"; do
	[ -e "$file" ] && grep -q '# sealos' "$file" || continue
	file=$(readlink -f "$file")
	cp -p "$file" "$file.sealcluster" && sed '/# sealos$/d; /^# *sealos/d' "$file" >"$file.sealcluster" && sync "$file.sealcluster" &&
		mv "$file.sealcluster" "$file" || rm -f "$file.sealcluster"
done

# Kernel settings as they were before the first touch: those of configuration files that are gone now, and what kubelet and kube-proxy set.
if [ -s "$S/settings" ]; then
	setting_names >in/settings.left
	{
		comm -23 in/settings in/settings.left
		for name in kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes vm/overcommit_memory vm/panic_on_oom \
			net/ipv4/ip_forward net/ipv4/conf/all/route_localnet net/netfilter/nf_conntrack_max \
			net/netfilter/nf_conntrack_tcp_timeout_established net/netfilter/nf_conntrack_tcp_timeout_close_wait; do
			printf '%s\n' "$name"
		done
	} | sort -u | while read -r name; do
		old=$(sed -n "s|^/proc/sys/$name:||p" "$S/settings")
		[ -n "$old" ] && [ -w "$R/proc/sys/$name" ] && [ "$(cat "$R/proc/sys/$name")" != "$old" ] || continue
		printf '%s\n' "$old" >"$R/proc/sys/$name" || printf 'setting %s: not restored to %s\n' "$name" "$old"
	done
fi
cd / || exit 1
case $root in
/*/*/*) for path in "$root" "$root.new" "$root.old"; do remove_tree "$R$path"; done ;;
esac
cluster_dir=${root%/*}
case $cluster_dir in
/var/lib/sealos/data/?*)
	# One by one first: the root file system may be a disk of the machine's own.
	for path in "$R$cluster_dir"/*; do remove_tree "$path"; done
	remove_tree "$R$cluster_dir"
	;;
esac
rmdir "$R/var/lib/sealos/data" "$R/var/lib/sealos" 2>/dev/null
cd "$d" || exit 1

for path in /etc/kubernetes /etc/cni /var/lib/etcd /var/lib/kubelet /var/log/pods /root/.kube "$root"; do
	gone "$R$path" || left "$path"
done
for link in $(links); do
	[ "$link" = tunl0 ] || left "link $link"
done
for tables in iptables ip6tables; do
	command -v "$tables-save" >/dev/null 2>&1 || continue
	n=$(rules "$tables")
	[ "$n" -eq 0 ] || left "$n $tables rules"
done
points=$(mounts_below "$R/var/lib/kubelet" | tr '\n' ' ')
[ -z "$points" ] || left "mounts $points"
for process in kubelet kube-apiserver kube-controller-manager kube-scheduler kube-proxy etcd; do
	for status in /proc/[0-9]*/comm; do
		read -r comm 2>/dev/null <"$status" || continue
		if [ "$comm" = "$(printf '%.15s' "$process")" ] && [ -z "$R" ]; then left "process $process"; fi
	done
done
if [ -e "$R/etc/systemd/system/kubelet.service" ]; then left kubelet.service; fi
[ -z "$leftovers" ] || fail "cleaning the host: still there: $(printf '%s' "$leftovers" | cut -c 1-1000)"

hold || fail "cleaning the host: its lock is taken" 75
cut -c 67- "$S/managed" 2>/dev/null | while read -r path; do rm -f "$R$path"; done
# Everything of ours, also what something that broke off left; the owner goes last.
for path in "$S"/*; do
	case ${path##*/} in
	owner | lock | jobs) ;;
	*) rm -rf "$path" ;;
	esac
done
for other in "$S"/jobs/* "$S"/jobs/.stage.*; do
	[ "$other" = "$d" ] || rm -rf "$other"
done
sync "$S"
rm -f "$S/owner"
sync "$S"
release
