# The journal and the managed list: appended under the host's lock (descriptor 8).
# Set before: step digest attempt flush. The lines of a step that may be done twice are not flushed to the disk one by one: a power loss
# that takes them away costs doing it again. A later line that is flushed takes them along.
journal_max=131072

# A lock that cannot be opened (the file system is read-only now) does not end the script, as it would without `command`.
hold() {
	command exec 8>"$S/lock" && flock -w "${1:-60}" 8
}

# swap <file>: <file>.tmp takes its place, for good.
swap() {
	sync "$1.tmp" && mv "$1.tmp" "$1" && sync "${1%/*}"
}

# replace <file> <line>
replace() {
	printf '%s\n' "$2" >"$1.tmp" && swap "$1"
}

release() {
	exec 8>&-
}

# journal <state> <rc or ->: one line; when the disk is full the reserve makes room for it.
journal() {
	entry="j1 $(date +%s) $1 $step $digest $attempt $2 ."
	append "$entry" && return 0
	rm -f "$S/reserve"
	append "$entry"
}

append() {
	if [ -s "$S/journal" ] && [ -n "$(tail -c 1 "$S/journal")" ]; then
		printf '\n' >>"$S/journal" || return 1
	fi
	printf '%s\n' "$1" >>"$S/journal" && [ "$(tail -n 1 "$S/journal")" = "$1" ] && { [ -z "$flush" ] || sync "$S/journal"; }
}

# Room that only the journal and a job's result may use.
keep_reserve() {
	[ -e "$S/reserve" ] && return
	if head -c 262144 /dev/zero >"$S/reserve.tmp" 2>/dev/null; then
		mv "$S/reserve.tmp" "$S/reserve"
	else
		rm -f "$S/reserve.tmp"
	fi
}

# Keep the last word on each step, in the order in which they were said.
compact() {
	[ -s "$S/journal" ] && [ "$(wc -c <"$S/journal")" -gt "$journal_max" ] || return 0
	last_words >"$S/journal.tmp" || return 1
	swap "$S/journal"
}
