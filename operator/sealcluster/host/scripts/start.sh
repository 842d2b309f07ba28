# Start a job or find it, then wait for its end. Standard input: a tar of the job's files.
# Set before: cluster fence step digest attempt flush job seconds wait keep final owned.
d=$S/jobs/$job

answer() {
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
	[ -z "$owned" ] || [ -d "$d" ] || [ -e "$S/owner" ] || answer free
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
	t=$(mktemp -d "$S/jobs/.stage.XXXXXX" 2>&1) || answer refused "$t"
	if ! said=$(tar -x -o -p -C "$t" -f - 2>&1) || ! said=$(printf '%s %s %s\n' "$step" "$digest" "$attempt" 2>&1 >"$t/id") ||
		! [ -s "$t/id" ]; then
		rm -rf "$t"
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

# Directories of ended jobs are kept for people, but not for ever.
sweep() {
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
	t=''
	if ! [ -d "$d" ]; then
		stage
	fi
	if ! hold 60; then
		[ -z "$t" ] || rm -rf "$t"
		answer busy
	fi
	refuse_other
	check_fence
	if [ -d "$d" ] || [ -z "$t" ]; then
		[ -z "$t" ] || rm -rf "$t"
		release
		refuse_namesake
		return
	fi
	if [ -e "$S/journal" ] && grep -q -F " $step $digest $attempt " "$S/journal"; then
		rm -rf "$t"
		answer interrupted
	fi
	keep_reserve
	compact
	if ! journal started -; then
		rm -rf "$t"
		answer refused "writing $S/journal: $(df -P -k "$S" | tail -n 1)"
	fi
	mv "$t" "$d"
	# Nothing runs where the launch failed: the attempt is over, and its end is said here.
	if ! launch && ! job_lives "$d" && mkdir "$d/began" 2>/dev/null; then
		journal failed 71
		rm -rf "$d/in"
		printf '%s\n' "$said" >"$d/log"
		printf '71 0\n' >"$d/rc"
	fi
	release
	sweep
}

last_line() {
	[ -s "$d/log" ] && tail -c 2048 "$d/log" | tr -d '\000-\010\013-\037\177' | tr -s '\n' | tail -n 1 | cut -c 1-200
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
	if [ -s "$d/log.tail" ]; then
		printf '[…]\n'
		cat "$d/log.tail"
	else
		tail -c 65536 "$d/log" 2>/dev/null
	fi
	if [ -s "$d/unit.log" ]; then
		sect unit
		cat "$d/unit.log"
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
