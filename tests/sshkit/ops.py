"""Ops on a sandboxed machine: run once more, parts in its store, what is in a folder; and stand-ins for what needs a real machine."""

import gzip
import hashlib
import io
import tarfile

from sshkit.machine import OURS, job

ROOT = "/var/lib/sealos/data/default/rootfs"
ENTRIES = (("10.0.0.1", "sealos.hub"), ("10.0.0.2", "apiserver.cluster.local"))


async def do(m1, op):
    """Run the op once more, whatever it is."""
    m1.attempt += 1
    return await m1.port_.run(job(op, type(op).__name__), m1.attempt, OURS)


async def done(m1, op):
    result = await do(m1, op)
    assert result.rc == 0, result.log
    return result


def part(m1, files):
    """A part in the machine's store."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
    return blob(m1, gzip.compress(buffer.getvalue(), mtime=0))


def blob(m1, data):
    digest = hashlib.sha256(data).hexdigest()
    store = m1.box.state / "store"
    store.mkdir(parents=True, exist_ok=True)
    (store / digest).write_bytes(data)
    return digest


def tree(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file() and not f.is_symlink()}


# Stand-ins that record what they were asked

KUBEADM = """#!/bin/sh
echo "$@" >>@ROOT@/asked
case $1 in
config) printf 'registry.k8s.io/%s:v1.34.4\\n' kube-apiserver kube-controller-manager kube-scheduler kube-proxy coredns/coredns pause etcd ;;
certs)
	while [ $# -gt 0 ]; do
		case $1 in --cert-dir) pki=$2 ;; --kubeconfig-dir) dir=$2 ;; esac
		shift
	done
	mkdir -p "$pki/etcd"
	for name in "$pki/apiserver" "$pki/etcd/server"; do
		openssl ecparam -name prime256v1 -genkey -noout -out "$name.key"
		openssl req -new -key "$name.key" -subj /CN=x -out "$name.csr"
	done
	for name in admin.conf kubelet.conf; do
		openssl ecparam -name prime256v1 -genkey -noout -out "$dir/key"
		openssl req -new -key "$dir/key" -subj /CN=x -out "$dir/$name.csr"
		printf 'clusters:\\n- cluster:\\n    server: https://x:6443\\n  name: kubernetes\\nusers:\\n- user:\\n    client-key-data: %s\\n' \\
			"$(base64 -w 0 <"$dir/key")" >"$dir/$name"
		rm "$dir/key"
	done
	;;
init | join)
	cat "$3" >@ROOT@/given
	echo "using token abcdef.0123456789abcdef"
	mkdir -p @ROOT@/etc/kubernetes/manifests
	echo admin >@ROOT@/etc/kubernetes/admin.conf
	exit "$(cat @ROOT@/code 2>/dev/null || echo 0)"
	;;
reset) rm -f @ROOT@/etc/kubernetes/manifests/* ;;
esac
"""

CONFIG = b"kind: InitConfiguration\nbootstrapTokens:\n- token: abcdef.0123456789abcdef\n"
