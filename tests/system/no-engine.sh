#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# no-engine.sh CAPABILITIES FOLDER [NAME=VALUE...] [-- ARG...]: stands in for a container engine, which
# would not do all of this: runs the entrypoint of the image as the first process of namespaces of its
# own, in the network namespace that there is.
#
# CAPABILITIES, with commas in between, are all that it has, as with `--cap-drop ALL --cap-add ...`.
# Everything is read-only but /dev, /tmp and /run/snowrelay, /proc/sys included. From FOLDER come
# /etc/resolv.conf and, as /run/mounts, what is in its folder `mounts`. The environment is
# NAME=VALUE... and no more. Among it, NO_TUN=1 is for a container without /dev/net/tun, NO_USE=1
# for one that may not use it, and NO_TMP=1 for one whose /tmp is read-only as well.
#
# BUILD is where snowrelayd is. The rest of the image is this host's.

set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)

if [[ "${1:-}" != inside ]]; then
    exec unshare --mount --pid --fork --kill-child "$0" inside "$@"
fi

capabilities=$2 folder=$3
shift 3
variables=(PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin OVS_RUNDIR=/run/snowrelay)
while [[ "${1:---}" != -- ]]; do
    variables+=("$1")
    shift
done
shift || true

given() { [[ " ${variables[*]} " == *" $1=1 "* ]]; }

mount --make-rprivate /
mount -t proc proc /proc

# The image
mount -t tmpfs tmpfs /usr/local/bin
cp "$BUILD/snowrelayd" "$root/scripts/container/entrypoint.sh" /usr/local/bin/
mount -t tmpfs tmpfs /run
mkdir /run/snowrelay
grep -v '^snowrelay:' /etc/passwd > /run/passwd
echo "snowrelay:x:64123:64123::/nonexistent:/usr/sbin/nologin" >> /run/passwd
mount --bind /run/passwd /etc/passwd

# What the engine adds
cp "$folder/resolv.conf" /run/resolv.conf
mount --bind /run/resolv.conf /etc/resolv.conf
mkdir -p /run/mounts
[[ ! -e "$folder/mounts" ]] || cp "$folder"/mounts/* /run/mounts/
mount -t tmpfs tmpfs /dev
for device in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "/dev/${device%:*}" c 1 "${device#*:}"
done
ln -s /proc/self/fd /dev/fd
given NO_TUN || mkdir /dev/net
! given NO_USE || mount -t tmpfs -o nodev tmpfs /dev/net
given NO_TUN || mknod -m 666 /dev/net/tun c 10 200

mount -t tmpfs tmpfs /run/snowrelay
mount -t tmpfs tmpfs /tmp
mount --bind /proc/sys /proc/sys
! given NO_TMP || mount -o remount,ro /tmp
for place in / /proc/sys /usr/local/bin /run; do
    mount -o remount,bind,ro "$place"
done
cd /
exec setpriv --bounding-set="-all,$capabilities" --inh-caps=-all --ambient-caps=-all \
    env -i "${variables[@]}" entrypoint.sh "$@"
