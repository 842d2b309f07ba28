#!/usr/bin/env bash
# Sourced by the other scripts.
set -e

BIN_DIR=${BIN_DIR:-/usr/bin}
export BIN_DIR

logger() { echo " $(date +%H:%M:%S) $1 $2" >&2; }
info() { logger INFO "$1"; }
fail() {
  logger FATAL "$1"
  exit 1
}
