# write_hosts <names>: put in/block between our markers in /etc/hosts, or remove it when that is empty. Lines that name nothing but
# <names> go too. Other lines stay as they are. A file that is a mount point cannot be renamed over: then it is written in place.
write_hosts() (
	hosts=$(readlink -f "$R/etc/hosts") || exit 1
	[ -e "$hosts" ] || : >"$hosts"
	awk -v names="$1" '
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
		END { printf "%s", kept }' "$hosts" >in/hosts || exit 1
	if [ -s in/block ]; then
		{
			printf '# BEGIN sealcluster\n'
			cat in/block
			printf '# END sealcluster\n'
		} >>in/hosts
	fi
	cmp -s in/hosts "$hosts" && exit 0
	cp -p "$hosts" "$hosts.sealcluster" && cat in/hosts >"$hosts.sealcluster" && sync "$hosts.sealcluster" || exit 1
	if ! mv -f "$hosts.sealcluster" "$hosts" 2>/dev/null; then
		rm -f "$hosts.sealcluster"
		cat in/hosts >"$hosts" && sync "$hosts"
	fi
)
