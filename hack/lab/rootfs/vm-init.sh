#!/bin/busybox sh
# First process of a virtual machine: load the virtio drivers, set up its address, hand over to the disk's systemd.
busybox mount -t proc proc /proc
busybox mount -t devtmpfs devtmpfs /dev
# shellcheck disable=SC2013 # words are what is wanted
for module in $(busybox cat /modules/order); do
    busybox insmod "/modules/$module.ko"
done
# shellcheck disable=SC2013 # words are what is wanted
for word in $(busybox cat /proc/cmdline); do
    case $word in
        lab.address=*) address=${word#*=} ;;
        lab.gateway=*) gateway=${word#*=} ;;
    esac
done
tries=0
until [ -b /dev/vda ] && [ -e /proc/sys/net/ipv4/conf/eth0 ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo "lab: no disk or no network device"; busybox poweroff -f; }
    busybox usleep 100000
done
busybox ip link set eth0 up
busybox ip address add "$address" dev eth0
busybox ip route add default via "$gateway"
busybox sysctl -q -w net.ipv4.ip_forward=1
busybox mount -t ext4 /dev/vda /root
busybox umount /proc
exec busybox switch_root /root /sbin/init
