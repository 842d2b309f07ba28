# Shared by the ops' scripts, which run in their job directory. `in/` holds their inputs, `out` takes their answer.
# Set before: R N step digest attempt (journal.sh) and the op's own values from in/vars.
umask 022

fail() {
	printf '%s\n' "$1" >&2
	exit "${2:-1}"
}

# put_all <base>: write the files that in/files.list names (<mode> <number> <path>) below base; what is the same already stays.
# In a subshell: its variables are its own.
put_all() (
	[ -s in/files.list ] || exit 0
	: >in/moves
	: >in/written
	while read -r mode number path; do
		target=$1$path
		if [ -L "$target" ]; then target=$(readlink -f "$target"); fi
		if cmp -s "in/files/$number" "$target" 2>/dev/null && [ "$(stat -c %04a "$target")" = "$mode" ]; then continue; fi
		dir=${target%/*}
		[ -d "$dir" ] || mkdir -p "$dir" || exit 1
		new=$dir/.sealcluster.$$.$number
		cp "in/files/$number" "$new" && chmod "$mode" "$new" || exit 1
		printf '%s\n' "$new" >>in/written
		printf '%s %s\n' "$number" "$target" >>in/moves
	done <in/files.list
	[ -s in/moves ] || exit 0
	tr '\n' '\000' <in/written | xargs -0 sync || exit 1
	while read -r number target; do
		mv -f "${target%/*}/.sealcluster.$$.$number" "$target" || exit 1
	done <in/moves
)

# The parts named in $parts, unpacked into a directory.
unpack_parts() {
	prove_store || fail "looking at the store of parts: the disk may be full"
	for part in $parts; do
		[ -f "$S/store/$part" ] || fail "unpacking part $part: it is not in the store" 66
		tar -x -o -p -C "$1" -f "$S/store/$part" || fail "unpacking part $part: tar failed"
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
