requests=$S/requests
etc=$R/etc/kubernetes

put() {
	sync "$1" && mv -f "$1" "$2" || fail "installing $2: the disk may be full"
}

while read -r number name; do
	case $name in
	*.conf)
		base=$etc/$name
		if ! [ -s "$base" ] || ! grep -q 'client-key-data:' "$base"; then base=$requests/$name; fi
		[ -s "$base" ] || fail "completing $name: neither it nor a request for it is on the host" 66
		awk -v ca="$(cat in/ca)" -v certificate="$(cat "in/certificates/$number")" -v server="$server" "$(cat in/complete)" <"$base" \
			>"$etc/.$name.new" || fail "completing $name: it has another form than kubeadm's"
		chmod 600 "$etc/.$name.new"
		put "$etc/.$name.new" "$etc/$name"
		rm -f "$requests/$name"
		;;
	*)
		crt=$etc/pki/$name.crt
		key=$etc/pki/$name.key
		mkdir -p "${crt%/*}"
		if ! [ -s "$key" ]; then
			[ -s "$requests/pki/$name.key" ] || fail "installing certificate $name: its key is not on the host" 66
			cp "$requests/pki/$name.key" "$key.new" && chmod 600 "$key.new" || fail "installing $key: the disk may be full"
			put "$key.new" "$key"
			rm -f "$requests/pki/$name.key"
		fi
		cp "in/certificates/$number" "$crt.new" && chmod 644 "$crt.new" || fail "installing $crt: the disk may be full"
		put "$crt.new" "$crt"
		;;
	esac
done <in/certificates.list
