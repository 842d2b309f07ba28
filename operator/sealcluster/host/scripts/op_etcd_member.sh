container=$(etcd_container)
[ -n "$container" ] || fail "changing etcd's membership: no etcd runs on this host" 69

row() {
	etcdctl_in "$container" member list -w simple | grep "^$member_id,"
}

listed=$(etcdctl_in "$container" member list -w simple) || fail "changing etcd's membership: its members cannot be listed: $listed"
case $action in
remove)
	printf '%s\n' "$listed" | grep -q "^$member_id," || exit 0
	etcdctl_in "$container" member remove "$member_id" || exit
	if row >/dev/null; then fail "removing etcd member $member_id: it is still listed"; fi
	;;
promote)
	printf '%s\n' "$listed" | grep -q "^$member_id," || fail "promoting etcd member $member_id: there is no such member" 66
	printf '%s\n' "$listed" | grep "^$member_id," | grep -q 'true *$' || exit 0
	etcdctl_in "$container" member promote "$member_id" || exit
	;;
*) fail "changing etcd's membership: unknown action $action" ;;
esac
