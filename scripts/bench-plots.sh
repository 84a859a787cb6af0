# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bench-plots.sh - the figures of the benchmark report. scripts/bench sources it.
#
#     plot_all FILE DIR   draw what there is to draw of the measurements in FILE, as DIR/*.svg
#
# Each figure is a program for gnuplot with its data in it, which a function here prints; jq takes
# the data out of FILE. Bars and points are medians, error bars go from the least to the greatest
# round. What is not there of the measurements has no figure.
#
# shellcheck disable=SC2016,SC2034,SC2154 # the names are of jq, gnuplot or Markdown, or those of scripts/bench

# The colours are told apart by the colour-blind, and can be seen on white as on black.
PLOT_COLOURS=('#0072b2' '#d55e00' '#009e73' '#cc79a7' '#8c6bb1' '#e69f00')

# All that is neither a bar nor a point has this colour until plot_finish.
PLOT_INK='#57606a'

plot_all() {
    local file=$1 dir=$2 name
    mkdir -p "$dir" || return
    for name in relay-rates relay-latency relay-cpu replicate-rates takeover growth-idle \
        growth-copies scaling-cpu; do
        rm -f "$dir/$name.svg"
        "plot_$name" "$file" > "$work/plot" || return
        [[ -s "$work/plot" ]] || continue
        { plot_begin && cat "$work/plot"; } | gnuplot > "$work/plot.svg" || return
        plot_finish "$name" < "$work/plot.svg" > "$dir/$name.svg" || return
    done
}

plot_begin() {
    local i
    cat << END
set encoding utf8
set terminal svg size 900,420 font "sans-serif,13" noenhanced
set border 3 lc rgb "$PLOT_INK"
set tics nomirror textcolor rgb "$PLOT_INK"
set title textcolor rgb "$PLOT_INK"
set xlabel textcolor rgb "$PLOT_INK"
set ylabel textcolor rgb "$PLOT_INK"
set key textcolor rgb "$PLOT_INK" outside bottom center horizontal
set grid ytics lc rgb "$PLOT_INK" lw 0.3
set style fill solid 0.9 noborder
set style histogram errorbars gap 1 lw 1.2
set errorbars lc rgb "$PLOT_INK"
set boxwidth 0.9
set datafile separator tab
set datafile missing "-"
END
    for i in "${!PLOT_COLOURS[@]}"; do
        echo "set linetype $((i + 1)) lc rgb '${PLOT_COLOURS[$i]}' lw 2 pt 7 ps 0.7"
    done
}

# plot_finish NAME: gives the picture its name, and ink of the colour that the reader's background
# asks for.
plot_finish() {
    sed -E -e "s/rgb\( *87, *96, *106\)/currentColor/g" \
        -e "s|<title>Gnuplot</title>|<title>$1</title><style>g { color: #3d444d } \
@media (prefers-color-scheme: dark) { g { color: #b6c2cf } }</style>|" \
        -e '/^<desc>/d'
}

# plot_bars TITLE UNIT SERIES...: reads lines of tab-separated cells, a label first, then median,
# least and greatest of each series; prints nothing without a line.
plot_bars() {
    local title=$1 unit=$2 i
    shift 2
    local -a columns=() names=("$@")
    cat > "$work/plot-data"
    [[ -s "$work/plot-data" ]] || return 0
    {
        echo '$bars << END'
        cat "$work/plot-data"
        echo END
    }
    cat << END
set title "$title"
set ylabel "$unit"
set yrange [0:*]
set style data histograms
END
    for i in "${!names[@]}"; do
        columns+=("\$bars using $((3 * i + 2)):$((3 * i + 3)):$((3 * i + 4))$( ((i > 0)) || echo ':xtic(1)') title '${names[$i]}' lt $((i + 1))")
    done
    (IFS=,; echo "plot ${columns[*]}")
}

# What jq needs for lines of plot_bars.
PLOT_JQ='
    def cells($divisor): if . == null or .median == null then ["-", "-", "-"]
                         else [.median, .min, .max] | map(. / $divisor) end;
'

plot_of() { jq -r "$BENCH_JQ$PLOT_JQ$SCALING_JQ $2" "$1"; }


plot_relay() {
    plot_of "$1" '.parts.relay.summary // {} | to_entries
        | (["socat", "SnowSignal", "switch", "datagram", "before", "sealed", "datagram-under", "by-hand",
            "vxlan", "geneve"] as $order | sort_by(.key as $key | $order | index($key)))[]
        | [.key, (.value | '"$2"')] | flatten | @tsv'
}

