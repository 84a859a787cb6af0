# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench-report.sh - the benchmark report. scripts/bench sources it, after bench.sh.
#
#     report_all FILE FIGURES SCALING
#                               print the report on the measurements in FILE, in Markdown; its figures
#                               are *.svg in the folder FIGURES, which it names by its last part, and
#                               docs/scaling.md is SCALING from where it is
#     SCALING_JQ                functions for a program of jq: what the measured costs add up to
#
# FILE is what scripts/bench has collected, and all that the report is made of. Parts that it does
# not have are left out.
#
# shellcheck disable=SC2016,SC2034,SC2154 # the names are of jq, gnuplot or Markdown, or those of scripts/bench

# Of the whole document: `constants` are what one of each costs a relay, null where that was not
# measured; full_mesh and hubs are what N segments with B broadcasts a second each would cost.
# The cost of a peer is the slope between the two greatest numbers of peers.
SCALING_JQ='
    def constants: .parts.relay.summary.datagram as $relay
        | (.parts.growth.summary.peers // [] | map({ n, f: (.figures | map_values(.median)) }))
            as $p
        | if ($p | length) < 2 or $relay == null then null else
            ($p[-1].n - $p[-2].n) as $dn
            | def slope($key): ($p[-1].f[$key] - $p[-2].f[$key]) / $dn;
            { from: $p[-2].n, to: $p[-1].n,
              hello_us: (slope("idle_percent") * 10000 | if . < 0 then 0 else . end),
              copy_us: $p[-1].f.cpu_us_per_copy,
              emit_us: $relay.cpu_steady_receiving_us.median,
              switch_us: $relay.switch_cpu_steady_receiving_us.median,
              base_kb: ($p[-2].f.rss_kb - slope("rss_kb") * $p[-2].n),
              peer_kb: slope("rss_kb"), hello_hz: 1, ports: 1 }
          end;
    def full_mesh($n; $b): . as $c | ($n - 1) as $p
        | { peers: $p, hellos: ($p * $c.hello_hz), sent: ($b * $p), received: ($b * $p),
            relay_percent: (($c.hello_us * $p + $b * $p * ($c.copy_us + $c.emit_us)) / 10000),
            switch_percent: ($b * $p * $c.switch_us / 10000),
            mb: (($c.base_kb + $c.peer_kb * $p) / 1024),
            flows: ($c.ports * (3 + $p) + 1),
            network_hellos: ($n * $p * $c.hello_hz), network_frames: ($b * $n * $p) };
    # k regions of s segments, and in each region a hub: a relay that is one of its mesh, and another
    # relay on the same segment that is one of the mesh of the k hubs.
    def hubs($n; $b): . as $c | ($n | sqrt | ceil) as $k | ($n / $k) as $s
        | ($b * ($n - $s)) as $from_far
        | { regions: $k, segments: $s,
            leaf: { peers: $s, sent: ($b * $s), received: ($b * ($n - 1)),
                relay_percent: (($c.hello_us * $s + $b * $s * $c.copy_us
                                 + $b * ($n - 1) * $c.emit_us) / 10000),
                mb: (($c.base_kb + $c.peer_kb * $s) / 1024), flows: ($c.ports * (3 + $s) + 1) },
            inner: { peers: $s, sent: ($from_far * $s), received: ($b * $s),
                relay_percent: (($c.hello_us * $s + $from_far * $s * $c.copy_us
                                 + $b * $s * $c.emit_us) / 10000) },
            outer: { peers: ($k - 1), sent: ($b * $s * ($k - 1)), received: $from_far,
                relay_percent: (($c.hello_us * ($k - 1) + $b * $s * ($k - 1) * $c.copy_us
                                 + $from_far * $c.emit_us) / 10000) },
            network_hellos: ($c.hello_hz * ($k * ($s + 1) * $s + $k * ($k - 1))),
            network_frames: ($b * $n * ($s + ($k - 1) + ($k - 1) * $s)) };
'

REPORT_JQ='
    def row: "| " + join(" | ") + " |";
    # Of rows, the first of which is the heading.
    def table: (.[0] | row), "|" + (.[0] | map(" --- |") | add), (.[1:][] | row), "";
    def scaled($digits; $divisor):
        if . == null then "-"
        else map_values(if . == null then null else . / $divisor end) | spread($digits) end;
    def percent: if . >= 10 then fixed(0) elif . >= 1 then fixed(1) else fixed(2) end + "%";
'

report_of() { jq -r --arg scaling "${scaling:-}" "$BENCH_JQ$REPORT_JQ$SCALING_JQ $2" "$1"; }

# has_part FILE PART
has_part() { jq -e --arg part "$2" '.parts[$part] != null' "$1" > /dev/null; }

# figure FIGURES NAME TEXT: if it was drawn.
figure() {
    [[ ! -e "$1/$2.svg" ]] || printf '![%s](%s/%s.svg)\n\n' "$3" "${1##*/}" "$2"
}

report_all() {
    local file=$1 figures=$2 scaling=$3 part
    report_head "$file"
    for part in relay replicate segment mesh growth; do
        ! has_part "$file" "$part" || "report_$part" "$file" "$figures"
    done
    ! has_part "$file" growth || ! has_part "$file" relay || report_scaling "$file" "$figures"
    report_end "$file"
}


report_head() {
    report_of "$1" '
        "# Benchmarks", "",
        "Written by `scripts/bench` out of what it measured; do not edit.",
        "`sudo make bench` measures it all again and writes this anew.", "",
        (if .quick then "**Not to be quoted:** one quick round, too short for figures that hold.", ""
         else empty end),
        (if .machine.load_before > .machine.cpus / 4 then
            "**The machine was not idle before** (load \(.machine.load_before)): what it was busy "
            + "with may have cost frames and time.", ""
         else empty end),
        ([ ["", ""],
           ["date", .date],
           ["snowrelay", "\(.version), commit \(.commit)"],
           ["CPU", "\(.machine.cpus) cores, \(.machine.cpu)"],
           ["kernel", .machine.kernel],
           ["Open vSwitch", "\(.machine.openvswitch), userspace datapath"],
           ["load before", (.machine.load_before | tostring)],
           ["parts", (.parts | to_entries | map("\(.key) (\(.value.rounds))") | join(", "))
                     + "; rounds of each in parentheses"],
           ["took", "\(.seconds / 60 | fixed(0)) min"] ] | table),
        "Everything shares the CPUs of this machine: senders, switches, relays and receivers. All "
        + "contenders run in turn on the same machine, in the same run. So a ratio says more than a "
        + "number, and both say most about this machine. Medians, with (lowest to highest) of the "
        + "rounds; error bars are from lowest to highest.", ""'
}

report_relay() {
    local file=$1 figures=$2
    report_of "$file" '.parts.relay |
        "## The relay", "",
        "Broadcasts with \(.payload_bytes)-byte payloads from a client of one host to a client of "
        + "another. `scripts/bench-relay --help` says what is measured, and how.", "",
        (if .ratios == [] then empty else
            "### Ratios", "",
            "Of each round, in which the contenders have their turns one after the other. Rates: more "
            + "is better; latency and CPU time (of the relay, at 20,000/s, for each frame): less is.",
            "",
            ([ ["", "frames/s without loss", "most frames/s", "latency, median",
                "latency, 99th percentile", "CPU, sending", "CPU, receiving"],
               (.ratios[] | ["**\(.of)** to \(.to)", (.figures | .loss_free, .most,
                    .latency_median_us, .latency_p99_us, .cpu_steady_sending_us,
                    .cpu_steady_receiving_us | spread(2))]) ] | table)
         end)'
    report_limits "$file"
    figure "$figures" relay-rates "Frames per second of each contender, without loss and at most"
    figure "$figures" relay-latency "Latency of each contender at 1,000 frames per second"
    figure "$figures" relay-cpu "CPU time of relays and switches for each frame"
    report_relay_numbers "$file"
}

# In words, what the limits are for.
report_limits() {
    report_of "$1" '.parts.relay.ratios | map({ ("\(.of)/\(.to)"): .figures.most }) | add // {}
        | def carries($key; $what; $limit): .[$key] | select(. and .median)
            | "- The \($what) carries \(spread(2)) times as many frames/s at most as \($limit)";
        [ carries("datagram/switch"; "datagram transport"; "the switches alone allow: `switch` is a "
                  + "relay with no work of its own. It is something to compare with and no bound: "
                  + "where CPUs are shared, more than 1 is possible."),
          carries("datagram/before"; "datagram transport"; "`before`, an older snowrelayd."),
          carries("vxlan/by-hand"; "VXLAN transport"; "the same flows typed by hand."),
          carries("geneve/by-hand"; "Geneve transport"; "these.") ]
        | select(. != []) | .[], ""'
}

report_relay_numbers() {
    report_of "$1" '.parts.relay
        # Key, title, digits, divisor.
        | [ ["loss_free", "frames/s without loss", 0, 1],
            ["most", "most frames/s", 0, 1],
            ["latency_median_us", "latency at 1,000/s, median, µs", 0, 1],
            ["latency_p99_us", "latency at 1,000/s, 99th percentile, µs", 0, 1],
            ["cpu_steady_sending_us", "CPU of the relay at 20,000/s, sending, µs a frame", 2, 1],
            ["cpu_steady_receiving_us", "the same, receiving", 2, 1],
            ["cpu_over_idle_sending_us", "over an idle relay, sending", 2, 1],
            ["cpu_over_idle_receiving_us", "the same, receiving", 2, 1],
            ["switch_cpu_steady_sending_us", "CPU of the switch, sending, µs a frame", 2, 1],
            ["switch_cpu_steady_receiving_us", "the same, receiving", 2, 1],
            ["rss_sending_kb", "resident memory of the relay, sending, MB", 1, 1024],
            ["rss_receiving_kb", "the same, receiving", 1, 1024],
            ["lost_steady", "frames lost at 20,000/s", 0, 1],
            ["duplicates", "frames that came twice", 0, 1] ] as $rows
        | .summary as $summary
        | def numbers($title; $names): ([ $names[] | select($summary[.]) ]) as $names
            | select($names != [])
            | "### \($title)", "",
              ([ [""] + $names,
                 ($rows[] | . as [$key, $text, $digits, $divisor]
                  | [$text] + [$names[] | $summary[.][$key] | scaled($digits; $divisor)]) ]
               | table);
        numbers("Numbers, plain cards"; ["socat", "SnowSignal", "switch", "datagram", "before", "sealed"]),
        numbers("Numbers, underlay on a bridge";
                ["datagram-under", "by-hand", "vxlan", "geneve"]),
        "`socat` does less: it loses the asker'"'"'s address. `switch` has a pair of local sockets "
        + "for a network. The second table is of hosts whose card is a port of a second bridge, as "
        + "tunnels of the userspace datapath need it: every packet passes through the switch once "
        + "more, so `datagram-under` is for comparing with it.", "",
        (.left_out // {} | to_entries[] | "Not measured: `\(.key)`, \(.value).", "")'
}

report_replicate() {
    report_of "$1" '.parts.replicate |
        "## Replication", "",
        "Datagrams with \(.payload_bytes) bytes to several collectors; `scripts/bench-replicate "
        + "--help`.", "",
        .reference as $reference
        | ((.versions | keys_unsorted) - [$reference]) as $others
        | (if $others == [] then empty else
            "### Ratios", "",
            "\($reference) relative to the others, of each round.", "",
            ([ ["", ($others[] | "most datagrams/s, to \(.)"),
                    ($others[] | "without loss, to \(.)"),
                    ($others[] | "CPU at most, to \(.)")],
               (.summary[] | .ratios as $ratios
                | ["\(.collectors) \(.place)",
                   ("most", "loss_free", "cpu_most_us" | . as $key
                    | $others[] | $ratios[$key][.] | if . then spread(2) else "-" end)]) ]
             | table) end)'
    figure "$2" replicate-rates "Most datagrams per second that reach each collector"
    report_of "$1" '.parts.replicate
        | (.versions | keys_unsorted) as $names
        | "### Numbers", "",
          ([ ["", ($names[] | "most datagrams/s, \(.)"), ($names[] | "without loss, \(.)"),
              ($names[] | "CPU at most, \(.), µs")],
             (.summary[] | .figures as $figures
              | ["\(.collectors) \(.place)",
                 ($names[] | $figures[.].most | spread(0)),
                 ($names[] | $figures[.].loss_free | spread(0)),
                 ($names[] | $figures[.].cpu_most_us | spread(2))]) ] | table),
          "CPU time is that of the contender'"'"'s processes and ovs-vswitchd together, for each "
          + "datagram of the exporter.", "",
          (if .versions.samplicate then empty else
              "Not measured: `samplicate`, which `SAMPLICATE` did not name.", "" end)'
}

report_segment() {
    report_of "$1" '"## Several relays on one segment", "",
        "`scripts/bench-segment --help`.", ""'
    figure "$2" takeover "Time until another relay forwards, by what happened"
    report_of "$1" '.parts.segment
        | { none: "nothing happens", exit: "the forwarder is told to exit",
            kill: "it is killed", switch: "its switch is killed", link: "its link is cut silently",
            priority: "another one gets a greater priority" } as $titles
        | "### A takeover", "",
          ([ ["", "ms until it forwards", "lost, to the mesh", "lost, from the mesh",
              "copies, to the mesh", "copies, from the mesh"],
             (.summary.takeover | to_entries[]
              | [$titles[.key], (.value | .ms, .to_mesh.lost, .from_mesh.lost, .to_mesh.copies,
                                 .from_mesh.copies | spread(0))]) ] | table),
          "1,000 broadcasts/s each way; announced every \(.hello_ms) ms, dead after \(.dead_ms) ms.",
          "",
          "### What standing by costs", "",
          ([ ["CPU, percent of one core", "forwarder", "standby", "alone, no election"],
             ([ ["idle_percent", "nothing going on"],
                ["segment_percent", "10,000 broadcasts/s from the segment"],
                ["mesh_percent", "10,000 broadcasts/s from the mesh"] ][] as [$key, $title]
              | [$title] + [.summary.cost | .forwarder, .standby, .alone | .[$key] | spread(2)]) ]
           | table)'
}

report_mesh() {
    report_of "$1" '.parts.mesh |
        "## A mesh of \(.peers)", "",
        "One relay that gets to know \(.peers) others by name; `scripts/bench-mesh --help`.", "",
        (.summary as $s
         | [ ["", ""],
             ["s until all are up", ($s.start_s | spread(2))],
             ["CPU ms until then", ($s.start_cpu_ms | spread(1))],
             ["CPU with nothing but hellos", ($s.idle_percent | spread(2)) + " %"],
             ["CPU with \(.broadcasts_per_s) broadcasts/s", ($s.fan_out_percent | spread(1)) + " %"],
             ["CPU µs a datagram", ($s.cpu_us_per_datagram | spread(2))],
             ["frames lost", ($s.lost | spread(0))],
             ["resident memory, MB", ($s.rss_kb | scaled(1; 1024))] ] | table)'
}

report_growth() {
    report_of "$1" '"## Growth", "",
        "What more peers and more broadcast ports cost a relay, and how soon it relays; "
        + "`scripts/bench-growth --help`.", ""'
    figure "$2" growth-idle "CPU time of hellos by the number of peers"
    figure "$2" growth-copies "CPU time for each copy by the number of peers"
    report_of "$1" '
        def rows($rows): . as $all | [ $rows[] | . as [$key, $title, $digits, $divisor]
            | [$title] + [$all[] | .figures[$key] | scaled($digits; $divisor)] ];
        .parts.growth.summary
        | "### By peers, in datagrams", "",
          (.peers | [ [""] + map("\(.n)") ] + rows([
              ["idle_percent", "CPU, idle, % of one core", 2, 1],
              ["rss_kb", "resident memory, MB", 1, 1024],
              ["flows", "flows in the switch", 0, 1],
              ["reload_ms", "reload with one more port, ms", 0, 1],
              ["rate", "fan-out: broadcasts/s", 0, 1],
              ["cpu_us_per_frame", "CPU µs a broadcast", 1, 1],
              ["cpu_us_per_copy", "CPU µs a copy", 2, 1],
              ["lost", "copies lost", 0, 1],
              ["most", "most broadcasts/s at the peers", 0, 1],
              ["most_cpu_us_per_copy", "CPU µs a copy, then", 2, 1] ]) | table),
          (.tunnels // [] | select(length > 0)
           | "### By peers behind VXLAN tunnels", "",
             "The switch makes the copies; the CPU time of a copy is ovs-vswitchd'"'"'s.", "",
             ([ [""] + map("\(.n)") ] + rows([
              ["idle_percent", "CPU of the relay, idle, % of one core", 2, 1],
              ["rss_kb", "resident memory, MB", 1, 1024],
              ["flows", "flows in the switch", 0, 1],
              ["rate", "fan-out: broadcasts/s", 0, 1],
              ["cpu_us_per_copy", "CPU µs a copy, switch", 2, 1],
              ["relay_us_per_frame", "CPU µs a broadcast, relay", 2, 1],
              ["lost", "copies lost", 0, 1],
              ["most", "most broadcasts/s at the peers", 0, 1] ]) | table)),
          "### By broadcast ports", "",
          (.ports | [ [""] + map("\(.n)") ] + rows([
              ["flows", "flows in the switch", 0, 1],
              ["install_ms", "from one port to all of them, ms", 0, 1],
              ["idle_percent", "CPU, idle, % of one core", 2, 1],
              ["cpu_us_per_frame", "CPU µs a broadcast, to the last port", 1, 1],
              ["rss_kb", "resident memory, MB", 1, 1024] ]) | table),
          "### From the start of the process to the first frame that crosses", "",
          ({ exit: "after it was told to leave", kill: "after it was killed",
             cold: "on a switch just started",
             "alone-exit": "after it was told to leave, no election",
             "alone-kill": "after it was killed, no election" } as $titles
           | [ ["", "ms"], (.starts | to_entries[] | [$titles[.key], (.value | spread(0))]) ]
           | table)'
}

report_scaling() {
    report_of "$1" 'constants | select(.) |
        "## Computed: 1,000 and 10,000 segments", "",
        "None of this was measured: the measured costs, put into formulas. "
        + "[scaling.md](\($scaling)) says what follows from it. The costs, of this run:", "",
        ([ ["", "", "from"],
           ["h", "\(.hello_us | fixed(1)) µs of CPU", "a peer'"'"'s hellos, there and back, each "
            + "second: the slope from \(.from) to \(.to) peers"],
           ["c", "\(.copy_us | fixed(2)) µs of CPU", "a copy of a broadcast, to \(.to) peers"],
           ["e", "\(.emit_us | fixed(2)) µs of CPU", "receiving and emitting a frame, at 20,000/s"],
           ["w", "\(.switch_us | fixed(2)) µs of CPU", "the switch, for an emitted frame"],
           ["m", "\(.peer_kb | fixed(1)) kB", "memory of a peer, on top of "
            + "\(.base_kb / 1024 | fixed(1)) MB"] ] | table),
        "N segments, one relay each, b broadcasts/s from each segment, P broadcast ports (1 below), "
        + "hellos every second:", "",
        "- relay: N-1 hellos/s each way; b(N-1) frames/s sent, as many received",
        "- CPU of the relay, µs a second: h(N-1) + b(N-1)(c+e); of its switch: b(N-1)w",
        "- memory: base + m(N-1); flows in its switch: P(N+2) + 1",
        "- network: N(N-1) hellos/s and bN(N-1) frames/s", "",
        (. as $c | [ ["full mesh", "b", "frames/s out and in", "CPU of the relay",
              "CPU of its switch", "memory", "flows", "network, hellos/s", "network, frames/s"],
           ((1000, 10000) as $n | (0.1, 1, 10) as $b | $c | full_mesh($n; $b)
            | ["\($n | fixed(0))", "\($b)", (.sent | fixed(0)), (.relay_percent | percent),
               (.switch_percent | percent), "\(.mb | fixed(1)) MB", (.flows | fixed(0)),
               (.network_hellos | fixed(0)), (.network_frames | fixed(0))]) ] | table),
        "More than 100% is more than the one core that a relay, or this switch, can use. A relay takes "
        + "at most 4,096 peers, so a full mesh of 10,000 cannot be configured at all.", ""'
    figure "$2" scaling-cpu "Computed CPU time of each relay by the number of segments"
    report_of "$1" 'constants | select(.) |
        "The greatest full mesh in which a relay, or its switch, takes no more than a tenth of a core:",
        "",
        (. as $c | [ ["b", "segments, by the relay", "segments, by the switch"],
           ((0, 0.1, 1, 10) as $b
            | def most($us): if $us > 0 then 100000 / $us + 1 | floor | fixed(0) else "-" end;
            ["\($b)", most($c.hello_us + $b * ($c.copy_us + $c.emit_us)),
             most($b * $c.switch_us)]) ] | table),
        "### With regional hubs", "",
        "k = √N regions of s = N/k segments. The relays of a region and one of its hub are a mesh; "
        + "on the segment of the hub another relay is in the mesh of the k hubs "
        + "([how](\($scaling)#regional-hubs)).", "",
        "- leaf: s peers; bs frames/s sent, b(N-1) received; h·s + bs·c + b(N-1)e",
        "- hub, inner: s peers; b(N-s)s sent, bs received; h·s + b(N-s)s·c + bs·e",
        "- hub, outer: k-1 peers; bs(k-1) sent, b(N-s) received; h(k-1) + bs(k-1)c + b(N-s)e",
        "- network: k(s+1)s + k(k-1) hellos/s; bN(s + (k-1)(s+1)) frames/s", "",
        (. as $c | [ ["N", "k", "b", "leaf: CPU", "leaf: flows", "hub, inner: CPU",
              "hub, inner: frames/s out", "hub, outer: CPU", "network, hellos/s",
              "network, frames/s"],
           ((1000, 10000) as $n | (0.1, 1, 10) as $b | $c | hubs($n; $b)
            | ["\($n | fixed(0))", "\(.regions)", "\($b)", (.leaf.relay_percent | percent),
               (.leaf.flows | fixed(0)), (.inner.relay_percent | percent),
               (.inner.sent | fixed(0)), (.outer.relay_percent | percent),
               (.network_hellos | fixed(0)), (.network_frames | fixed(0))]) ] | table)'
}

report_end() {
    report_of "$1" '"## Not measured", "",
        "- Two machines with a network between them, and a switch that forwards in the kernel or in "
        + "hardware: everything here is the userspace datapath on one machine.",
        (if .parts.growth then
            "- A sealed mesh of many peers, and tunnels to many peers: the stand-ins for peers speak "
            + "plain datagrams. What sealing costs for one peer is in the first part." else empty end),
        (if .parts.relay and (.parts.relay.summary.SnowSignal | not) then
            "- SnowSignal: `SNOWSIGNAL` did not name its command." else empty end)'
}
