# Take one content part from standard input into the store of a machine that is ours. Set before: cluster digest size.
# Says how much is there; then reads the rest, checks it and gives it its name.
refuse() {
	if ! [ -e "$S/owner" ]; then
		printf 'free\n'
		exit 0
	fi
	owner='' name=''
	read -r owner name <"$S/owner"
	if [ "$owner" != "$cluster" ]; then
		printf 'other %s %s\n' "$owner" "$name"
		exit 0
	fi
}

refuse
# Once more under the lock: nothing is made on a machine that is released meanwhile.
if ! hold; then
	printf 'its lock is taken\n' >&2
	exit 75
fi
refuse
mkdir -p "$S/store" || exit 73
release
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
