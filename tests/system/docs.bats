#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What the documents show works: their configurations and command lines are accepted, and every key
# and option is explained. That their links lead somewhere is a matter of scripts/check-links.py.

bats_require_minimum_version 1.5.0

setup() {
    ROOT=$BATS_TEST_DIRNAME/../..
    SNOWRELAYD=${SNOWRELAYD:-$ROOT/build/snowrelayd}
    cd "$BATS_TEST_TMPDIR" || return
    unset TARGET_INTERFACE BDCAST_PORT MESH_PORT MESH_TRANSPORT SERVICENAME LOGLEVEL SNOWRELAY_CONFIG
}

documents() { "$BATS_TEST_DIRNAME/documents.py" "$@"; }

# A configuration may name a key file, in its own folder.
@test "every configuration in the documents is accepted" {
    local file name n=0 failed=0
    mkdir examples
    documents configurations examples
    for name in $(jq -r '.mesh?.key_file? // empty' examples/* | sort -u); do
        "$SNOWRELAYD" --generate-key "examples/$name"
    done
    for file in examples/*.md:*; do
        n=$((n + 1))
        "$SNOWRELAYD" --config "$file" --check-config > effective || failed=$((failed + 1))
    done
    echo "$n configurations, $failed of them wrong; mark what is none as \`json\` and a word"
    ((n >= 10 && failed == 0))
}

# Its files are those of others, and empty here; a relative one is in this folder.
@test "every command line in the documents is accepted" {
    local where line n=0 failed=0
    snowrelayd() {
        local -a options=()
        while (($# > 0)); do
            if [[ "$1" == --config ]]; then
                options+=(--config "$BATS_TEST_TMPDIR/empty.json")
                shift
            else
                options+=("$1")
            fi
            shift
        done
        "$SNOWRELAYD" "${options[@]}" --check-config
    }
    echo '{}' > empty.json
    while IFS=$'\t' read -r where line; do
        [[ "$line" != *--generate-key* ]] || continue # It would make one.
        n=$((n + 1))
        (eval "$line") > effective || { failed=$((failed + 1)) && echo "$where: $line"; }
    done < <(documents commands)
    echo "$n command lines, $failed of them wrong"
    ((n >= 8 && failed == 0))
}

# All keys are in the tables of controller/conf-file.c; those that have a value without being given,
# by their whole names, in the effective configuration.
@test "every key of the file and every option is explained" {
    local key option missing=0
    local -a keys
    for key in $("$SNOWRELAYD" --check-config |
        jq -r 'paths(type != "object") | map(select(type == "string")) | join(".")' | sort -u); do
        grep -qF "| \`$key\` |" "$ROOT/docs/configuration.md" || { missing=1 && echo "key $key"; }
    done
    mapfile -t keys < <(sed -nE 's/^ +\{ "([a-z_]+)", \.[a-z]+ = .*/\1/p' "$ROOT/controller/conf-file.c" | sort -u)
    ((${#keys[@]} > 30))
    for key in "${keys[@]}"; do
        grep -qE "\| .*\`([a-z]+\.)?$key(\`|\.)" "$ROOT/docs/configuration.md" "$ROOT/docs/replication.md" ||
            { missing=1 && echo "key $key"; }
    done
    for option in $("$SNOWRELAYD" --help | sed '/^Daemon options/,$d' | grep -o -e '--[a-z-]*' | sort -u); do
        grep -qF -e "\`$option" "$ROOT/docs/configuration.md" || { missing=1 && echo "option $option"; }
    done
    ((missing == 0))
}

@test "samplicate2json makes of the example in docs/migration.md the rules beside it" {
    local file
    local -a arguments
    documents block docs/migration.md text > samplicator.conf
    read -ra arguments < <(sed -n 's/^samplicate //p' "$ROOT/docs/migration.md")
    "$ROOT/scripts/samplicate2json" "${arguments[@]}" | jq -S . > got
    mkdir examples
    documents configurations examples
    for file in examples/migration.md:*; do
        ! jq -S . "$file" | cmp -s - got || return 0
    done
    cat got
    false
}
