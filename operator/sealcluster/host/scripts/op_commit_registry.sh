# Blobs from the store to their places in a docker-distribution tree, then the links that name them.
tree=$R$root
blobs_dir=$tree/docker/registry/v2/blobs/sha256

# Its directory among the blobs.
place_of() {
	printf '%s' "$blobs_dir/${1%"${1#??}"}/$1"
}

# Under another name at first: the name `data` is believed for ever, also after a power loss.
put_beside() {
	dir=$(place_of "$1")
	[ -f "$dir/data" ] && return 0
	[ -f "$S/store/$1" ] || fail "placing blob $1: it is neither in the store nor in the tree" 66
	mkdir -p "$dir" || fail "placing blob $1: making $dir failed"
	# One that a try which broke off left may be a link to the very file of the store.
	rm -f "$dir/data.new"
	ln "$S/store/$1" "$dir/data.new" 2>/dev/null || cp "$S/store/$1" "$dir/data.new" && chmod 644 "$dir/data.new" || {
		rm -f "$dir/data.new"
		fail "placing blob $1: copying failed"
	}
	placed="$placed $1"
}

flush_disk() {
	sync -f "$tree" 2>/dev/null || sync
}

prove_store || fail "looking at the store of parts: the disk may be full"
mkdir -p "$blobs_dir" || fail "making $blobs_dir: the disk may be full"
placed=''
for blob in $blobs $parts; do
	put_beside "$blob"
done
[ -z "$placed" ] || flush_disk
for blob in $placed; do
	dir=$(place_of "$blob")
	[ -f "$dir/data" ] || mv "$dir/data.new" "$dir/data" || fail "placing blob $blob: mv failed"
done
tar -x -o -p -C "$tree" -f in/links.tar || fail "writing the links of $tree: tar failed"
flush_disk
# What was sent for the tree alone: parts stay.
for blob in $blobs; do
	rm -f "$S/store/$blob"
done
