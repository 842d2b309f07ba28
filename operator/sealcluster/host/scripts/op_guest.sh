mkdir -p "$R$workdir" || fail "preparing $workdir: mkdir failed"
unpack_parts "$R$workdir"
put_all "$R$workdir/" || fail "writing files below $workdir: the disk may be full"
number=0
while [ -e "$d/in/commands/$number" ]; do
	printf '+ %s\n' "$(head -n 1 "$d/in/commands/$number" | cut -c 1-200)"
	in_env "$d/in/commands/$number" "$R$workdir" || fail "command $((number + 1)) failed" $?
	number=$((number + 1))
done
drop_parts