plot_relay-rates() {
    plot_relay "$1" '(.loss_free | cells(1000)), (.most | cells(1000))' |
        plot_bars "Broadcasts from segment to segment" "1,000 frames/s (more is better)" \
            "without loss" "at most"
}

plot_relay-latency() {
    plot_relay "$1" '(.latency_median_us | cells(1)), (.latency_p99_us | cells(1))' |
        plot_bars "Latency at 1,000 frames/s, client to client" "µs (less is better)" \
            "median" "99th percentile"
}

plot_relay-cpu() {
    plot_relay "$1" '(.cpu_steady_sending_us | cells(1)), (.cpu_steady_receiving_us | cells(1)),
        (.switch_cpu_steady_sending_us | cells(1)), (.switch_cpu_steady_receiving_us | cells(1))' |
        plot_bars "CPU time at 20,000 frames/s" "µs a frame (less is better)" \
            "relay, sending" "relay, receiving" "switch, sending" "switch, receiving"
}

plot_replicate-rates() {
    local -a names
    mapfile -t names < <(jq -r '.parts.replicate.versions // {} | keys_unsorted[]' "$1")
    plot_of "$1" '.parts.replicate // { summary: [] } | (.versions | keys_unsorted?) as $names
        | .summary[] | .figures as $figures
        | ["\(.collectors) \(.place)", ($names[] | $figures[.].most | cells(1000))]
        | flatten | @tsv' |
        plot_bars "One stream to several collectors: most that reach each of them" \
            "1,000 datagrams/s (more is better)" "${names[@]}"
}

plot_takeover() {
    plot_of "$1" '.parts.segment.summary.takeover // {} | del(.none)
        | { exit: "told to exit", kill: "killed", switch: "switch killed", link: "link cut",
            priority: "outranked" } as $titles
        | to_entries[] | [$titles[.key], (.value.ms | cells(1))] | flatten | @tsv' |
        plot_bars "Another relay of the segment takes over" "ms (less is better)" \
            "until it forwards"
}

# plot_points TITLE XLABEL YLABEL SERIES: reads x, median, least and greatest.
plot_points() {
    cat > "$work/plot-data"
    [[ -s "$work/plot-data" ]] || return 0
    {
        echo '$points << END'
        cat "$work/plot-data"
        echo END
    }
    cat << END
set title "$1"
set xlabel "$2"
set ylabel "$3"
set logscale x 2
set xtics ($(cut -f 1 "$work/plot-data" | paste -s -d ,))
set yrange [0:*]
set offsets graph 0.05, graph 0.05
plot \$points using 1:2 with lines lt 1 notitle, \$points using 1:2:3:4 with yerrorbars lt 1 title "$4"
END
}

plot_growth-idle() {
    plot_of "$1" '.parts.growth.summary.peers // [] | .[]
        | [.n, (.figures.idle_percent | cells(1))] | flatten | @tsv' |
        plot_points "What hellos cost a relay" "peers" "percent of one core" "CPU time, idle"
}

plot_growth-copies() {
    plot_of "$1" '.parts.growth.summary.peers // [] | .[]
        | [.n, (.figures.cpu_us_per_copy | cells(1))] | flatten | @tsv' |
        plot_points "What the copies of a broadcast cost a relay" "peers" "µs a copy" \
            "CPU time, over idle"
}

plot_scaling-cpu() {
    plot_of "$1" 'constants | select(.) | . as $c
        | range(6; 44) | pow(10; . / 10) | floor | . as $n
        | [$n, (0.1, 1, 10 | . as $b | $c | full_mesh($n; $b).relay_percent)] | @tsv' \
        > "$work/plot-data"
    [[ -s "$work/plot-data" ]] || return 0
    {
        echo '$lines << END'
        cat "$work/plot-data"
        echo END
    }
    cat << END
set title "Computed: CPU time of each relay of a full mesh"
set xlabel "segments, with b broadcasts/s from each"
set ylabel "percent of one core"
set logscale xy
set yrange [0.01:1000]
set xrange [4:20000]
set format x "%'.0f"
plot \$lines using 1:4 with lines lt 2 title "b = 10", \\
     \$lines using 1:3 with lines lt 1 title "b = 1", \$lines using 1:2 with lines lt 3 title "b = 0.1", \\
     100 with lines lc rgb "$PLOT_INK" dt 2 title "a whole core"
END
}
