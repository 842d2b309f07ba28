# Which digests of standard input (one a line) are neither in the store nor in the registry tree. Set before: tree.
[ ! -d "$S/store" ] || prove_store || exit 73
while read -r digest; do
	[ -f "$S/store/$digest" ] && continue
	short=${digest%"${digest#??}"}
	[ -n "$tree" ] && [ -f "$R$tree/docker/registry/v2/blobs/sha256/$short/$digest/data" ] && continue
	printf '%s\n' "$digest"
done
exit 0
