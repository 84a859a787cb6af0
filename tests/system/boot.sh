#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# boot.sh: has the systemd of the Debian in $TARGET be what it is on a host, the first process. It runs
# in namespaces of its own, with a hierarchy of control groups of its own; see systemd.bats.

set -euo pipefail

mount --make-rprivate /
mount -t proc proc "$TARGET/proc"
mount -t sysfs -o ro sysfs "$TARGET/sys"
mount -t cgroup2 cgroup2 "$TARGET/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$TARGET/run"
mount -t tmpfs -o mode=755 tmpfs "$TARGET/dev"
mkdir "$TARGET/dev/pts" "$TARGET/dev/shm" "$TARGET/dev/net"
for device in null zero full random urandom tty net/tun; do
    touch "$TARGET/dev/$device"
    mount --bind "/dev/$device" "$TARGET/dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$TARGET/dev/pts"
ln -s pts/ptmx "$TARGET/dev/ptmx"
ln -s /proc/self/fd "$TARGET/dev/fd"
ip link set lo up

# Nothing leads to this host's files any more.
cd "$TARGET"
mkdir run/outside
pivot_root . run/outside
umount --lazy run/outside

# In a container it leaves the clock, the hardware and the kernel's settings alone.
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=test /lib/systemd/systemd
