requests=$S/requests
etc=$R/etc/kubernetes

# put <new> <file>; what cannot be put there goes: it may hold a key.
put() {
	sync "$1" && mv -f "$1" "$2" || give_up "$1" "installing $2: the disk may be full"
}

# give_up <new> <message>
give_up() {
	rm -f "$1"
	fail "$2"
}

while read -r number name; do
	case $name in
	*.conf)
		base=$etc/$name
		if ! [ -s "$base" ] || ! grep -q 'client-key-data:' "$base"; then base=$requests/$name; fi
		[ -s "$base" ] || fail "completing $name: neither it nor a request for it is on the host" 66
		new=$etc/.$name.new
		rm -f "$new"
		# It holds a private key: nobody else may read it, from its first byte on.
		(
			umask 077
			awk -v ca="$(cat in/ca)" -v certificate="$(cat "in/certificates/$number")" -v server="$server" "$(cat in/complete)" <"$base" >"$new"
		) || give_up "$new" "completing $name: it has another form than kubeadm's, or the disk is full: $(room "$etc")"
		put "$new" "$etc/$name"
		rm -f "$requests/$name"
		;;
	*)
		crt=$etc/pki/$name.crt
		key=$etc/pki/$name.key
		mkdir -p "${crt%/*}"
		if ! [ -s "$key" ]; then
			[ -s "$requests/pki/$name.key" ] || fail "installing certificate $name: its key is not on the host" 66
			cp "$requests/pki/$name.key" "$key.new" && chmod 600 "$key.new" || give_up "$key.new" "installing $key: the disk may be full"
			put "$key.new" "$key"
			rm -f "$requests/pki/$name.key"
		fi
		cp "in/certificates/$number" "$crt.new" && chmod 644 "$crt.new" || give_up "$crt.new" "installing $crt: the disk may be full"
		put "$crt.new" "$crt"
		;;
	esac
done <in/certificates.list
