# Shared by the ops' scripts, which run in their job directory. `in/` holds their inputs, `out` takes their answer.
# Set before: R N step digest attempt (journal.sh) and the op's own values from in/vars.
umask 022

fail() {
	printf '%s\n' "$1" >&2
	exit "${2:-1}"
}

# room <path>: the disk that it is on, for messages.
room() {
	df -P -k "$1" | tail -n 1
}

# put_all <base>: write the files that in/files.list names (<mode> <number> <path>) below base; what is the same already stays.
# In a subshell: its variables are its own.
put_all() (
	[ -s in/files.list ] || exit 0
	: >in/written && : >in/moves || exit 1
	write_beside "$1" && move_written && exit 0
	# A try that fails leaves nothing: these files may be secret, and the disk may be full of them.
	while read -r new; do rm -f "$new"; done <in/written
	exit 1
)

# Each write of a list is looked at too: a file that a full disk kept off it would be neither moved nor missed.
write_beside() {
	swept=''
	while read -r mode number path; do
		target=$1$path
		if [ -L "$target" ]; then target=$(readlink -f "$target"); fi
		if cmp -s "in/files/$number" "$target" 2>/dev/null && [ "$(stat -c %04a "$target")" = "$mode" ]; then continue; fi
		dir=${target%/*}
		[ -d "$dir" ] || mkdir -p "$dir" || return 1
		[ "$dir" = "$swept" ] || sweep_killed "$dir"
		swept=$dir
		new=$dir/.sealcluster.$$.$number
		printf '%s\n' "$new" >>in/written && printf '%s %s\n' "$number" "$target" >>in/moves || return 1
		cp "in/files/$number" "$new" && chmod "$mode" "$new" || return 1
	done <in/files.list
}

move_written() {
	[ -s in/moves ] || return 0
	tr '\n' '\000' <in/written | xargs -0 sync || return 1
	while read -r number target; do
		mv -f "${target%/*}/.sealcluster.$$.$number" "$target" || return 1
	done <in/moves
}

# What tries that were killed left in a directory.
sweep_killed() {
	for old in "$1"/.sealcluster.*.*; do
		pid=${old#"$1"/.sealcluster.}
		pid=${pid%%.*}
		! number "$pid" || kill -0 "$pid" 2>/dev/null || rm -f "$old"
	done
}

# The parts named in $parts, unpacked into a directory.
unpack_parts() {
	prove_store || fail "looking at the store of parts: the disk may be full"
	for part in $parts; do
		[ -f "$S/store/$part" ] || fail "unpacking part $part: it is not in the store" 66
		tar -x -o -p -C "$1" -f "$S/store/$part" || fail "unpacking part $part: tar failed, the disk may be full: $(room "$1")"
	done
}

# flush_tree <directory>: all below it is on the disk, and nothing else is waited for.
flush_tree() {
	find "$1" \( -type f -o -type d \) -print0 | xargs -0 -r sync
}

drop_parts() {
	for part in $parts; do
		rm -f "$S/store/$part"
	done
}

# in_env <file> <directory>: bash runs the file there, with the exports of in/env. They may have any name: nothing of ours is used after.
in_env() (
	set -- "$1" "$2" "$d/in/env"
	export KUBECONFIG="$R/etc/kubernetes/admin.conf"
	. "$3"
	cd "$2" || exit 66
	exec bash "$1" </dev/null
)
