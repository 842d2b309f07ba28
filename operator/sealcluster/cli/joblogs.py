"""Logs of jobs on the machines themselves, read by a shell text that changes nothing there and leaves nothing running."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

JOBS = "/var/lib/sealcluster/jobs"
FOLLOWED = 3
"""Newest jobs of a machine that are followed."""
AT_ONCE = 65536
"""Most bytes of one log that one look brings."""

_SHARED = """
state() {
	if [ -s "$1/rc" ]; then
		read -r rc took <"$1/rc"
		[ "$rc" = 0 ] && echo "done in $took s" || echo "exit code $rc after $took s"
	elif [ -e "$1/lock" ] && ! flock -n "$1/lock" true; then
		echo running
	else
		echo interrupted
	fi
}
"""

_SHOW = """
cd {root} 2>/dev/null || {{ echo 'no job was started here'; exit 0; }}
for d in $(ls -tr | tail -n {jobs}); do
	[ -f "$d/id" ] || continue
	read -r step digest attempt <"$d/id"
	[ -z {step} ] || [ "$step" = {step} ] || continue
	echo "== $step, attempt $attempt: $(state "$d")"
	tail -n {lines} "$d/log" 2>/dev/null | awk 1 # the last line may have no end
	if [ -s "$d/unit.log" ]; then
		echo '-- the unit concerned, at that moment'
		tail -n {lines} "$d/unit.log"
	fi
done
"""

_FOLLOW = """
cd {root} 2>/dev/null || exit 0
from() {{
	case $1 in
{offsets}	*) echo {otherwise} ;;
	esac
}}
for d in $(ls -tr | tail -n {jobs}); do
	[ -f "$d/id" ] || continue
	read -r step digest attempt <"$d/id"
	size=$(wc -c <"$d/log" 2>/dev/null) || size=0
	state=$(state "$d")
	from=$(from "$d")
	if [ "$from" = end ]; then
		from=$size
		[ "$state" != running ] || from=0
	fi
	end=$((from + {most}))
	[ "$end" -le "$size" ] || end=$size
	if [ "$end" -lt "$size" ] || [ "$state" = running ]; then # more is to come: whole lines only, so that no secret is torn
		whole=$({{ tail -c "+$((from + 1))" "$d/log" | head -c "$((end - from))" | tr '\\0' ' '; echo x; }} |
			LC_ALL=C awk '{{ n += last; last = length($0) + 1 }} END {{ print n + 0 }}')
		[ "$whole" = 0 ] && [ "$end" -ge "$((from + {most}))" ] || end=$((from + whole)) # one line that is longer than a look is cut
	fi
	echo "{mark} $d $end $step $attempt $state"
	[ "$end" -le "$from" ] || {{ tail -c "+$((from + 1))" "$d/log" | head -c "$((end - from))"; echo; }}
done
"""


def show_script(jobs: int, lines: int, step: str = "", root: str = JOBS) -> str:
    """Print the newest jobs with the last lines of their logs."""
    return _SHARED + _SHOW.format(root=shlex.quote(root), jobs=int(jobs), lines=int(lines), step=shlex.quote(step))


def follow_script(offsets: Mapping[str, int] | None, mark: str, root: str = JOBS) -> str:
    """Print what the newest jobs said since `offsets` (bytes by directory; None: the first look, which shows only what runs)."""
    cases = "".join(f"\t{shlex.quote(name)}) echo {int(at)} ;;\n" for name, at in (offsets or {}).items())
    return _SHARED + _FOLLOW.format(
        root=shlex.quote(root), offsets=cases, otherwise="end" if offsets is None else "0", jobs=FOLLOWED, most=AT_ONCE, mark=mark
    )


@dataclass
class Follower:
    """What was seen of one machine; turns the script's lines into new ones."""

    mark: str
    tell: Callable[[str], None]
    """Called with each new line."""
    offsets: dict[str, int] | None = None
    _found: dict[str, int] = field(default_factory=dict)
    _states: dict[str, str] = field(default_factory=dict)
    _title: str = ""

    def script(self, root: str = JOBS) -> str:
        """For the next look."""
        self._found, self._title = {}, ""
        return follow_script(self.offsets, self.mark, root)

    def line(self, text: str) -> None:
        """One line of the script's output."""
        if not text.startswith(self.mark + " "):
            if text and self._title:
                self.tell(f"{self._title}: {text}")
            return
        _mark, name, size, step, attempt, state = text.split(" ", 5)
        self._found[name] = int(size)
        self._title = f"{step} #{attempt}"
        first = self.offsets is None
        if self._states.get(name) != state and not (first and state != "running"):
            self.tell(f"{self._title} {state}")
        self._states[name] = state

    def end(self) -> None:
        """The look is over."""
        self.offsets = {**(self.offsets or {}), **self._found}
