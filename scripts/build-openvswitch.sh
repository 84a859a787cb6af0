#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# build-openvswitch.sh FRAGMENT: makes libopenvswitch available and writes to
# FRAGMENT, for the Makefile to include, how to compile and link against it.
#
# Debian ships the switch but not the library, so the library is built from
# the sources in Debian's openvswitch-source, which have to be of the same
# version as the installed switch.  The build goes to .cache/ at the top of the
# tree and is done once for each version.  OVS_BUILDDIR=DIR names a finished
# Open vSwitch build tree to use instead.

set -euo pipefail

if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "build-openvswitch.sh: say which FRAGMENT to write, and nothing else" >&2
    exit 2
fi
fragment=$1
top=$(cd "$(dirname "$0")/.." && pwd)
tarball=/usr/src/openvswitch/openvswitch.tar.gz

# Debian's folders, where its Open vSwitch has its sockets, pid files and logs.
# And no libunbound: names in OVS connection methods are not ours to look up,
# and the library would start a resolver of its own.
options=(--prefix=/usr --localstatedir=/var --sysconfdir=/etc
         --disable-dependency-tracking --disable-shared --enable-silent-rules
         ac_cv_lib_unbound_ub_ctx_create=no
         CFLAGS='-O2 -g -fno-omit-frame-pointer')

die() {
    echo "build-openvswitch.sh: $*" >&2
    exit 1
}

package_version() {
    dpkg-query -W -f '${Version}' "$1" 2> /dev/null || die "package $1 is not installed"
}

# Passes on a line for every tenth of the 'total' lines read.
progress() {
    awk -v total="$1" '
        { done = int(10 * NR / total)
          if (done > shown && done <= 10) {
              shown = done; printf "  %d%%\n", 10 * done; fflush() } }'
}

# Builds the library in 'tree', a fresh copy of the sources.
build() {
    local tree=$1 log=$1.log

    echo "Building libopenvswitch $version (once, about a minute); log: $log"
    rm -rf "$tree"
    mkdir -p "$tree"
    tar -C "$tree" --strip-components=1 -xf "$tarball"
    (
        cd "$tree"
        echo "  configure"
        ./configure "${options[@]}" > "$log" 2>&1
        # The library's own target does not make the headers that the build
        # generates; ask for those first.
        # shellcheck disable=SC2016  # $(BUILT_SOURCES) is for make
        printf 'include Makefile\nbuilt-sources: $(BUILT_SOURCES)\n' > built-sources.mk
        make -s -f built-sources.mk built-sources >> "$log" 2>&1
        echo "  compile"
        make -j"$(nproc)" lib/libopenvswitch.la 2>&1 | tee -a "$log" | progress 215
    ) || { tail -n 20 "$log" >&2; die "building libopenvswitch failed, see $log"; }
    echo "${options[*]}" > "$tree/.complete"
}

if [ -n "${OVS_BUILDDIR-}" ]; then
    tree=$(cd "$OVS_BUILDDIR" 2> /dev/null && pwd) || die "OVS_BUILDDIR: no folder $OVS_BUILDDIR"
else
    version=$(package_version openvswitch-source)
    switch=$(package_version openvswitch-switch)
    [ "$version" = "$switch" ] \
        || die "openvswitch-source is $version but openvswitch-switch is $switch: install the same"
    [ -r "$tarball" ] || die "$tarball: not found"
    tree=$top/.cache/openvswitch-$version
    [ "$(cat "$tree/.complete" 2> /dev/null)" = "${options[*]}" ] || build "$tree"
fi

for part in lib/.libs/libopenvswitch.a lib/libopenvswitch.pc config.h Makefile; do
    [ -e "$tree/$part" ] || die "$tree: not a finished Open vSwitch build, $part is missing"
done

source=$(sed -n 's/^abs_srcdir = //p' "$tree/Makefile")
libs=$(sed -n 's/^Libs.private: *//p' "$tree/lib/libopenvswitch.pc")

# Copies the static library 'from' to 'to' with the functions renamed that
# libjansson has as well: both call theirs json_array(), json_object() and so
# on, and the linker would give jansson, too, the ones of Open vSwitch.
copy_without_clashes() {
    local from=$1 to=$2 jansson

    jansson=$(cc -print-file-name=libjansson.so)
    comm -12 <(nm -g --defined-only "$from" 2> /dev/null | awk 'NF == 3 { print $3 }' | sort -u) \
             <(nm -D --defined-only "$jansson" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u) \
        | awk '{ print $1, "ovs_" $1 }' > "$to.renamed"
    objcopy --redefine-syms="$to.renamed" "$from" "$to"
    rm -f "$to.renamed"
}

folder=$(dirname "$fragment")
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
copy_without_clashes "$tree/lib/.libs/libopenvswitch.a" "$folder/libopenvswitch.a"
static=$folder/libopenvswitch.a
[ ! -e "$tree/lib/.libs/libopenvswitchavx512.a" ] \
    || static="$static $tree/lib/.libs/libopenvswitchavx512.a"

cat > "$fragment.new" << EOF
OVS_CPPFLAGS = -isystem $tree -isystem $tree/include -isystem $tree/lib \\
               -isystem $source -isystem $source/include -isystem $source/lib
OVS_LIBS = $static $libs
EOF
mv "$fragment.new" "$fragment"
