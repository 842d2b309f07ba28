"""A real sshd on loopback, and a directory that plays a machine's root."""
