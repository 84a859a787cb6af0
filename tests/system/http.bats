#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The web server as programs meet it: status.json, metrics, wrong requests, bad clients, reload.

bats_require_minimum_version 1.5.0
load http

setup_file() { http_lab; }

teardown() {
    [ -z "${OTHER:-}" ] || lab_kill "$OTHER"
    end_relays
}

# settled N: what of `status json` does not change by itself.
settled() {
    jq -S 'del(.time, .talkers, .peers[].rtt_us, .peers[].rtt_last_us, .segment.relays[].heard_ms)'
}

answers() { [ "$(code "$1")" = 200 ]; }

@test "nothing listens unless http is configured" {
    configure 1 'del(.http)'
    start 1
    listens_are ''
}

@test "the documents, their types, and what keeps browsers from trouble" {
    configure 1
    start 1
    local path type headers
    while read -r path type; do
        headers=$(get "$path" -D - -o /dev/null | tr -d '\r')
        grep -qx 'HTTP/1.1 200 OK' <<< "$headers"
        grep -qx "Content-Type: $type" <<< "$headers"
        grep -qx 'Cache-Control: no-store' <<< "$headers"
        grep -qx 'X-Content-Type-Options: nosniff' <<< "$headers"
        grep -qx 'Connection: close' <<< "$headers"
        grep "^Content-Security-Policy: default-src 'none'; .*frame-ancestors 'none'" <<< "$headers"
        ! grep -qi '^access-control-' <<< "$headers" || return 1
        ! grep -q "unsafe" <<< "$headers" || return 1
    done << 'END'
/ text/html; charset=utf-8
/status.json application/json
/metrics text/plain; version=0.0.4; charset=utf-8
END
}

@test "GET and HEAD, and nothing else, of what there is" {
    configure 1
    start 1
    [ "$(code /)" = 200 ]
    [ "$(code '/metrics?name=x')" = 200 ]
    [ "$(get / -I | wc -l)" -gt 5 ]
    [ "$(get /metrics --http1.0 | grep -c '^# TYPE')" -gt 40 ]
    [ "$(code /status)" = 404 ]
    [ "$(code /../status.json --path-as-is)" = 404 ]
    [ "$(code //)" = 404 ]
    local method
    for method in POST PUT DELETE PATCH OPTIONS TRACE BREW; do
        [ "$(code /status.json -X "$method")" = 405 ]
    done
    [ "$(code / -d "$(head -c 100000 /dev/zero | tr '\0' x)")" = 405 ]
    get / -X POST -D - -o /dev/null | grep -q '^Allow: GET, HEAD'
}

@test "the page and status.json are for those who ask for this host, metrics for all" {
    configure 1
    start 1
    local name
    for name in 127.0.0.1 127.0.0.1:9714 10.1.0.1 '[::1]' localhost "$(uname -n)"; do
        [ "$(code / -H "Host: $name")" = 200 ]
        [ "$(code /status.json -H "Host: $name")" = 200 ]
    done
    for name in evil.example 127.0.0.1.evil.example "$(uname -n).evil.example"; do
        [ "$(code / -H "Host: $name")" = 421 ]
        [ "$(code /status.json -H "Host: $name")" = 421 ]
        [ "$(code /metrics -H "Host: $name")" = 200 ]
    done
}

@test "status.json says what status json does" {
    configure 1 '.replicate = [{name: "sflow", port: 6343, to: [{port: 7343}]}]'
    configure 3
    start 1 3
    lab_wait 5 peer_is 1 172.30.0.3 up
    broadcast h1c1 x
    lab_wait 5 counts 1 relayed 1
    sleep 0.3 # Answers may be so old.
    diff <(get /status.json | settled) <(lab_status 1 | settled)
}

