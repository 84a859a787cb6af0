#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The benchmark report: one that is measured here, in short, and one of measurements that are kept in
# bench.json, which are real ones without the single runs. No figure is judged.

bats_require_minimum_version 1.5.0
load common

setup() {
    command -v gnuplot > /dev/null || skip "without gnuplot: scripts/install-deps.sh --bench"
    OUT=$BATS_TEST_TMPDIR/out
    shopt -s nullglob
}

bench() { "$LAB_ROOT/scripts/bench" "$@"; }

# well_formed: the report in $OUT is whole, and so are its figures.
well_formed() {
    local file link
    # Every row of a table has as many cells as the one before.
    awk -F '|' '/^\|/ { if (n && NF != n) { print "unlike the row before: " $0; bad = 1 } n = NF; next }
                { n = 0 } END { exit bad }' "$OUT/benchmarks.md"
    run ! grep -nE 'null|NaN|nan|\$\{|\(\)' "$OUT/benchmarks.md"
    for file in "$OUT"/benchmarks/*.svg; do
        python3 -c 'import sys, xml.etree.ElementTree as e; e.parse(sys.argv[1])' "$file"
        grep -q 'prefers-color-scheme: dark' "$file"
        grep -q "(benchmarks/${file##*/})" "$OUT/benchmarks.md"
        # A title, and what the axis counts.
        [ "$(grep -c '<text>' "$file")" -ge 5 ]
    done
    while read -r link; do
        echo "link to $link"
        [ -e "$OUT/${link%%#*}" ]
    done < <(grep -oE '\]\([^)]+\)' "$OUT/benchmarks.md" | sed 's/^](//; s/)$//')
}

@test "a quick run of a part writes a report that says not to quote it" {
    run -0 bench --quick --only mesh --out "$OUT"
    well_formed
    grep -q '^## A mesh of 200$' "$OUT/benchmarks.md"
    grep -qF '**Not to be quoted:**' "$OUT/benchmarks.md"
    run ! grep -q '^## The relay$' "$OUT/benchmarks.md"
    jq -e '.quick and (.parts | keys == ["mesh"])' "$BUILD/bench-quick.json"
}

@test "a report is made of what is kept, without measuring" {
    local name
    run -0 bench --report "$BATS_TEST_DIRNAME/bench.json" --out "$OUT"
    well_formed
    run ! grep -qF '**Not to be quoted:**' "$OUT/benchmarks.md"
    for name in relay-rates relay-latency relay-cpu replicate-rates takeover growth-idle \
        growth-copies scaling-cpu; do
        [ -e "$OUT/benchmarks/$name.svg" ]
    done
    grep -qF '| **datagram** to switch |' "$OUT/benchmarks.md"
    grep -qF '| **vxlan** to by-hand |' "$OUT/benchmarks.md"
    # 1,000 segments say hello to each other.
    grep -qE '^\| 1,000 \| 0\.1 \|.* \| 999,000 \| 99,900 \|$' "$OUT/benchmarks.md"
    # Made again it is the same.
    cp "$OUT/benchmarks.md" "$BATS_TEST_TMPDIR/first.md"
    bench --report "$BATS_TEST_DIRNAME/bench.json" --out "$OUT"
    diff "$BATS_TEST_TMPDIR/first.md" "$OUT/benchmarks.md"
}

@test "contenders that were left out are named, and figures of theirs go" {
    jq 'del(.parts.growth) | .parts.relay |= (del(.summary.vxlan, .versions.vxlan)
            | .ratios |= map(select(.of != "vxlan"))
            | .left_out = { vxlan: "this snowrelayd has no such transport" })' \
        "$BATS_TEST_DIRNAME/bench.json" > "$BATS_TEST_TMPDIR/less.json"
    bench --report "$BATS_TEST_DIRNAME/bench.json" --out "$OUT"
    bench --report "$BATS_TEST_TMPDIR/less.json" --out "$OUT"
    well_formed
    grep -q "^Not measured: .vxlan., this snowrelayd has no such transport\.$" "$OUT/benchmarks.md"
    run ! grep -q '\*\*vxlan\*\*' "$OUT/benchmarks.md"
    [ ! -e "$OUT/benchmarks/growth-idle.svg" ]
    [ ! -e "$OUT/benchmarks/scaling-cpu.svg" ]
}

@test "a file of something else is refused" {
    echo '{"parts": 1}' > "$BATS_TEST_TMPDIR/other.json"
    run -1 bench --report "$BATS_TEST_TMPDIR/other.json" --out "$OUT"
    [ "$output" = "bench: $BATS_TEST_TMPDIR/other.json is not what this has collected" ]
}
