# Shared by every script. Set before: R (root prefix, empty outside tests), N (random word that marks our lines).
S=$R/var/lib/sealcluster

# A line of ours in the output; what follows it, up to the next one, is its content.
sect() {
	printf '\n=%s %s\n' "$N" "$*"
}

# Is that a plain number?
number() {
	case $1 in
	'' | *[!0-9]*) return 1 ;;
	esac
}

# Whether a job directory's process lives. Its lock tells at once; the unit is asked for the moment before the lock is taken.
job_lives() {
	if [ -e "$1/lock" ] && ! flock -n "$1/lock" true; then
		return 0
	fi
	case $(systemctl is-active "sealcluster-${1##*/}.service" 2>/dev/null) in
	active | activating | deactivating | reloading) return 0 ;;
	esac
	return 1
}

# The journal's last word on each step, in the order in which they were said: clocks may jump, so no time tells what came after what.
last_words() {
	awk '$1 == "j1" && NF == 8 && $8 == "." { last[$4] = NR; line[NR] = $0 }
		END { for (s in last) keep[last[s]] = 1; for (i = 1; i <= NR; i++) if (i in keep) print line[i] }' "$S/journal"
}
