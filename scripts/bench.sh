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
#     bench_peers N            set BENCH_PEERS to the addresses of N stand-ins for peers, from
#                              BENCH_FIRST_PEER on
#     bench_peers_host H       make the node `peers` of the lab, whose card has these addresses, and
#                              have host hH reach them
#     bench_is_bound NODE PORT N
#                              is the UDP port that of so many sockets?
#     bench_now_us             print the time, in us
#     bench_cpu_while PID CMD...
#                              run CMD; set `cpu` to the CPU time of PID meanwhile, in ns, and
#                              `elapsed` to how long it took, in us
#     bench_columns            align the columns of standard input, which has tabs between them
#     BENCH_JQ                 functions for a program of jq: median, summary, fixed and spread

# Which way frames go is for each benchmark to say.
unset LAB_TRANSPORT MESH_TRANSPORT

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

# shellcheck disable=SC2034 # for those who source this
BENCH_FIRST_PEER=172.30.1.1

bench_peers() {
    local i
    BENCH_PEERS=()
    for ((i = 1; i <= $1; i++)); do
        BENCH_PEERS+=("172.30.$((1 + i / 256)).$((i % 256))")
    done
}

bench_peers_host() {
    lab_namespace peers
    ip link add eth0 netns "$LAB-peers" type veth peer name peers netns "$LAB-u"
    ip -n "$LAB-u" link set peers master underlay up
    lab_on peers ethtool -K eth0 tx off > /dev/null
    {
        echo "link set eth0 up"
        printf 'address add %s/16 dev eth0\n' "${BENCH_PEERS[@]}"
    } | ip -n "$LAB-peers" -batch -
    ip -n "$LAB-h$1" route add 172.30.0.0/16 dev eth0
}

bench_is_bound() {
    [[ "$(lab_on "$1" cat /proc/net/udp | grep -c "$(printf ':%04X 00000000:' "$2")")" == "$3" ]]
}

bench_now_us() { echo "${EPOCHREALTIME//[!0-9]/}"; }

# shellcheck disable=SC2034 # for the caller
bench_cpu_while() {
    local pid=$1
    shift
    elapsed=$(bench_now_us) cpu=$("$PROBE" cpu "$pid")
    "$@"
    cpu=$(($("$PROBE" cpu "$pid") - cpu)) elapsed=$(($(bench_now_us) - elapsed))
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
