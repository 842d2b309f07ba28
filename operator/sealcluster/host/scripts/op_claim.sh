hold || fail "claiming the host: its lock is taken" 75
if [ -e "$S/owner" ]; then
	owner='' old=''
	read -r owner old <"$S/owner"
	if [ "$owner" != "$cluster" ]; then
		printf '%s %s\n' "$owner" "$old" >out
		fail "claiming the host: it belongs to cluster $owner as $old" 77
	fi
fi
# Jobs of an earlier life: their results must not be taken for those of this one.
if ! [ -e "$S/owner" ]; then
	for other in "$S"/jobs/*; do
		[ "$other" = "$d" ] || rm -rf "$other"
	done
	rm -f "$S/managed" "$S/settings"
	grep -F " $step $digest $attempt " "$S/journal" >"$S/journal.tmp" && swap "$S/journal" || fail "claiming the host: writing $S/journal failed"
fi
mkdir -p "$S/store" "$S/jobs"
chmod 700 "$S" "$S/store" "$S/jobs"
# What the kernel's settings are before anything of ours changes them (looking into binfmt_misc would mount it). Through cat: grep's own
# exit code only says that some cannot be read.
[ -s "$S/settings" ] ||
	{ grep -rs --exclude-dir=binfmt_misc '' /proc/sys/kernel /proc/sys/vm /proc/sys/fs /proc/sys/net | cat >"$S/settings.tmp" && swap "$S/settings"; } ||
	fail "claiming the host: writing $S/settings failed: $(room "$S")"
replace "$S/owner" "$cluster $name" || fail "claiming the host: writing $S/owner failed"
release
if [ -n "$hostname" ]; then
	[ "$(cat "$R/proc/sys/kernel/hostname")" = "$hostname" ] && [ "$(cat "$R/etc/hostname")" = "$hostname" ] ||
		hostnamectl set-hostname "$hostname" || fail "setting the hostname: hostnamectl failed"
fi
