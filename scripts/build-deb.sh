#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# build-deb.sh: builds the Debian package of this tree, as it is, into build/deb, and has lintian look
# at it.
#
# It is built in a copy of the tree, so that the tree stays clean; libopenvswitch comes from .cache/.
# Without DEB_BUILD_OPTIONS in the environment it is built with `nocheck`: `make check` runs the tests.

set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -gt 0 ]; then
    echo "build-deb.sh: $1: it takes no options" >&2
    exit 2
fi
export DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS-nocheck parallel=$(nproc)}
folder=build/deb
log=$folder/build.log

# The files of the tree, without those that git ignores.
files() {
    git ls-files -z --cached --others --exclude-standard 2> /dev/null ||
        find . \( -path ./build -o -path ./.cache -o -path ./.git \) -prune -o \( -type f -o -type l \) -print0
}

rm -rf "$folder"
mkdir -p "$folder/snowrelay" .cache
# What git knows of may have been removed.
files | while IFS= read -rd '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar --create --null --files-from=- --file=- | tar --extract --directory="$folder/snowrelay"
ln -s "$(realpath .cache)" "$folder/snowrelay/.cache"

echo "Building the package; log: $log"
if ! (cd "$folder/snowrelay" && dpkg-buildpackage --build=binary --no-sign) > "$log" 2>&1 < /dev/null; then
    tail -n 20 "$log" >&2
    echo "build-deb.sh: the package could not be built, see $log" >&2
    exit 1
fi
# It leaves files of its own in the folder for temporary ones.
mkdir "$folder/lintian"
TMPDIR=$PWD/$folder/lintian lintian --allow-root --fail-on=error,warning,info --tag-display-limit=0 "$folder"/*.changes
rm -r "$folder/lintian"
printf '%s\n' "$folder"/*.deb
