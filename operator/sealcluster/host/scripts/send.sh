# Take one content part from standard input into the store. Set before: digest size.
# Says how much is there; then reads the rest, checks it and gives it its name.
prove_store || exit 73
part=$S/store/$digest.part
if [ -f "$S/store/$digest" ]; then
	printf 'have\n'
	exit 0
fi
exec 7>>"$part"
if ! flock -w 30 7; then
	printf 'busy\n'
	exit 0
fi
if [ -f "$S/store/$digest" ]; then
	printf 'have\n'
	exit 0
fi
have=$(stat -c %s "$part")
if [ "$have" -gt "$size" ]; then
	: >"$part"
	have=0
fi
printf 'from %s\n' "$have"
if [ "$have" -eq 0 ]; then
	sum=$(head -c "$size" | tee "$part" | sha256sum)
else
	head -c "$((size - have))" >>"$part"
	sum=$(sha256sum <"$part")
fi
got=$(stat -c %s "$part")
if [ "$got" -ne "$size" ]; then
	printf 'short %s %s\n' "$got" "$(df -P -k "$S/store" | tail -n 1)"
elif [ "${sum%% *}" != "$digest" ]; then
	rm -f "$part"
	printf 'corrupt %s\n' "${sum%% *}"
else
	mv "$part" "$S/store/$digest" && printf 'stored\n'
fi
