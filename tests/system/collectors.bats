#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Replication with the software that people run: exporters on a segment of h1 (and h2's own switch,
# which is there as a guest), original collectors on h1, and copies for second ones.

bats_require_minimum_version 1.5.0
load common

netflow='{name: "netflow", port: 2055, to: [{port: 2056}]}'
sflow='{name: "sflow", port: 6343, to: [{port: 6344}]}'
syslog='{name: "syslog", port: 514, to: [{port: 1514}]}'
traps='{name: "traps", port: 162, to: [{port: 1162}, {host: "10.1.0.11"}]}'

setup_file() {
    lab_init
    lab_host 1
    lab_host 2
    lab_client 1 1
    lab_client 1 2
    lab_guest 2 1 4
    lab_client 2 1
}

teardown() {
    lab_on h2 ovs-vsctl clear bridge br0 sflow
    replicate_end 1
}

# collector NODE PROTOCOL-PORT PROGRAM...: starts a collector, in a folder of its own, which is its
# first argument `DIR`; returns once it listens on the UDP port.
collector() {
    local node=$1 port=$2 dir=$BATS_TEST_TMPDIR/$1-$2
    shift 2
    mkdir -p "$dir"
    lab_in_background "$node" "${@//DIR/$dir}" > "$dir.log" 2>&1
    COLLECTING+=("$LAB_PID")
    lab_wait 10 lab_on "$node" sh -c "ss -lun | grep -q ':$port '"
}

# all_read NODE PORT: has the program there read all that came?
all_read() { [ -z "$(lab_on "$1" ss -lunH "sport = :$2" | awk '$2 != 0')" ]; }

# ---- NetFlow and IPFIX: softflowd, nfcapd

start_netflow() {
    local port
    for port in 2055 2056; do
        collector h1 "$port" nfcapd -p "$port" -l DIR -t 3600
    done
}

