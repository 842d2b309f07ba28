"""Completing the kubeconfigs that `kubeadm certs generate-csr` leaves on a host.

That command writes each kubeconfig with the server, the user and the user's private key (``client-key-data``), but
without the CA and without the certificate. The key must not leave the host, so the host adds the two missing lines itself:
`COMPLETE_AWK` copies a kubeconfig from stdin to stdout and puts ``certificate-authority-data`` before the line of the server and
``client-certificate-data`` before the line of the key, with the indentation of those lines. Lines of both names that are there
already are dropped, so running it again with new certificates renews the file. It is POSIX awk (mawk, gawk, busybox), and it
fails (exit status 1, before that a line on stderr) unless it met exactly one server and one key: the caller then throws the
output away. Use::

    awk -v ca="$CA" -v certificate="$CERTIFICATE" "$PROGRAM" < admin.conf > admin.conf.new && mv admin.conf.new admin.conf

with the two values as `completion_values` gives them (base64 of PEM on one line: public, so they may stand in argv). A third
variable, `server`, replaces the URL where it is given: kubeadm from v1.33 on wants a master's kubelet.conf to name that master's own
API server, while its generate-csr still writes the control-plane endpoint (a difference that it only warns about).
"""

from __future__ import annotations

import base64

COMPLETE_AWK = """\
/^[ ]*(certificate-authority|certificate-authority-data|client-certificate|client-certificate-data):/ { next }
/^[ ]*server:/ {
  indent = $0; sub(/server:.*/, "", indent); print indent "certificate-authority-data: " ca; servers++
  if (server != "") { print indent "server: " server; next }
}
/^[ ]*client-key-data:/ {
  indent = $0; sub(/client-key-data:.*/, "", indent); print indent "client-certificate-data: " certificate; keys++
}
{ print }
END {
  if (servers != 1 || keys != 1) {
    print "completing a kubeconfig: expected one server and one client-key-data, found " servers + 0 " and " keys + 0 > "/dev/stderr"
    exit 1
  }
}
"""
"""The awk program; variables `ca`, `certificate` and, optionally, `server`."""


def completion_values(ca_pem: str, certificate_pem: str) -> dict[str, str]:
    """The variables of `COMPLETE_AWK` for one kubeconfig."""
    return {
        "ca": base64.b64encode(ca_pem.encode()).decode(),
        "certificate": base64.b64encode(certificate_pem.encode()).decode(),
    }
