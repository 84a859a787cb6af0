#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# runtime-packages.sh PROGRAM - prints the Debian packages of the libraries that PROGRAM is linked
# with, a line each, so that nobody has to keep a list of them.

set -euo pipefail

libraries=$(ldd "$1" | sed -nE 's/.* => (\/usr)?([^ ]+) \(.*/\2/p')
[[ -n "$libraries" ]] || {
    echo "runtime-packages.sh: $1 is linked with no libraries" >&2
    exit 1
}
for library in $libraries; do
    # dpkg knows some by the folder that they were in before /lib was moved to /usr.
    { dpkg-query -S "$library" || dpkg-query -S "/usr$library"; } 2> /dev/null ||
        { echo "runtime-packages.sh: no package has $library" >&2 && exit 1; }
done | cut -d : -f 1 | sort -u
