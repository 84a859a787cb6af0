#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# embed-page.sh FOLDER: makes one page of FOLDER/index.html, with page.css where it says @style@, and
# words.js, picture.js and page.js where it says @script@.  Prints it as C (controller/page.h), with a
# policy that allows just this style and this script.

set -euo pipefail
cd "$1"

# hash_of FILE: of what is between the tags, as Content Security Policy Level 3 has it: the file, and
# the end of the line before it.
hash_of() {
    local hex
    hex=$({ echo; cat "$1"; } | sha256sum)
    hex=${hex%% *}
    # shellcheck disable=SC2059,SC2001 # bytes; a hexadecimal escape for each
    printf "sha256-%s" "$(printf "$(sed 's/../\\x&/g' <<< "$hex")" | base64)"
}

# Each line as a C string.
quote() { sed 's/[\\"]/\\&/g; s/^/"/; s/$/\\n"/'; }

script=$(mktemp)
trap 'rm -f "$script"' EXIT
cat words.js picture.js page.js > "$script"

echo '#include <config.h>'
echo '#include "page.h"'
echo 'const char page_html[] ='
sed -e '/^@style@$/{r page.css' -e 'd}' -e "/^@script@$/{r $script" -e 'd}' index.html | quote
echo ';'
cat << END
const char page_policy[] =
"default-src 'none'; connect-src 'self'; img-src data:; "
"style-src '$(hash_of page.css)'; "
"script-src '$(hash_of "$script")'; "
"base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
END
