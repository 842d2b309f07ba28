#!/usr/bin/env bash
# What the other scripts share; they source it from their own folder.
set -euo pipefail

ROOTFS=$(cd .. && pwd)
export ROOTFS
BIN_DIR=${BIN_DIR:-/usr/bin}
export BIN_DIR
UNITS=/etc/systemd/system
export UNITS

log() { printf '%s %s: %s\n' "$(date +%H:%M:%S)" "${0##*/}" "$*" >&2; }

die() {
  log "$*"
  exit 1
}

# The kernel is shared with other machines: no swapoff, no sysctl outside the network namespace.
in_lab() { [ "${SEALAB:-0}" = 1 ]; }

# put SOURCE TARGET MODE: replaces TARGET by rename, so that a running program keeps its file.
put() {
  mkdir -p "$(dirname "$2")"
  install -m "$3" "$1" "$2.new"
  mv -f "$2.new" "$2"
}

# listening PORT: whether a TCP socket listens on it, on any address.
listening() {
  grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$1") [0-9A-F]+:0000 0A " /proc/net/tcp /proc/net/tcp6
}

# wait_for SECONDS WHAT COMMAND...: until COMMAND succeeds.
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || die "$what: not in time"
    sleep 0.1
  done
}

# in_file FILE LINE: whether FILE has exactly this line.
in_file() { [ -f "$1" ] && grep -qxF -- "$2" "$1"; }