# What softflowd makes of real traffic, in three formats.
send_netflow() {
    local capture version
    for capture in "$CAPTURES"/*.pcap; do
        for version in 5 9 10; do
            lab_on h1c1 softflowd -d -v "$version" -n 10.1.0.1:2055 -r "$capture" -c none > /dev/null 2>&1
        done
    done
}

# What nfcapd has written, each record whole but for the time when it was received.
netflow_records() { nfdump -q -R "$BATS_TEST_TMPDIR/$1" -o csv | sed 's/,[^,]*$//'; }

check_netflow() {
    local original=$BATS_TEST_TMPDIR/netflow
    netflow_records h1-2055 > "$original"
    echo "NetFlow: $(wc -l < "$original") records"
    [ "$(wc -l < "$original")" -ge 12 ]
    grep -q '10\.1\.0\.10' "$original"
    diff "$original" <(netflow_records h1-2056)
}

# ---- sFlow: a switch's own agent, sfcapd

start_sflow() {
    local port
    for port in 6343 6344; do
        collector h1 "$port" sfcapd -p "$port" -l DIR -t 3600
    done
}

send_sflow() {
    lab_on h2 ovs-vsctl -- --id=@s create sflow agent=seg1 'target="10.1.0.1:6343"' sampling=1 \
        polling=1 header=128 -- set bridge br0 sflow=@s > /dev/null
    lab_on h2c1 ping -c 40 -i 0.02 -q 10.2.0.1 > /dev/null
    # The agent sends what it has gathered once a second.
    sleep 1.5
    lab_on h2 ovs-vsctl clear bridge br0 sflow
}

check_sflow() {
    local original=$BATS_TEST_TMPDIR/sflow
    netflow_records h1-6343 > "$original"
    echo "sFlow: $(wc -l < "$original") records"
    [ "$(grep -c '10\.2\.0\.10' "$original")" -ge 40 ]
    diff "$original" <(netflow_records h1-6344)
}

# ---- syslog: logger, rsyslogd

start_syslog() {
    local port dir
    for port in 514 1514; do
        dir=$BATS_TEST_TMPDIR/h1-$port
        mkdir -p "$dir"
        cat > "$dir/conf" << END
global(workDirectory="$dir" net.enableDNS="off")
module(load="imudp")
template(name="line" type="string" string="%fromhost-ip% %rawmsg%\n")
ruleset(name="all") { action(type="omfile" file="$dir/lines" template="line") }
input(type="imudp" port="$port" ruleset="all")
END
        collector h1 "$port" rsyslogd -n -f DIR/conf -i DIR/pid
    done
}

send_syslog() {
    seq -f 'valve %g opened' 200 | lab_on h1c1 logger --rfc5424 -d -n 10.1.0.1 -P 514 -t plc -p local0.notice
}

check_syslog() {
    local original=$BATS_TEST_TMPDIR/h1-514/lines
    [ "$(wc -l < "$original")" -eq 200 ]
    [ "$(grep -c '^10\.1\.0\.10 <133>1 .* valve [0-9]* opened$' "$original")" -eq 200 ]
    diff "$original" "$BATS_TEST_TMPDIR/h1-1514/lines"
}

# ---- traps: snmptrap, snmptrapd

start_traps() {
    local place dir
    for place in h1-162 h1-1162 h1c2-162; do
        dir=$BATS_TEST_TMPDIR/$place
        mkdir -p "$dir"
        printf '%s\n' 'disableAuthorization yes' 'format2 TRAP from %b: %v\n' > "$dir/conf"
        collector "${place%-*}" "${place#*-}" env "SNMP_PERSISTENT_DIR=$dir" SNMPCONFPATH=/nonexistent \
            snmptrapd -f -C -c DIR/conf -m '' -On -n -X -Lf DIR/traps "udp:${place#*-}"
    done
}

send_traps() {
    local i
    for i in {1..20}; do
        lab_on h1c1 env "SNMP_PERSISTENT_DIR=$BATS_TEST_TMPDIR/snmptrap" \
            snmptrap -m '' -v 2c -c public 10.1.0.1:162 "$i" .1.3.6.1.4.1.8072.2.3.0.1 \
            .1.3.6.1.4.1.8072.2.3.2.1 i "$i" .1.3.6.1.4.1.8072.2.3.2.2 s "pump $i stalled"
    done
}

traps() { grep '^TRAP' "$BATS_TEST_TMPDIR/$1/traps"; }

check_traps() {
    [ "$(traps h1-162 | grep -c 'pump [0-9]* stalled')" -eq 20 ]
    [ "$(traps h1-162 | grep -cF '[10.1.0.10]')" -eq 20 ]
    # The source ports are the exporter's.
    diff <(traps h1-162 | sed 's/->.*: / /') <(traps h1-1162 | sed 's/->.*: / /')
    # This one is sent them by the host.
    [ "$(traps h1c2-162 | grep -cF '[10.1.0.1]')" -eq 20 ]
    diff <(traps h1-162 | sed 's/^TRAP from [^ ]* [^ ]*: //') <(traps h1c2-162 | sed 's/^TRAP from [^ ]* [^ ]*: //')
}

# Waits until all is read, and ends the collectors, which makes them write what they have.
finish() {
    local place
    sleep 0.5
    for place in "$@"; do
        lab_wait 5 all_read "${place%-*}" "${place#*-}"
    done
    end_collecting
}

@test "NetFlow v5, v9 and IPFIX of softflowd: two nfcapd have the same records" {
    replicate 1 "$netflow"
    start_netflow
    send_netflow
    finish h1-2055 h1-2056
    check_netflow
}

@test "sFlow of a switch: two sfcapd have the same records" {
    replicate 1 "$sflow"
    start_sflow
    send_sflow
    finish h1-6343 h1-6344
    check_sflow
}

@test "syslog of logger: two rsyslogd have the same lines" {
    replicate 1 "$syslog"
    start_syslog
    send_syslog
    finish h1-514 h1-1514
    check_syslog
}

@test "traps of snmptrap: three snmptrapd, one on another host, have the same traps" {
    replicate 1 "$traps"
    start_traps
    send_traps
    finish h1-162 h1-1162 h1c2-162
    check_traps
}

@test "everything at once: NetFlow, sFlow, syslog and traps" {
    local exporter
    replicate 1 "$netflow, $sflow, $syslog, $traps"
    start_netflow
    start_sflow
    start_syslog
    start_traps
    local -a exporters=()
    for exporter in send_netflow send_sflow send_syslog send_traps; do
        "$exporter" 3>&- &
        exporters+=($!)
    done
    for exporter in "${exporters[@]}"; do
        wait "$exporter"
    done
    finish h1-2055 h1-2056 h1-6343 h1-6344 h1-514 h1-1514 h1-162 h1-1162 h1c2-162
    check_netflow
    check_sflow
    check_syslog
    check_traps
}
