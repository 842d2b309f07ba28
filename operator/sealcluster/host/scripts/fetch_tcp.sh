#!/bin/bash
# HTTP/1.0 with nothing but bash: fetch_tcp <host:port> <path> <file>. in/header holds the Authorization line.
set -u
host=${1%:*}
host=${host#[}
host=${host%]}
exec 3<>"/dev/tcp/$host/${1##*:}" || exit 1
{
	printf 'GET %s HTTP/1.0\r\nHost: %s\r\n' "$2" "$1"
	[ ! -s in/header ] || printf '%s\r\n' "$(<in/header)"
	printf 'Accept: */*\r\n\r\n'
} >&3 || exit 1
IFS= read -r -t 30 status <&3 || { echo "http://$1$2: no answer" >&2; exit 1; }
while IFS= read -r -t 30 line <&3; do
	[ "$line" = $'\r' ] && break
done
case $status in
HTTP/1.?\ 200*) ;;
*)
	echo "http://$1$2: ${status%$'\r'}" >&2
	exit 1
	;;
esac
cat <&3 >"$3"
