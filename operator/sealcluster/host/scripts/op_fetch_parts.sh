# Download parts from a distribution server, several at a time; nothing enters the store under its name unverified.
prove_store || fail "looking at the store of parts: the disk may be full"

# Straight from the server: what root has in ~/.curlrc, or a proxy, would get the password too.
fetch() {
	part=$S/store/$1.get
	url="http://$server/v2/$repository/blobs/sha256:$1"
	if command -v curl >/dev/null 2>&1; then
		curl -q --noproxy '*' -K in/curlrc -o "$part" "$url" || return 1
	else
		bash in/fetch_tcp "$server" "/v2/$repository/blobs/sha256:$1" "$part" || return 1
	fi
	sum=$(sha256sum <"$part")
	if [ "${sum%% *}" != "$1" ]; then
		printf '%s: what arrived has sha256 %s\n' "$url" "${sum%% *}" >&2
		return 1
	fi
	mv "$part" "$S/store/$1" && printf 'fetched %s\n' "$1"
}

# The end of those under way. What is there counts: on a full disk nobody could note a failure. What came of the others goes.
settle() {
	wait
	for one in $under_way; do
		[ -f "$S/store/$one" ] && continue
		failed=$((failed + 1))
		[ -n "$disk" ] || disk=$(room "$S/store")
		rm -f "$S/store/$one.get"
	done
	under_way='' running=0
}

under_way='' running=0 failed=0 disk=''
for digest in $digests; do
	[ -f "$S/store/$digest" ] && continue
	fetch "$digest" &
	under_way="$under_way $digest"
	running=$((running + 1))
	[ "$running" -lt 4 ] || settle
done
settle
[ "$failed" -eq 0 ] || fail "fetching parts from $server: $failed failed: $disk"
