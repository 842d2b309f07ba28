for unit in $units; do
	systemctl reset-failed "$unit.service" 2>/dev/null
	said=$(systemctl start "$unit.service" 2>&1) || fail "starting $unit: $said: $(journalctl -u "$unit" -n 5 --no-pager -o cat 2>/dev/null | tr '\n' ' ')"
done
