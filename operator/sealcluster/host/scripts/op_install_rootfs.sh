# Unpack beside the old tree, then swap entry by entry: scripts never see half an entry. registry/ belongs to the registry.
dest=$R$root
new=$dest.new
trash=$dest.old
rm -rf "$new" "$trash"
mkdir -p "$dest" "$new" "$trash" || fail "making $new: the disk may be full"
# Half a tree would only keep the disk full. In a subshell: it fails by ending.
(
	unpack_parts "$new"
	put_all "$new/" || fail "writing rendered files below $new: the disk may be full: $(room "$new")"
) || {
	rc=$?
	rm -rf "$new"
	exit "$rc"
}
rm -rf "$new/registry"
# Before the flush: what is thrown away need not reach the disk at all.
[ -n "$keep_parts" ] || drop_parts
flush_tree "$new" || fail "flushing $new: the disk may be full"

each_entry() {
	for entry in "$1"/* "$1"/.[!.]*; do
		[ -e "$entry" ] || [ -L "$entry" ] || continue
		[ "${entry##*/}" = registry ] || printf '%s\n' "${entry##*/}" || return 1
	done
}

each_entry "$dest" >in/old && each_entry "$new" >in/new || fail "listing the entries of $dest: the disk may be full: $(room "$d")"
[ -s in/new ] || fail "installing $dest: the parts held nothing"
while read -r entry; do
	grep -q -x -F -e "$entry" in/new || mv "$dest/$entry" "$trash/$entry" || fail "removing $dest/$entry: mv failed"
done <in/old
while read -r entry; do
	if [ -e "$dest/$entry" ] || [ -L "$dest/$entry" ]; then
		mv "$dest/$entry" "$trash/$entry" || fail "replacing $dest/$entry: mv failed"
	fi
	mv "$new/$entry" "$dest/$entry" || fail "installing $dest/$entry: mv failed"
done <in/new
rm -rf "$new" "$trash"
