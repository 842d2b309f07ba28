put_all "$R" || fail "writing files: the disk may be full: $(df -P -k "${R:-/}" | tail -n 1)"
for path in $remove; do
	rm -f "$R$path" || fail "removing $path: $?"
done
hold || fail "remembering files: the host's lock is taken" 75
[ -e "$S/managed" ] || : >"$S/managed"
cut -d ' ' -f 3- in/files.list >in/forget
printf '%s\n' "$remove" >>in/forget
{
	awk 'NR == FNR { drop[$0] = 1; next } !(substr($0, 67) in drop)' in/forget "$S/managed"
	cat in/managed
} >"$S/managed.tmp"
if cmp -s "$S/managed.tmp" "$S/managed"; then
	rm -f "$S/managed.tmp"
else
	swap "$S/managed" || fail "remembering files: writing $S/managed failed"
fi
release
