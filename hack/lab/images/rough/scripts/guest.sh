#!/usr/bin/env bash
# guest.sh NAME [FAILING...]: an element of the image's CMD. It leaves a line, or fails when it is among the failing.
# unlike the other scripts it is called from the image's root
. "$(dirname "$0")/common.sh"

name=$1
shift
mkdir -p /etc/rough
for failing in "$@"; do
  [ "$failing" != "$name" ] || fail "$name fails because roughFail says so"
done
echo "$name" >>/etc/rough/guests
