put_all "$R" || fail "writing files: the disk may be full: $(room "${R:-/}")"
while read -r path; do
	rm -f "$R$path" || fail "removing $path: $?"
done <in/remove
hold || fail "remembering files: the host's lock is taken" 75

full() {
	rm -f "$S/managed.tmp"
	fail "remembering files: the disk may be full: $(room "$S")"
}

[ -e "$S/managed" ] || touch "$S/managed" || full
{ cut -d ' ' -f 3- in/files.list && cat in/remove; } >in/forget || full
{ awk 'FILENAME == ARGV[1] { drop[$0] = 1; next } !(substr($0, 67) in drop)' in/forget "$S/managed" && cat in/managed; } >"$S/managed.tmp" || full
if cmp -s "$S/managed.tmp" "$S/managed"; then
	rm -f "$S/managed.tmp"
else
	swap "$S/managed" || fail "remembering files: writing $S/managed failed"
fi
release
