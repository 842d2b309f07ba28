#!/bin/sh
# Turns a freshly bootstrapped Debian into the lab's machine image. Called by mmdebstrap with the root directory.
set -eu
root=$1
here=$(dirname "$(readlink -f "$0")")

cp -R "$here/files/." "$root/"
chown -R 0:0 "$root/etc" "$root/usr/local"
chmod 0755 "$root/usr/local/lib/machine/"*

while read -r unit; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done < "$here/masked-units.txt"
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
for unit in machine-ssh-keys machine-hosts; do
    mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
    ln -sf "/etc/systemd/system/$unit.service" "$root/etc/systemd/system/multi-user.target.wants/$unit.service"
done

# What must differ between machines is made at boot or when a machine is created, never shared through the image.
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id" "$root/var/lib/dbus/machine-id" "$root/etc/hostname" "$root/etc/resolv.conf"
: > "$root/etc/machine-id"
ln -s /etc/machine-id "$root/var/lib/dbus/machine-id"

# Nobody installs packages on these machines: every copy of /var would carry the lists and caches.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/usr/share/doc/* \
    "$root"/usr/share/man/* "$root"/usr/share/locale/*
mkdir -p "$root/var/log"
