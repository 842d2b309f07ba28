# Blobs from the store to their places in a docker-distribution tree, then the links that name them.
tree=$R$root
blobs_dir=$tree/docker/registry/v2/blobs/sha256

place() {
	dir=$blobs_dir/$(printf '%s' "$1" | cut -c 1-2)/$1
	[ -f "$dir/data" ] && return 0
	[ -f "$S/store/$1" ] || fail "placing blob $1: it is neither in the store nor in the tree" 66
	mkdir -p "$dir" || fail "placing blob $1: making $dir failed"
	# The name `data` appears with its content complete. A move from another file system is a copy: not under that name.
	if [ -z "$2" ]; then
		mv "$S/store/$1" "$dir/data.new" || fail "placing blob $1: mv failed"
	else
		ln "$S/store/$1" "$dir/data.new" 2>/dev/null || cp "$S/store/$1" "$dir/data.new" || fail "placing blob $1: copying failed"
	fi
	chmod 644 "$dir/data.new"
	mv "$dir/data.new" "$dir/data"
}

prove_store || fail "looking at the store of parts: the disk may be full"
mkdir -p "$blobs_dir"
for blob in $blobs; do
	place "$blob" ""
done
for part in $parts; do
	place "$part" keep
done
tar -x -o -p -C "$tree" -f in/links.tar || fail "writing the links of $tree: tar failed"
sync -f "$tree" 2>/dev/null || sync
# What was sent for a tree that already held it.
for blob in $blobs; do
	rm -f "$S/store/$blob"
done
