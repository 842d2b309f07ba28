# render_hosts <file> <names>: in/hosts is the file with in/block between our markers, and without lines that name nothing but <names>.
render_hosts() {
	awk -v names="$2" '
		BEGIN { n = split(names, list, " "); for (i = 1; i <= n; i++) gone[list[i]] = 1 }
		$0 == "# BEGIN sealcluster" { held = 1; kept = ""; next }
		$0 == "# END sealcluster" { held = 0; kept = ""; next }
		{
			if (n && NF > 1 && $1 !~ /^#/) {
				other = 0
				for (i = 2; i <= NF && $i !~ /^#/; i++) if (!($i in gone)) other = 1
				if (!other) next
			}
			if (held) kept = kept $0 "\n"; else print
		}
		END { printf "%s", kept }' "$1" >in/hosts || return 1
	if [ -s in/block ]; then
		{
			printf '# BEGIN sealcluster\n'
			cat in/block
			printf '# END sealcluster\n'
		} >>in/hosts
	fi
}

# Pods on the host's network have a copy of /etc/hosts from when their container started. What changed is written into it, in place:
# kube-proxy would else look for the API server where it was, for as long as it runs.
renew_copies() {
	for copy in "$R"/var/lib/kubelet/pods/*/etc-hosts; do
		grep -q '^# BEGIN sealcluster$' "$copy" 2>/dev/null || continue
		render_hosts "$copy" '' || return 1
		cmp -s in/hosts "$copy" || cat in/hosts >"$copy" || return 1
	done
}

# write_hosts <names>: put in/block between our markers in /etc/hosts, or remove it when that is empty. Lines that name nothing but
# <names> go too. Other lines stay as they are. A file that is a mount point cannot be renamed over: then it is written in place.
write_hosts() (
	hosts=$(readlink -f "$R/etc/hosts") || exit 1
	[ -e "$hosts" ] || : >"$hosts"
	render_hosts "$hosts" "$1" || exit 1
	cmp -s in/hosts "$hosts" && exit 0
	if ! { cp -p "$hosts" "$hosts.sealcluster" && cat in/hosts >"$hosts.sealcluster" && sync "$hosts.sealcluster"; }; then
		rm -f "$hosts.sealcluster"
		exit 1
	fi
	if ! mv -f "$hosts.sealcluster" "$hosts" 2>/dev/null; then
		rm -f "$hosts.sealcluster"
		cat in/hosts >"$hosts" && sync "$hosts"
	fi
)
