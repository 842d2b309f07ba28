[ -d "$S/manifests" ] || fail "restoring static pods: this machine keeps no copy of them; copy them from $S of a backup or join the machine anew" 66
mkdir -p "$R/etc/kubernetes/manifests" || fail "restoring static pods: making their directory failed"
for copy in "$S"/manifests/*.yaml; do
	file=$R/etc/kubernetes/manifests/${copy##*/}
	[ -e "$file" ] && continue
	new=$R/etc/kubernetes/.sealcluster.manifest
	# Flushed: whether it is there is all that a look tells.
	cp -p "$copy" "$new" && sync "$new" && mv "$new" "$file" || {
		rm -f "$new"
		fail "restoring static pods: writing $file failed"
	}
done