@test "metrics are what promtool takes for good, and agree with the documentation" {
    configure 1 '.replicate = [{name: "sflow", port: 6343, to: [{port: 7343}]}]'
    configure 2
    start 1 2
    get /metrics > "$BATS_TEST_TMPDIR/metrics"
    run -0 promtool check metrics < "$BATS_TEST_TMPDIR/metrics"
    [ -z "$output" ]
    # shellcheck disable=SC2016 # Markdown
    diff <(sed -n 's/^# TYPE //p' "$BATS_TEST_TMPDIR/metrics" | sort) \
        <(sed -n 's/^| `\([a-z_]*\)` | \([a-z]*\) |.*/\1 \2/p' "$LAB_ROOT/docs/metrics.md" | sort)
}

@test "the rules to alert by, of the documentation, are good ones and of metrics that there are" {
    # shellcheck disable=SC2016 # Markdown
    sed -n '/^```yaml$/,/^```$/p' "$LAB_ROOT/docs/metrics.md" | sed '/^groups:/,/^```$/!d; /^```/d' \
        > "$BATS_TEST_TMPDIR/rules.yml"
    run -0 promtool check rules "$BATS_TEST_TMPDIR/rules.yml"
    [[ "$output" == *"SUCCESS: "[4-9]" rules found"* ]]
    configure 1
    start 1
    get /metrics > "$BATS_TEST_TMPDIR/metrics"
    local name
    while read -r name; do
        grep -q "^# TYPE $name " "$BATS_TEST_TMPDIR/metrics"
    done < <(grep -o 'snowrelay_[a-z_]*' "$BATS_TEST_TMPDIR/rules.yml")
}

@test "counters move, and states change" {
    configure 1
    configure 2
    configure 3
    start 1 2 3
    lab_wait 5 peer_is 1 172.30.0.3 up
    lab_wait 5 peer_is 1 172.30.0.2 segment
    [ "$(metric snowrelay_switch_connected)" = 1 ]
    [ "$(metric snowrelay_forwarder)" = 1 ]
    [ "$(metric 'snowrelay_relay_state{state="forwarding"}')" = 1 ]
    [ "$(metric snowrelay_segment_relays)" = 1 ]
    [ "$(metric 'snowrelay_peer_up{peer="172.30.0.3:7124",name="172.30.0.3"}')" = 1 ]
    [ "$(metric snowrelay_frames_punted_total)" = 0 ]
    broadcast h1c1 one
    broadcast h3c1 two
    lab_wait 5 at_least snowrelay_frames_punted_total 1
    lab_wait 5 at_least snowrelay_frames_emitted_total 1
    lab_wait 5 at_least 'snowrelay_peer_received_frames_total{peer="172.30.0.3:7124",name="172.30.0.3"}' 1

    # A stranger's.
    [ "$(metric 'snowrelay_frames_dropped_total{direction="mesh",reason="unknown_sender"}')" = 0 ]
    lab_on u ip address replace 172.30.0.77/24 dev underlay
    snowsignal_datagram | lab_on u socat -u - UDP4-SENDTO:172.30.0.1:7124,bind=172.30.0.77
    lab_wait 5 at_least 'snowrelay_frames_dropped_total{direction="mesh",reason="unknown_sender"}' 1

    lab_relay_stop 3
    lab_wait 10 peer_is 1 172.30.0.3 down
    lab_wait 5 metric_is 'snowrelay_peer_up{peer="172.30.0.3:7124",name="172.30.0.3"}' 0
    [ "$(metric 'snowrelay_peers{state="down"}')" = 1 ]
}

