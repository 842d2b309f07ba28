# Start a job or find it, then wait for its end. Standard input: a tar of the job's files.
# Set before: cluster fence step digest attempt flush job seconds wait keep final owned.
d=$S/jobs/$job
t=''

# What was staged holds secrets: it goes before anybody is answered.
drop_staged() {
	[ -z "$t" ] || rm -rf "$t"
	t=''
}

answer() {
	drop_staged
	sect "$@"
	sect end
	exit 0
}

# A machine of another cluster is not touched: this comes before everything that writes.
refuse_other() {
	[ -e "$S/owner" ] || return 0
	owner='' name=''
	read -r owner name <"$S/owner"
	[ "$owner" = "$cluster" ] || answer other "$owner" "$name"
}

# One that is nobody's is only ever claimed: an operator that was superseded must not touch what was released meanwhile.
refuse_free() {
	if [ -z "$owned" ] || [ -d "$d" ] || [ -e "$S/owner" ]; then return; fi
	if [ -n "$t" ]; then
		# What staging made there goes with it, unless somebody else has begun to use it.
		drop_staged
		rmdir "$S/store" 2>/dev/null
		rmdir "$S/jobs" 2>/dev/null && rm -f "$S/lock" && rmdir "$S" 2>/dev/null
	fi
	answer free
}

check_fence() {
	seen_cluster='' seen=0
	[ -e "$S/fence" ] && read -r seen_cluster seen <"$S/fence"
	[ "$seen_cluster" = "$cluster" ] && number "$seen" || seen=0
	[ "$seen" -le "$fence" ] || answer fenced "$seen"
	if [ "$seen" -lt "$fence" ] || [ "$seen_cluster" != "$cluster" ]; then
		replace "$S/fence" "$cluster $fence" || answer refused "writing $S/fence: $(df -P -k "$S" | tail -n 1)"
	fi
}

stage() {
	said=$(mktemp -d "$S/jobs/.stage.XXXXXX" 2>&1) || answer refused "$said"
	t=$said
	if ! said=$(tar -x -o -p -C "$t" -f - 2>&1) || ! said=$(printf '%s %s %s\n' "$step" "$digest" "$attempt" 2>&1 >"$t/id") ||
		! [ -s "$t/id" ]; then
		answer refused "$(printf '%s' "$said" | tr '\n' ' ' | cut -c 1-400)"
	fi
}

launch() {
	unit=sealcluster-$job
	for kind in exec simple; do
		if said=$(systemd-run -q --unit="$unit" --collect -p Type=$kind -p KillMode=mixed -p RuntimeMaxSec="$seconds" \
			-p TimeoutStopSec=15 /bin/sh "$d/wrapper" 2>&1); then
			return 0
		fi
		case $said in
		*'already loaded'* | *'already exists'*) return 0 ;;
		*[Ff]'ailed to parse service type'* | *'Invalid argument'* | *'nknown assignment'*) ;;
		*) break ;;
		esac
	done
	return 1
}

