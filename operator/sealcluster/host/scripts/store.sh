# The store of content parts, each under its digest. Parts are not flushed to the disk, for what is made of them is: so those that an
# earlier boot left are believed only after their digest was looked at.
# Whoever starts here made it, under the machine's lock: on a machine that is released meanwhile it is not made anew.
prove_store() {
	boot=$(cat "$R/proc/sys/kernel/random/boot_id") && [ -n "$boot" ] || return 1
	proven "$boot" && return 0
	(
		flock -w 120 6 || exit 1
		proven "$boot" && exit 0
		for file in "$S"/store/*; do
			[ -f "$file" ] || continue
			case $file in
			*.part | *.get) continue ;; # their digest is looked at when they are complete
			esac
			sum=$(sha256sum <"$file") && [ "${sum%% *}" = "${file##*/}" ] || rm -f "$file" || exit 1
		done
		printf '%s\n' "$boot" >"$S/store/.boot"
	) 6>"$S/store/.lock"
}

# proven <boot id>
proven() {
	was=''
	[ ! -e "$S/store/.boot" ] || read -r was <"$S/store/.boot"
	[ "$was" = "$1" ]
}
