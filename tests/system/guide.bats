#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The operating guide says all that there is to say, and nothing that is no more. No network is
# needed for this.

bats_require_minimum_version 1.5.0

catalogue() { "$BATS_TEST_DIRNAME/catalogue.py" "$@"; }

GUIDE=$BATS_TEST_DIRNAME/../../docs/operating.md

@test "every line that can be logged is in the operating guide, and no other is" {
    [ "$(catalogue sources | wc -l)" -ge 90 ]
    diff <(catalogue sources) <(catalogue document)
    # A line is one line.
    run ! grep -F '\n' <(catalogue sources)
}

@test "every reason for which a frame is dropped is in the operating guide, and no other is" {
    [ "$(catalogue reasons sources | wc -l)" -ge 30 ]
    diff <(catalogue reasons sources) <(catalogue reasons document)
}

# anchors: prints what one can link to in the guide, a line each, as GitHub makes it of headings.
anchors() {
    sed -n 's/^##* //p' "$GUIDE" | tr '[:upper:]' '[:lower:]' | sed "s/[^a-z0-9 -]//g; s/ /-/g"
}

@test "every link in the operating guide leads to a heading or a file" {
    local link
    [ "$(anchors | wc -l)" -ge 15 ]
    while read -r link; do
        case $link in
            '#'*) anchors | grep -qx "${link#?}" || { echo "$link"; return 1; } ;;
            *) [ -e "${GUIDE%/*}/${link%%#*}" ] || { echo "$link"; return 1; } ;;
        esac
    done < <(grep -o ']([^)]*)' "$GUIDE" | sed 's/^](//; s/)$//' | sort -u)
}