# Secrets of jobs that were cut off, and of those that were never complete, go. Directories of ended jobs are kept for people, but not
# for ever.
sweep() {
	find "$S/jobs" -maxdepth 1 -name '.stage.*' -mmin +60 -exec rm -rf {} +
	for old in "$S"/jobs/*/in; do
		old=${old%/in}
		if [ -d "$old/in" ] && ! job_lives "$old"; then rm -rf "$old/in"; fi
	done
	set -- "$S"/jobs/*/rc
	[ $# -gt "$keep" ] || return 0
	# shellcheck disable=SC2012 # names are ours: no odd characters
	ls -t "$S"/jobs/*/rc | tail -n "+$((keep + 1))" | while read -r old; do
		rm -rf "${old%/rc}"
	done
}

# A directory's name holds only the first characters of a digest: another job's result must never be taken for this one's.
refuse_namesake() {
	had=''
	[ ! -e "$d/id" ] || read -r had <"$d/id"
	[ -z "$had" ] || [ "$had" = "$step $digest $attempt" ] || answer refused "$d is of another job: $had"
}

begin() {
	if ! [ -d "$d" ]; then
		stage
	fi
	if ! hold 60; then
		said=$( (: >>"$S/lock") 2>&1) || answer refused "$said"
		answer busy
	fi
	# Asked anew: staging took its time, and what was true without the lock may not be any more.
	refuse_other
	refuse_free
	check_fence
	if [ -d "$d" ] || [ -z "$t" ]; then
		drop_staged
		release
		refuse_namesake
		return
	fi
	if [ -e "$S/journal" ] && grep -q -F " $step $digest $attempt " "$S/journal"; then
		answer interrupted
	fi
	keep_reserve
	compact
	journal started - || answer refused "writing $S/journal: $(df -P -k "$S" | tail -n 1)"
	mv "$t" "$d"
	t=''
	# Nothing runs where the launch failed: the attempt is over, and its end is said here.
	if ! launch && ! job_lives "$d" && mkdir "$d/began" 2>/dev/null; then
		journal failed 71
		rm -rf "$d/in"
		printf '%s\n' "$said" >"$d/log"
		printf '71 0\n' >"$d/rc"
	fi
	sweep
	release
}

newline='
'
# The log's last line: `line` where it is seen from its beginning to its end, else `part`. It is cut to a length that can be shown by
# whoever knows the secrets that may stand in it.
last_line() {
	[ -s "$d/log" ] || return
	seen=$(tail -c 2048 "$d/log" | tr -d '\000-\010\013-\037\177' | tr -s '\n' && echo .)
	kind=part
	case $seen in
	*"$newline"*"$newline.") kind=line ;;
	esac
	seen=${seen%.}
	seen=${seen%"$newline"}
	seen=${seen##*"$newline"}
	[ -z "$seen" ] || printf '%s %s\n' "$kind" "$seen"
}

follow() {
	naps=0 said=
	until=$(($(date +%s) + wait))
	while ! [ -s "$d/rc" ]; do
		naps=$((naps + 1))
		if [ "$naps" -lt 50 ]; then
			sleep 0.01
			continue
		fi
		sleep 0.2
		[ $((naps % 4)) -eq 0 ] || continue
		line=$(last_line)
		if [ "$line" != "$said" ]; then
			said=$line
			sect "progress $line"
		fi
		if ! job_lives "$d" && ! [ -s "$d/rc" ]; then answer interrupted; fi
		if [ "$(date +%s)" -ge "$until" ]; then answer running; fi
	done
}

# last <bytes> <file>...: the end of these files together, with a mark where something before it is left out.
last() {
	most=$1
	shift
	[ "$(cat "$@" 2>/dev/null | wc -c)" -le "$most" ] || printf '[…]\n'
	cat "$@" 2>/dev/null | tail -c "$most"
}

report() {
	read -r rc took <"$d/rc"
	# Where the disk was too full for the last line of the journal, it is written now.
	if [ -e "$S/journal" ] && ! grep -q -E "^j1 [0-9]+ (done|failed) $step $digest $attempt " "$S/journal"; then
		state=failed
		[ "$rc" != 0 ] || state='done'
		hold && journal "$state" "$rc"
		release
	fi
	sect "rc $rc $took"
	sect log
	last 65536 "$d/log" "$d/log.tail"
	if [ -s "$d/unit.log" ]; then
		sect unit
		last 8192 "$d/unit.log"
	fi
	sect out
	head -c 4194304 "$d/out" 2>/dev/null
	if [ "$rc" = 0 ] && [ -n "$final" ] && ! [ -e "$S/owner" ]; then rm -rf "$S"; fi
	sect end
}

refuse_other
refuse_free
said=$(mkdir -p "$S" "$S/jobs" "$S/store" 2>&1) || answer refused "$said"
begin
follow
report
