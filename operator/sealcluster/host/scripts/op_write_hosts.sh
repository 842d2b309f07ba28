write_hosts "" || fail "writing /etc/hosts: the disk may be full or the file not writable"
renew_copies || fail "writing the copies of /etc/hosts that pods on the host's network have: the disk may be full"
