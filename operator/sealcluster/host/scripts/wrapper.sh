# The process of a job's unit. Set before: d step digest attempt seconds final watched.
# Order at the end: result beside its name, journal, secrets away, result. Whoever sees `rc` sees a finished job. Of these only the
# journal is flushed to the disk: after a power loss it has the last word, and a directory that lost its result is an interrupted job.
umask 077
cd "$d" || exit 74
exec 9>lock
flock -w 30 9 || exit 75
[ -s rc ] && exit 0
mkdir began 2>/dev/null || exit 75

log_max=1048576
stopped=
late=
child=
# Hundredths of a second since boot.
ticks() {
	read -r up _ </proc/uptime
	up=${up%.*}${up#*.}
}
ticks
begin=$up
# born <stat of a process>: when it began, in hundredths of a second.
born() {
	# shellcheck disable=SC2086 # its fields are words
	set -- ${1##*)}
	printf '%s\n' "${20}"
}
export HOME=/root
: >out
mkfifo -m 600 pipe || exit 74
(
	exec 9>&-
	if command -v stdbuf >/dev/null 2>&1; then
		stdbuf -o0 head -c "$log_max" >log
	else
		head -c "$log_max" >log
	fi
	tail -c 65536 >log.tail
	: >logged
) <pipe &
trap 'stopped=1' TERM
setsid /bin/sh ./run >pipe 2>&1 </dev/null 9>&- &
child=$!
wait "$child"
rc=$?

if [ -n "$stopped" ]; then
	# The unit's time runs from this process's first moment, which on a busy machine is long before its first command.
	lived=$(($(born "$(cat /proc/self/stat)") - $(born "$(cat "/proc/$$/stat")")))
	[ "$lived" -ge $((seconds * 100 - 100)) ] || exit 76
	kill -KILL "-$child" 2>/dev/null
	wait "$child"
	rc=124
	late=1
fi

# A child that lives on may hold the pipe: its words are not waited for.
n=0
while ! [ -e logged ] && [ "$n" -lt 200 ]; do
	n=$((n + 1))
	sleep 0.01
done
if [ -n "$late" ]; then
	last=log
	[ ! -s log.tail ] || last=log.tail
	[ -z "$(tail -c 1 "$last")" ] || printf '\n' >>"$last"
	printf 'ended after %s seconds: the time limit\n' "$seconds" >>"$last"
fi

# What the unit says that the job has to do with: it may have said why. One character more than is shown: so it is seen to be cut.
if [ "$rc" != 0 ] && [ -n "$watched" ] && command -v journalctl >/dev/null 2>&1; then
	timeout 5 journalctl -u "$watched.service" -n 60 --no-pager -o short-iso 2>/dev/null | tail -c 8193 >unit.log
fi

ticks
took=$((up - begin))
result="$rc $((took / 100)).$((took / 10 % 10))$((took % 10))"
put_result() {
	printf '%s\n' "$result" >rc.tmp && [ "$(cat rc.tmp)" = "$result" ]
}
if ! put_result 2>/dev/null; then
	rm -f "$S/reserve"
	put_result
fi
state=failed
[ "$rc" != 0 ] || state='done'
# A host that was just cleaned has no journal any more.
if [ -e "$S/journal" ]; then
	hold 120 && journal "$state" "$rc"
	release
fi
rm -rf in pipe
mv rc.tmp rc
[ -n "$final" ] && [ "$rc" = 0 ] && ! [ -e "$S/owner" ] || exit 0
# A machine that was just cleaned: whoever waits for the result takes it and the rest of us away. If nobody comes, we go by ourselves.
n=0
while [ -d "$d" ] && [ "$n" -lt 600 ]; do
	n=$((n + 1))
	sleep 0.2
done
cd /
rm -rf "$d"
if ! [ -e "$S/owner" ]; then
	rmdir "$S/jobs" 2>/dev/null && rm -f "$S/lock" && rmdir "$S"
fi
