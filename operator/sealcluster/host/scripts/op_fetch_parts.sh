# Download parts from a distribution server, several at a time; nothing enters the store under its name unverified.
prove_store || fail "looking at the store of parts: the disk may be full"

fetch() {
	part=$S/store/$1.get
	url="http://$server/v2/$repository/blobs/sha256:$1"
	if command -v curl >/dev/null 2>&1; then
		curl -K in/curlrc -o "$part" "$url" || return 1
	else
		bash in/fetch_tcp "$server" "/v2/$repository/blobs/sha256:$1" "$part" || return 1
	fi
	sum=$(sha256sum <"$part")
	if [ "${sum%% *}" != "$1" ]; then
		printf '%s: what arrived has sha256 %s\n' "$url" "${sum%% *}" >&2
		rm -f "$part"
		return 1
	fi
	mv "$part" "$S/store/$1" && printf 'fetched %s\n' "$1"
}

running=0
for digest in $digests; do
	[ -f "$S/store/$digest" ] && continue
	{ fetch "$digest" || printf '%s\n' "$digest" >>in/failed; } &
	running=$((running + 1))
	if [ "$running" -eq 4 ]; then
		wait
		running=0
	fi
done
wait
[ ! -s in/failed ] || fail "fetching parts from $server: $(wc -l <in/failed) failed"
