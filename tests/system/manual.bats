#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The man pages: that they are well formed, and leave out nothing that the programs have.

bats_require_minimum_version 1.5.0

ROOT=$BATS_TEST_DIRNAME/../..

# page NAME: prints the page as it is read, without bold letters.
page() { mandoc -T utf8 "$ROOT/docs/man/$1" | sed 's/.\x08//g'; }

# names PAGE WORD...: the page has all of these, each as a word of its own; says which it has not.
names() {
    local text word missing=
    text=$(page "$1")
    for word in "${@:2}"; do
        grep -qE -- "(^|[^[:alnum:]_/-])${word//./\\.}([^[:alnum:]_/-]|$)" <<< "$text" || missing+=" $word"
    done
    [ -z "$missing" ] || { echo "$1 does not name$missing"; return 1; }
}

# The keys of the configuration file, with the objects that they are in, as conf-file.c has them
keys() {
    awk '
        BEGIN {
            prefix["set_root"] = ""
            prefix["set_relay"] = "relay."; prefix["set_segment"] = "segment."; prefix["set_mesh"] = "mesh."
            prefix["add_rule"] = "replicate[]."; prefix["add_collector"] = "replicate[].to[]."
        }
        /^[a-z_]+\(/ { name = $0; sub(/\(.*/, "", name) }
        /static const struct key keys\[\]/ {
            if (!(name in prefix)) { print "whose keys are those of " name "?"; exit }
            inside = 1
        }
        /^    };/ { inside = 0 }
        inside && match($0, /"[a-z_]+"/) { print prefix[name] substr($0, RSTART + 1, RLENGTH - 2) }
    ' "$ROOT/controller/conf-file.c"
}

@test "mandoc and groff find nothing wrong with them" {
    local file
    for file in "$ROOT"/docs/man/*; do
        run -0 mandoc -T lint -W warning "$file"
        [ -z "$output" ]
        # As lintian does it
        # shellcheck disable=SC2016
        run -0 env LC_ALL=C.UTF-8 MANROFFSEQ= MANWIDTH=80 bash -o pipefail -c \
            'man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 > /dev/null' - "$file"
        [ -z "$output" ]
    done
}

@test "snowrelayd(8) names every option of snowrelayd" {
    local options
    # Those of options.c, of which --help leaves one out, and those that --help has from libopenvswitch
    mapfile -t options < <({
        sed -n '/^static const struct option long_options/,/^};/s/^    { "\([a-z-]*\)".*/--\1/p' "$ROOT/controller/options.c"
        "$SNOWRELAYD" --help | grep -oE -- '(^| )--?[a-zA-Z][a-z-]*' | tr -d ' ' | grep -v '^-vSPEC'
    } | sort -u)
    [ "${#options[@]}" -gt 40 ]
    names snowrelayd.8 "${options[@]}"
}

@test "snowrelayd(8) names every command that ovs-appctl can give it" {
    local commands
    mapfile -t commands < <(cat "$ROOT"/controller/*.c | tr '\n' ' ' |
        grep -oE 'unixctl_command_register\( *"[^"]*"' | cut -d '"' -f 2)
    [ "${#commands[@]}" -ge 9 ]
    names snowrelayd.8 "${commands[@]}"
}

@test "snowrelayd(8) names every variable of the environment that is looked at" {
    local variables
    mapfile -t variables < <({
        cat "$ROOT"/controller/*.c | grep -oE 'getenv\("[A-Z_]+"' | cut -d '"' -f 2
        grep -oE '"[A-Z]+(_[A-Z]+)*"' "$ROOT/controller/conf-load.c" | tr -d '"'
    } | sort -u)
    [ "${#variables[@]}" -ge 10 ]
    names snowrelayd.8 "${variables[@]}"
}

@test "snowrelay.json(5) names every key that the file can have, and no other" {
    run -0 keys
    [ "${#lines[@]}" -gt 35 ]
    diff <(sort <<< "$output") \
        <(sed -n 's/^\.It Cm //p' "$ROOT/docs/man/snowrelay.json.5" | tr -s ' ,' '\n' | sort)
}

@test "the configuration of each example of snowrelay.json(5) is right" {
    local n=0 file=$BATS_TEST_TMPDIR/example
    page snowrelay.json.5 | sed -n '/^EXAMPLES/,/^SEE ALSO/p' | awk -v file="$file" '
        $1 == "{" && !inside { inside = 1; indent = index($0, "{"); out = file (++n) }
        inside { print > out }
        inside && $1 == "}" && index($0, "}") == indent { inside = 0 }'
    for file in "$BATS_TEST_TMPDIR"/example*; do
        jq . "$file" > /dev/null
        # There is no such file.
        jq 'del(.mesh.key_file)' "$file" > "$file.json"
        "$SNOWRELAYD" --config "$file.json" --check-config
        n=$((n + 1))
    done
    [ "$n" -eq 3 ]
}

@test "snowrelay-setup(8) names every command and option of ovs-setup.sh" {
    local words
    mapfile -t words < <("$ROOT/ovs-setup.sh" --help | sed -n '/^ *ovs-setup.sh/,/^$/p' | grep -oE -- '--[a-z-]+|ovs-setup.sh [a-z]+' |
        sed 's/.* //' | sort -u)
    [ "${#words[@]}" -eq 11 ]
    names snowrelay-setup.8 "${words[@]}"
}
