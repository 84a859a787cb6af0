# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A Debian that has nothing, or nothing but the package: made, and gone into.
# What is downloaded comes from where this host's own apt has it from, and is kept in .cache/.

ROOT=$(realpath "$BATS_TEST_DIRNAME/../..")
TARGET=$ROOT/build/package-root # It, in memory.
DEBS=$ROOT/.cache/debs
export TARGET

# debian_make [PACKAGE...]: builds the package, and makes a Debian with it and each PACKAGE.
debian_make() {
    debian_remove
    # What a make that runs the tests was told is not for this one.
    unset MAKEFLAGS MAKELEVEL MFLAGS SANITIZE
    make -C "$ROOT" deb > "$BATS_FILE_TMPDIR/make" 2>&1 || { tail -n 20 "$BATS_FILE_TMPDIR/make"; return 1; }
    debian_root || return 1
    cp "$(package)" "$TARGET"
    online apt-get install -y "$@" "/$(basename "$(package)")" \
        > "$BATS_FILE_TMPDIR/install" 2>&1 || { tail -n 20 "$BATS_FILE_TMPDIR/install"; return 1; }
}

# debian_root: makes a Debian that has nothing in $TARGET.
debian_root() {
    mkdir -p "$TARGET" "$DEBS/partial"
    mount -t tmpfs -o size=2g,mode=755 tmpfs "$TARGET"
    make_root > "$BATS_FILE_TMPDIR/debootstrap" 2>&1 || { tail -n 20 "$BATS_FILE_TMPDIR/debootstrap"; return 1; }
}

debian_remove() {
    awk -v below="$TARGET" '$2 == below || index($2, below "/") == 1 { print $2 }' /proc/mounts | tac |
        xargs -r umount
    [ ! -d "$TARGET" ] || rmdir "$TARGET"
}

package() { echo "$ROOT"/build/deb/snowrelay_*.deb; }

# The sources of this host's Debian, a line each: where, suite, component
sources() {
    local codename
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # shellcheck disable=SC2016 # for apt-get
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
        awk -v codename="$codename" '$1 == "Debian" && index($3, codename) == 1 { print $2, $3, $4 }' | sort -u
}

make_root() {
    local mirror suite _ certificates=
    read -r mirror suite _ < <(sources | awk 'index($2, "-") == 0 && $3 == "main"')
    ! sources | grep -q ^https || certificates=--include=ca-certificates
    debootstrap --variant=minbase --cache-dir="$DEBS" $certificates "$suite" "$TARGET" "$mirror" &&
        sources | sed 's/^/deb /' > "$TARGET/etc/apt/sources.list" &&
        apt-config dump | grep '^Acquire::' > "$TARGET/etc/apt/apt.conf.d/99host" &&
        printf '#!/bin/sh\nexit 101\n' > "$TARGET/usr/sbin/policy-rc.d" &&
        chmod 755 "$TARGET/usr/sbin/policy-rc.d" &&
        online apt-get update
}

# online CMD...: runs CMD there, with this host's network and the packages in .cache/.
online() {
    # shellcheck disable=SC2016
    unshare --mount bash -c '
        cat /etc/resolv.conf > "$1/etc/resolv.conf"
        mount --bind "$2" "$1/var/cache/apt/archives" && shift && shift &&
            exec chroot "$TARGET" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
                DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"' \
        - "$TARGET" "$DEBS" "$@" < /dev/null 3>&-
}

# inside CMD...: runs CMD there as on a host of its own: with devices, a network that leads nowhere and
# processes of its own, which all end with CMD.
inside() {
    # shellcheck disable=SC2016
    unshare --mount --net --pid --ipc --fork --kill-child bash -c '
        mount --rbind /dev "$TARGET/dev" && mount -t proc proc "$TARGET/proc" &&
            mount -t sysfs sysfs "$TARGET/sys" && mount -t tmpfs tmpfs "$TARGET/run" &&
            ip link set lo up && exec chroot "$TARGET" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"' - "$@" < /dev/null 3>&-
}
