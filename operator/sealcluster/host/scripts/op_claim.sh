hold || fail "claiming the host: its lock is taken" 75
if [ -e "$S/owner" ]; then
	owner='' old=''
	read -r owner old <"$S/owner"
	if [ "$owner" != "$cluster" ]; then
		printf '%s %s\n' "$owner" "$old" >out
		fail "claiming the host: it belongs to cluster $owner as $old" 77
	fi
fi
mkdir -p "$S/store" "$S/jobs"
chmod 700 "$S" "$S/store" "$S/jobs"
replace "$S/owner" "$cluster $name" || fail "claiming the host: writing $S/owner failed"
release
if [ -n "$hostname" ]; then
	[ "$(cat "$R/proc/sys/kernel/hostname")" = "$hostname" ] && [ "$(cat "$R/etc/hostname")" = "$hostname" ] ||
		hostnamectl set-hostname "$hostname" || fail "setting the hostname: hostnamectl failed"
fi
