#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What the web server says where the switch carries the frames, and the relay sees some of them.

bats_require_minimum_version 1.5.0
load http

setup_file() {
    export LAB_TRANSPORT=vxlan
    lab_init
    local n
    for n in 1 3; do
        lab_host "$n"
        lab_client "$n" 1
    done
}

teardown() { end_relays; }

carries() { [ "$(lab_status 1 .transport.carrying)" = true ]; }

talks() { lab_status 1 '[.talkers.top[] | "\(.address) \(.from.name // .from)"] | join(", ")'; }

both_talk() { [[ "$(talks)" == *'10.1.0.10 null'* && "$(talks)" == *'10.3.0.10 {'* ]]; }

@test "metrics count all that the switch carries, talkers a sample" {
    configure 1 ".mesh.peers = [\"172.30.0.1\", \"172.30.0.3\"]"
    configure 3 ".mesh.peers = [\"172.30.0.1\", \"172.30.0.3\"]"
    start 1 3
    lab_wait 10 carries
    [ "$(metric snowrelay_tunnel_up)" = 1 ]
    [ "$(metric snowrelay_tunnel_peers)" = 1 ]
    lab_on h1c1 "$BUILD/bench-probe" send 10.1.0.255 5076 --rate 200 --count 600 > /dev/null
    lab_on h3c1 "$BUILD/bench-probe" send 10.3.0.255 5076 --rate 200 --count 600 > /dev/null
    lab_wait 15 at_least snowrelay_frames_relayed_total 600
    lab_wait 15 at_least snowrelay_frames_emitted_total 600
    [ "$(metric snowrelay_switch_frames_relayed_total)" -gt 300 ]
    [ "$(metric snowrelay_switch_frames_emitted_total)" -gt 300 ]
    lab_wait 5 both_talk || { talks; return 1; }
    [ "$(lab_status 1 '.talkers.sampled > 10')" = true ]
    [ "$(lab_status 1 '.talkers.frames < 1000')" = true ]
    get /metrics | promtool check metrics
}
