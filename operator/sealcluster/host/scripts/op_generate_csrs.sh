# Keys and requests are made in a directory of their own; installing a certificate moves its key to its place, so names that this
# master does not need (kubelet.conf of one that joins) never reach /etc/kubernetes.
kubeadm=$R$root/bin/kubeadm
[ -x "$kubeadm" ] || kubeadm=kubeadm
requests=$S/requests
etc=$R/etc/kubernetes
put_all "$R" || fail "writing the certificate authorities: the disk may be full"

fresh=$S/requests.new
rm -rf "$fresh"
mkdir -p "$fresh/pki/etcd" "$requests/pki/etcd" && chmod 700 "$fresh" "$requests" || fail "making $fresh: the disk may be full"
"$kubeadm" certs generate-csr --config in/config --cert-dir "$fresh/pki" --kubeconfig-dir "$fresh" >/dev/null ||
	fail "making keys and requests: kubeadm certs generate-csr failed"

# The request for a key that is in use already: the one it came with, or a new one where openssl can make it.
request_of() {
	if [ -s "$requests/$1.csr" ] && sha256sum "$2" | cut -c 1-64 | cmp -s - "$requests/$1.sum"; then return 0; fi
	command -v openssl >/dev/null 2>&1 || fail "requesting a certificate for $1: its key is not ours and openssl is missing; remove $2" 69
	openssl req -new -key "$2" -subj "/CN=${1##*/}" -out "$requests/$1.csr" || fail "requesting a certificate for $1: openssl failed"
	sha256sum "$2" | cut -c 1-64 >"$requests/$1.sum" || full
}

full() {
	fail "keeping keys and requests: the disk may be full: $(room "$S")"
}

(cd "$fresh" && find . -name '*.csr' | sed 's#^\./##; s#\.csr$##' | sort) >in/names || full
while read -r path; do
	case $path in
	*.conf)
		name=$path
		used=$etc/$path
		if [ -s "$used" ] && ! grep -q 'client-key-data:' "$used"; then continue; fi
		if [ -s "$used" ]; then
			awk '$1 == "client-key-data:" { print $2 }' "$used" | base64 -d >in/key || full
			used=in/key
		fi
		;;
	*)
		name=${path#pki/}
		used=$etc/$path.key
		;;
	esac
	if [ -s "$used" ]; then
		request_of "$path" "$used"
	elif ! [ -s "$requests/$path.csr" ] || ! { [ -s "$requests/$path.key" ] || [ -s "$requests/$path" ]; }; then
		mv "$fresh/$path.csr" "$requests/$path.csr" || full
		rm -f "$requests/$path.sum"
		case $path in
		*.conf)
			mv "$fresh/$path" "$requests/$path" || full
			awk '$1 == "client-key-data:" { print $2 }' "$requests/$path" | base64 -d | sha256sum | cut -c 1-64 >"$requests/$path.sum" || full
			;;
		*)
			mv "$fresh/$path.key" "$requests/$path.key" || full
			sha256sum "$requests/$path.key" | cut -c 1-64 >"$requests/$path.sum" || full
			;;
		esac
	fi
	printf '== %s\n' "$name" && cat "$requests/$path.csr" || full
done <in/names >out
rm -rf "$fresh" in/key
flush_tree "$requests" || full