@test "what the daemon uses of its host" {
    configure 1
    start 1
    local pid rss
    pid=$(lab_relay_pid 1)
    rss=$(awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$pid/status")
    [ "$(metric process_resident_memory_bytes)" -gt $((rss / 2)) ]
    [ "$(metric process_resident_memory_bytes)" -lt $((rss * 2)) ]
    [ "$(metric process_open_fds)" -gt 5 ]
    [ "$(metric process_max_fds)" -ge "$(metric process_open_fds)" ]
    local age
    age=$(($(date +%s) - $(metric process_start_time_seconds | cut -d . -f 1)))
    [ "$age" -ge -1 ] && [ "$age" -lt 120 ]
    metric process_cpu_seconds_total | grep -qx '[0-9]*\.[0-9]*'
}

@test "what the switch counts is asked for" {
    configure 1 '.replicate = [{name: "sflow", port: 6343, to: [{port: 7343}]}]'
    start 1
    lab_wait 5 collectors_up 1
    send h1c1 10.1.0.1 6343 one two three
    lab_wait 10 at_least 'snowrelay_replicate_collector_packets_total{rule="sflow",collector=":7343"}' 3
    [ "$(metric 'snowrelay_replicate_collector_up{rule="sflow",collector=":7343"}')" = 1 ]
}

@test "whoever asks while the switch is away does not keep the relay busy" {
    local before
    configure 1 '.replicate = [{name: "sflow", port: 6343, to: [{port: 7343}]}]'
    start 1
    lab_wait 5 collectors_up 1
    lab_switch_kill 1
    lab_wait 10 metric_is snowrelay_switch_connected 0
    get /metrics > /dev/null
    before=$(zero_timeouts)
    sleep 2
    # A loop that does not sleep turns some 100,000 times in that time.
    [ $(($(zero_timeouts) - before)) -lt 5000 ]
    lab_switch_start 1
    lab_wait 10 metric_is snowrelay_switch_connected 1
}

# zero_timeouts: prints how often the relay looked whether there is something to do, without waiting.
zero_timeouts() { appctl 1 coverage/read-counter poll_zero_timeout; }

# ---- bad clients

# pester KIND N SECONDS: from the client on segment 1, in the background, until it has begun.
pester() {
    PESTERED=$BATS_TEST_TMPDIR/$1
    lab_in_background h1c1 "$BATS_TEST_DIRNAME/pester.py" 10.1.0.1 9714 "$@" > "$PESTERED"
    PESTER=$LAB_PID
}

has_begun() { grep -q ready "$PESTERED"; }

# pestered: waits for its end.
pestered() { wait "$PESTER" || true; }

rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(lab_relay_pid 1)/status"; }

# goes_on: frames are relayed, and others are answered.
goes_on() {
    local before
    before=$(metric snowrelay_frames_relayed_total) && [ -n "$before" ] || return
    broadcast h1c1 more
    lab_wait 5 at_least snowrelay_frames_relayed_total $((before + 1)) && answers /
}

@test "a thousand clients that say nothing" {
    configure 1
    configure 3
    start 1 3
    lab_wait 5 peer_is 1 172.30.0.3 up
    goes_on
    local memory
    memory=$(rss)
    pester idle 1000 60
    lab_wait 20 has_begun
    goes_on
    pestered
    grep -qx 'closed 1000' "$PESTERED"
    goes_on
    [ "$(rss)" -lt $((memory + 8192)) ]
}

@test "clients that say a byte a second, do not listen, or make no sense" {
    configure 1
    configure 3
    start 1 3
    lab_wait 5 peer_is 1 172.30.0.3 up
    local kind memory
    goes_on
    memory=$(rss)
    pester slow 10 60
    lab_wait 20 has_begun
    local slow=$PESTER
    for kind in deaf garbage header body; do
        pester "$kind" 20 60
        pestered
        grep -qx 'closed 20' "$PESTERED"
        [ "$kind" = deaf ] || ! grep -q '^200' "$PESTERED" || return 1
        goes_on
    done
    wait "$slow"
    grep -qx 'closed 10' "$BATS_TEST_TMPDIR/slow"
    goes_on
    [ "$(rss)" -lt $((memory + 8192)) ]
    [ "$(logged 1 'ERR\|EMER')" = 0 ]
}

# ---- reload

@test "config/reload opens, moves and closes it" {
    configure 1 'del(.http)'
    start 1
    configure 1 '.http = "127.0.0.1:9714"'
    run -0 appctl 1 config/reload
    listens_are '127.0.0.1:9714 '
    answers /

    # The same port of other addresses, where its own socket is in the way.
    configure 1
    run -0 appctl 1 config/reload
    listens_are '0.0.0.0:9714 '
    answers /
    configure 1 '.http = "[::]:9714"'
    run -0 appctl 1 config/reload
    listens_are '*:9714 '
    answers /
    [ "$(lab_on h1 curl -s -o /dev/null -w '%{http_code}' 'http://[::1]:9714/')" = 200 ]

    configure 1 '.http = "127.0.0.1:9715"'
    run -0 appctl 1 config/reload
    listens_are '127.0.0.1:9715 '
    configure 1 'del(.http)'
    run -0 appctl 1 config/reload
    listens_are ''
}

@test "a reload that cannot open the new address leaves all as it was" {
    configure 1
    start 1
    lab_in_background h1 socat TCP-LISTEN:9800,fork,reuseaddr -
    OTHER=$LAB_PID
    lab_wait 5 listens_are '0.0.0.0:9714 0.0.0.0:9800 '
    configure 1 '.http = "127.0.0.1:9800" | .relay.ports = [5064]'
    run -2 appctl 1 config/reload
    [ "${lines[0]}" = 'http: cannot listen on TCP 127.0.0.1:9800: Address already in use' ]
    [ "$(lab_status 1 '.ports | join(" ")')" = 5076 ]
    answers /
    # An address that this host has not, on the port that it has.
    configure 1 '.http = "192.0.2.1:9714"'
    run -2 appctl 1 config/reload
    [ "${lines[0]}" = 'http: cannot listen on TCP 192.0.2.1:9714: Cannot assign requested address' ]
    answers /
    # What another part of the configuration refuses.
    configure 1 '.http = "127.0.0.1:9716" | .bridge = "br9"'
    run -2 appctl 1 config/reload
    listens_are '0.0.0.0:9714 0.0.0.0:9800 '
    answers /

}

@test "its own port, where another one listens on a part of it" {
    configure 1 '.http = "127.0.0.1:9714"'
    start 1
    lab_in_background h1 socat TCP-LISTEN:9714,bind=10.1.0.1,fork,reuseaddr -
    OTHER=$LAB_PID
    lab_wait 5 listens_are '10.1.0.1:9714 127.0.0.1:9714 '
    configure 1
    run -2 appctl 1 config/reload
    [ "${lines[0]}" = 'http: cannot listen on TCP 0.0.0.0:9714: Address already in use' ]
    answers /
    answers /metrics
}

@test "an address in use is one clear line at the start" {
    configure 1
    lab_in_background h1 socat TCP-LISTEN:9714,fork,reuseaddr -
    OTHER=$LAB_PID
    lab_wait 5 listens_are '0.0.0.0:9714 '
    run -1 lab_on h1 "$SNOWRELAYD" --config "$LAB_DIR/h1.json"
    grep -q 'http: cannot listen on TCP 0.0.0.0:9714: Address already in use' <<< "$output"
    [ "$(grep -c 'http: ' <<< "$output")" = 1 ]
}

@test "a port below 1024 can be had at the start, and not by a reload" {
    configure 1 '.http = "127.0.0.1:80"'
    start 1
    listens_are '127.0.0.1:80 '
    [ "$(lab_on h1 curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/)" = 200 ]
    configure 1 '.http = "127.0.0.1:81"'
    run -2 appctl 1 config/reload
    [ "${lines[0]}" = 'http: cannot listen on TCP 127.0.0.1:81: Permission denied' ]
    listens_are '127.0.0.1:80 '
}

@test "it ends with the daemon" {
    configure 1
    start 1
    lab_relay_stop 1
    listens_are ''
    [ "$(logged 1 'serving web clients on 0.0.0.0:9714')" = 1 ]
}
