# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench.sh - what the benchmarks share. They source it.
#
#     bench_progress TEXT...   print TEXT, and how long all has taken so far, to stderr
#     bench_machine            print what this machine is and how busy it is, as JSON
#     bench_split LIST         print the words of LIST, which has commas or spaces, one a line
#     bench_in_turn N WORD...  print the words, one a line; the last one first where N is even, for
#                              nobody to have the machine always at its warmest
#     bench_columns            align the columns of standard input, which has tabs between them
#     BENCH_JQ                 functions for a program of jq: median, summary, fixed and spread

bench_progress() { echo "$(printf '%3d s  ' "$SECONDS")$*" >&2; }

bench_machine() {
    local cpu
    cpu=$(awk -F ': *' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    jq -n \
        --argjson cpus "$(nproc)" \
        --arg cpu "${cpu:-$(uname -m)}" \
        --arg kernel "$(uname -sr)" \
        --arg openvswitch "$(ovs-vswitchd --version | awk 'NR == 1 { print $NF }')" \
        --arg load "$(cut -d ' ' -f 1 /proc/loadavg)" \
        '{ cpus: $cpus, cpu: $cpu, kernel: $kernel, openvswitch: $openvswitch,
           load_before: ($load | tonumber) }'
}

bench_split() { tr -s ', ' '\n' <<< "$1" | sed '/^$/d'; }

bench_in_turn() {
    local round=$1
    shift
    if ((round % 2 == 1)); then printf '%s\n' "$@"; else printf '%s\n' "$@" | tac; fi
}

bench_columns() {
    awk -F '\t' '
        { for (i = 1; i <= NF; i++) {
              cell[NR, i] = $i
              if (length($i) > width[i]) width[i] = length($i)
          }
          n[NR] = NF }
        END {
            for (row = 1; row <= NR; row++) {
                line = ""
                for (i = 1; i <= n[row]; i++)
                    line = line sprintf(i == 1 ? "%-*s" : "   %*s", width[i], cell[row, i])
                print line
            }
        }'
}

# shellcheck disable=SC2034 # for those who source this
# shellcheck disable=SC2016 # the names are of jq
BENCH_JQ='
    def median: sort | if length == 0 then null
                       elif length % 2 == 1 then .[length / 2 | floor]
                       else (.[length / 2 - 1] + .[length / 2]) / 2 end;

    # Of values, some of which may be null.
    def summary: map(select(. != null)) | { median: median, min: min, max: max };

    # Adds thousands separators: "1234567" -> "1,234,567".
    def grouped: if length > 3 then (.[:-3] | grouped) + "," + .[-3:] else . end;
    def fixed($digits): if . == null then "-"
        elif . < 0 then (-. | fixed($digits)) | if test("[1-9]") then "-" + . else . end else
        pow(10; $digits) as $scale | (. * $scale | round) as $scaled
        | ($scaled / $scale | floor | tostring | grouped)
          + if $digits > 0 then "." + ("000\($scaled % $scale)" | .[-$digits:]) else "" end
        end;

    # A summary, for people.
    def spread($digits): map_values(fixed($digits))
        | if .min == .max then .median else "\(.median) (\(.min) to \(.max))" end;
'
