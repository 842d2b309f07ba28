link=$R$data
target=$R$tree
mkdir -p "$target" "${link%/*}" || fail "preparing the registry: making $target failed"
if [ -L "$link" ]; then
	[ "$(readlink "$link")" = "$target" ] || { rm -f "$link" && ln -s "$target" "$link"; } || fail "preparing the registry: linking $link failed"
elif [ -d "$link" ]; then
	if [ "$(readlink -f "$link")" != "$(readlink -f "$target")" ]; then
		rmdir "$link" 2>/dev/null || fail "preparing the registry: $link holds data of somebody else; move it away" 73
		ln -s "$target" "$link" || fail "preparing the registry: linking $link failed"
	fi
elif [ -e "$link" ]; then
	fail "preparing the registry: $link is a file; move it away" 73
else
	ln -s "$target" "$link" || fail "preparing the registry: linking $link failed"
fi
put_all "$R" || fail "preparing the registry: writing the password file failed"
