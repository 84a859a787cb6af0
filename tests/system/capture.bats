#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Captures of what becomes of frames: two hosts with a relay each, two clients on the first segment
# and one on the second. $FOLDER/full is a small file system.

bats_require_minimum_version 1.5.0
load capture

options=(-b "5076,5064,5065")

setup_file() {
    lab_init
    export FOLDER=$LAB_DIR/captured
    mkdir -m 1777 "$FOLDER"
    mkdir "$FOLDER/full"
    # Before the relays, whose view of the mounts is a copy.
    mount -t tmpfs -o size=64k,mode=1777 snowrelay-test "$FOLDER/full"
    mkdir "$FOLDER/hung"
    truncate -s 16M "$LAB_DIR/image"
    mkfs.ext4 -q "$LAB_DIR/image"
    ! mount -o loop "$LAB_DIR/image" "$FOLDER/hung" || chmod 1777 "$FOLDER/hung"
    lab_host 1
    lab_host 2
    lab_client 1 1
    lab_client 1 2
    lab_client 2 1
    lab_on u ip address add 172.30.0.99/24 dev underlay # A stranger's.
    lab_relay 1 "${options[@]}" --other-relays 172.30.0.2
    lab_relay 2 "${options[@]}" --other-relays 172.30.0.1
}

# Nobody who writes to a frozen disk can be ended.
teardown_file() {
    fsfreeze -u "$FOLDER/hung" 2> /dev/null || true
    lab_destroy
}

teardown() {
    fsfreeze -u "$FOLDER/hung" 2> /dev/null || true
    no_capture 1
    no_capture 2
    rm -rf "$FOLDER"/*.pcapng* "$FOLDER"/full/*
}

# refuses TEXT ARGUMENT...: capture/start with these says just this.
refuses() {
    local text=$1
    shift
    run -2 appctl 1 capture/start "$@"
    [ "$output" = "capture/start: $text
ovs-appctl: snowrelayd: server returned an error" ] || { echo "$output"; return 1; }
}

relays() { [ "$(heard h2c1)" = 1 ]; }

# counted N: whether the capture of host 1 has N frames in its file.
counted() { [ "$(lab_status 1 .capture.frames)" -eq "$1" ]; }

@test "every step of a frame is seen, as often as it is counted, with where and why" {
    local one=$FOLDER/one.pcapng two=$FOLDER/two.pcapng steps
    steps='.counters | [.punted, .relayed, .mesh_rx, .emitted] | @tsv'
    local -a before1 before2 after1 after2
    read -ra before1 <<< "$(lab_status 1 "$steps") $(drops 1 punt) $(drops 1 mesh)"
    read -ra before2 <<< "$(lab_status 2 "$steps") $(drops 2 punt) $(drops 2 mesh)"
    capture 1 one.pcapng
    capture 2 two.pcapng

    send_searches h1c1
    # One whose UDP checksum is wrong, a tagged one in the mesh, one from a stranger in the mesh, and
    # what is no frame at all.
    { captured_frame | head -c -1 && printf X; } > "$BATS_TEST_TMPDIR/wrong"
    lab_on h1c1 socat -u "FILE:$BATS_TEST_TMPDIR/wrong" INTERFACE:eth0
    lab_on h1 "$BATS_TEST_DIRNAME/forge.py" vlan=5
    snowsignal_datagram > "$BATS_TEST_TMPDIR/datagram"
    lab_on u socat -u "FILE:$BATS_TEST_TMPDIR/datagram" UDP4-SENDTO:172.30.0.2:7124
    printf 'hello?' | lab_on h1 socat -u - UDP4-SENDTO:172.30.0.2:7124
    lab_wait 5 counts 2 mesh_rx "$((before2[2] + 19))"
    run -0 captured 1
    [[ "$output" == "capture into $one ended as told: 34 frames, 0 left out, "*" bytes, "*" s" ]]
    run -0 captured 2
    [[ "$output" == *": 36 frames, 0 left out, $(stat -c %s "$two") bytes, "* ]]
    is_whole "$one" 34
    is_whole "$two" 36

    read -ra after1 <<< "$(lab_status 1 "$steps") $(drops 1 punt) $(drops 1 mesh)"
    read -ra after2 <<< "$(lab_status 2 "$steps") $(drops 2 punt) $(drops 2 mesh)"
    sort "$one.lines" "$two.lines" | uniq -c
    [ "$(seen "$one" '^punt: from the switch$')" -eq $((after1[0] - before1[0])) ]
    [ "$(seen "$one" '^send: to 1 peer$')" -eq $((after1[1] - before1[1])) ]
    [ "$(seen "$one" '^drop: udp_checksum; from the switch$')" -eq $((after1[4] - before1[4])) ]
    [ "$(seen "$two" '^receive: from 172.30.0.1:[0-9]+$')" -eq $((after2[2] - before2[2] - 2)) ]
    [ "$(seen "$two" '^emit: from 172.30.0.1:7124')" -eq $((after2[3] - before2[3])) ]
    [ "$(seen "$two" '^(drop|refused): ')" -eq $((after2[5] - before2[5])) ]
    [ "$(seen "$two" '^drop: vlan; from 172.30.0.1:[0-9]+$')" -eq 1 ]
    [ "$(seen "$two" '^refused: unknown_sender; from 172.30.0.99:[0-9]+; made-up')" -eq 1 ]
    [ "$(seen "$two" '^refused: format; from 172.30.0.1:[0-9]+; made-up')" -eq 1 ]

    # What is shown of them is what they are.
    [ "$(seen "$two" '^emit: from 172.30.0.1:7124; destination rewritten by the switch$')" -eq \
        "$(tcpdump -nr "$CAPTURES/epics-client-segment.pcap" ether broadcast and udp and dst 10.1.0.255 2> /dev/null | wc -l)" ]
    [ "$(tshark -n -r "$two" -Y 'frame.interface_name == "refused" && udp.dstport == 7124 &&
        ip.src == 172.30.0.1 && data.data == 68:65:6c:6c:6f:3f' 2> /dev/null | wc -l)" -eq 1 ]
}

# each_frame FILE: prints the frames in FILE, a line each, in whatever order the switch let them come.
each_frame() { frames "$1" | awk '/0x0000/ { print line; line = "" } { line = line $0 } END { print line }' | sort; }

@test "what is punted is what the client has sent, when it did" {
    local file=$FOLDER/same.pcapng sent=$FOLDER/sent.pcapng punted=$FOLDER/punted.pcapng start
    start=$(date +%s.%N)
    capture 1 same.pcapng
    send_searches h1c1
    captured 1
    tcpdump -nr "$CAPTURES/epics-client-segment.pcap" -w "$sent" ether broadcast and udp 2> /dev/null
    tshark -n -r "$file" -Y 'frame.interface_name == "punt"' -F pcap -w "$punted" 2> /dev/null
    [ "$(count "$punted")" -eq 16 ]
    diff <(each_frame "$sent") <(each_frame "$punted")
    # The times are between the start and the end, and in order.
    tshark -n -r "$file" -T fields -e frame.time_epoch 2> /dev/null > "$FOLDER/times.pcapng.text"
    { echo "$start" && cat "$FOLDER/times.pcapng.text" && date +%s.%N; } | sort -c -n
}

@test "a filter chooses, and is in the file" {
    local file=$FOLDER/filter.pcapng
    run -0 appctl 1 capture/start "$file" udp dst port 5064 and not src net 10.9.0.0/16
    [ "$output" = "capture into $file started: at most 100000000 bytes, 600 s; filter: udp dst port 5064 and not src net 10.9.0.0/16" ]
    [ "$(lab_status 1 .capture.filter)" = "udp dst port 5064 and not src net 10.9.0.0/16" ]
    send_searches h1c1
    run -0 captured 1
    local n
    n=$(count "$CAPTURES/epics-client-segment.pcap" ether broadcast and udp dst port 5064)
    is_whole "$file" $((2 * n))
    [ "$(count "$file" udp dst port 5064)" -eq $((2 * n)) ]
    capinfos "$file" | grep -q 'Filter string = udp dst port 5064 and not src net 10.9.0.0/16'
}

@test "it is shown, and there is one at a time" {
    local file=$FOLDER/shown.pcapng
    [ "$(lab_status 1 .capture)" = null ]
    [[ "$(appctl 1 status)" == *"
capture: none"* ]]
    run -0 capture 1 shown.pcapng --seconds 100 --size 2M
    [ "$output" = "capture into $file started: at most 2000000 bytes, 100 s" ]
    broadcast h1c1 shown
    lab_wait 5 counted 2
    [ "$(lab_status 1 '.capture | del(.seconds, .bytes)' | jq -c .)" = \
        "{\"file\":\"$file\",\"filter\":null,\"frames\":2,\"left_out\":0,\"max_bytes\":2000000,\"max_seconds\":100}" ]
    [ "$(lab_status 1 .capture.bytes)" = "$(stat -c %s "$file")" ]
    [[ "$(appctl 1 status)" == *"
capture: $file: 2 frames, 0 left out, "* ]]
    refuses "a capture is running already, into \"$file\"" "$FOLDER/other.pcapng"
    [ ! -e "$FOLDER/other.pcapng" ]
    captured 1
    [ "$(lab_status 1 .capture)" = null ]
    run -0 appctl 1 capture/show
    [[ "$output" == "running: none
last: $file ended as told: 2 frames, "* ]]
    run -2 captured 1
    [[ "$output" == "capture/stop: no capture is running; the last: $file ended as told: 2 frames, "* ]]
    [ "$(logged 1 "\|INFO\|capture into $file started: at most 2000000 bytes, 100 s")" -eq 1 ]
    [ "$(logged 1 "\|INFO\|capture into $file ended as told: 2 frames, 0 left out, ")" -eq 1 ]
}

@test "wrong arguments are refused, each with a line that says why" {
    refuses '"capture.pcapng" does not begin with a slash, and the daemon has a working folder of its own' \
        capture.pcapng
    refuses 'the name of a file must follow' --seconds 5
    refuses '--seconds: a number must follow' --seconds
    refuses '--seconds: "0" is not a number from 1 to 604800' --seconds 0 /tmp/a
    refuses '--seconds: "5s" is not a number from 1 to 604800' --seconds 5s /tmp/a
    refuses '--seconds: "-1" is not a number from 1 to 604800' --seconds -1 /tmp/a
    refuses '--size: "9K" is not a number of bytes from 10K to 1000G' --size 9K /tmp/a
    refuses '--size: "1001G" is not a number of bytes from 10K to 1000G' --size 1001G /tmp/a
    refuses '--size: "99999999999999999999" is not a number of bytes from 10K to 1000G' \
        --size 99999999999999999999 /tmp/a
    refuses '--size: "1MB" is not a number of bytes from 10K to 1000G' --size 1MB /tmp/a
    refuses '"--speed" is neither --seconds nor --size' --speed 5 /tmp/a
    refuses "filter \"udp nonsense\": can't parse filter expression: syntax error" /tmp/a udp nonsense
    refuses '"/tmp/a\nb" has characters that cannot be shown' $'/tmp/a\nb'
    refuses '"udp\tport 5" has characters that cannot be shown' /tmp/a $'udp\tport 5'
    [ ! -e /tmp/a ]
    [ "$(lab_status 1 .capture)" = null ]
}

@test "no file is overwritten, nor made where no folder is" {
    local file=$FOLDER/there.pcapng
    echo dear > "$file"
    refuses "\"$file\" is there already, and nothing is overwritten" "$file"
    ln -s "$FOLDER/nowhere" "$FOLDER/link.pcapng"
    refuses "\"$FOLDER/link.pcapng\" is there already, and nothing is overwritten" \
        "$FOLDER/link.pcapng"
    refuses "cannot make \"$FOLDER/none/a\": No such file or directory" "$FOLDER/none/a"
    [ "$(cat "$file")" = dear ]
    [ ! -e "$FOLDER/nowhere" ]
    relays
}

@test "who may not write there is named" {
    lab_relay_stop 1
    lab_relay 1 "${options[@]}" --user nobody --other-relays 172.30.0.2
    refuses "cannot make \"$LAB_DIR/a\": Permission denied: the daemon, user \"nobody\", must be able to write in \"$LAB_DIR\"" \
        "$LAB_DIR/a"
    capture 1 nobody.pcapng
    relays
    captured 1
    is_whole "$FOLDER/nobody.pcapng" 2
    [ "$(stat -c '%U %a' "$FOLDER/nobody.pcapng")" = "nobody 640" ]
    lab_relay_stop 1
    lab_relay 1 "${options[@]}" --other-relays 172.30.0.2
}

ended() { [ "$(lab_status 1 .capture)" = null ]; }

@test "it ends at its size" {
    local file=$FOLDER/size.pcapng frames
    capture 1 size.pcapng --size 20K
    lab_on h1c1 tcpreplay --quiet --intf1=eth0 --pps=200 --loop=4 "$CAPTURES/epics-client-segment.pcap" > /dev/null
    lab_wait 5 ended
    [ "$(stat -c %s "$file")" -le 20000 ]
    [ "$(stat -c %s "$file")" -gt 18000 ]
    run -0 appctl 1 capture/show
    [[ "$output" =~ "last: $file ended at its largest size, 20000 bytes: "([0-9]+)" frames, 0 left out, $(stat -c %s "$file") bytes" ]]
    frames=${BASH_REMATCH[1]}
    is_whole "$file" "$frames"
    [ "$(logged 1 "\|INFO\|capture into $file ended at its largest size")" -eq 1 ]
    relays
}

@test "it ends at its time" {
    local file=$FOLDER/time.pcapng
    capture 1 time.pcapng --seconds 1
    broadcast h1c1 time
    lab_wait 10 ended
    is_whole "$file" 2
    [ "$(logged 1 "\|INFO\|capture into $file ended after 1 s: 2 frames, 0 left out, ")" -eq 1 ]
    relays
}

@test "a full disk ends it, and nothing else" {
    local file=$FOLDER/full/full.pcapng frames
    capture 1 full/full.pcapng
    lab_on h1c1 tcpreplay --quiet --intf1=eth0 --pps=400 --loop=10 "$CAPTURES/epics-client-segment.pcap" > /dev/null
    lab_wait 10 ended
    run -0 appctl 1 capture/show
    [[ "$output" =~ "last: $file ended since it cannot be written: No space left on device: "([0-9]+)" frames, " ]]
    frames=${BASH_REMATCH[1]}
    [ "$frames" -gt 50 ]
    cp "$file" "$FOLDER/copy.pcapng"
    is_whole "$FOLDER/copy.pcapng" "$frames"
    [ "$(logged 1 "\|WARN\|capture into $file ended since it cannot be written: No space left on device")" -eq 1 ]
    run -2 captured 1
    [[ "$output" == *"the last: $file ended since it cannot be written: No space left on device"* ]]
    relays

    # There is no room for the header of another one, either.
    dd if=/dev/zero of="$FOLDER/full/zeros" bs=1k 2> /dev/null || true
    refuses "cannot write \"$FOLDER/full/other.pcapng\": No space left on device" \
        "$FOLDER/full/other.pcapng"
    [ ! -e "$FOLDER/full/other.pcapng" ]
    relays
}

@test "it goes on over a reload, and is whole after an exit" {
    local file=$FOLDER/exit.pcapng
    capture 1 exit.pcapng
    relays
    appctl 1 config/reload
    relays
    lab_relay_stop 1
    lab_relay 1 "${options[@]}" --other-relays 172.30.0.2
    is_whole "$file" 4
    # The counters at the end are there.
    [ "$(tail -c 76 "$file" | od -An -tu4 -N12 | xargs)" = "5 76 5" ]
}

@test "SIGTERM does not cut it off" {
    local file=$FOLDER/term.pcapng pid
    pid=$(lab_relay_pid 1)
    capture 1 term.pcapng
    relays
    kill -TERM "$pid"
    lab_wait 5 lab_gone "$pid"
    [ "$(logged 1 "\|INFO\|capture into $file ended, since snowrelayd is exiting")" -eq 1 ]
    lab_relay 1 "${options[@]}" --other-relays 172.30.0.2
    is_whole "$file" 2
    [ "$(tail -c 76 "$file" | od -An -tu4 -N12 | xargs)" = "5 76 5" ]
}

@test "a disk that does not answer keeps nobody waiting but who asks for the file" {
    mountpoint -q "$FOLDER/hung" || skip "no loop devices here"
    local file=$FOLDER/hung/hung.pcapng pid
    pid=$(lab_relay_pid 1)
    capture 1 hung/hung.pcapng
    relays
    lab_wait 5 counted 2
    fsfreeze -f "$FOLDER/hung"
    relays
    run -124 timeout 2 ip netns exec "$LAB-h1" env "OVS_RUNDIR=$LAB_DIR/h1" \
        ovs-appctl -t snowrelayd capture/stop
    run -2 appctl 1 capture/stop
    [[ "$output" == "capture/stop: the capture into \"$file\" is being ended already"* ]]
    relays
    counted 2

    # At the exit it is given up in the end.
    kill -TERM "$pid"
    given_up() { [ "$(logged 1 "\|WARN\|capture into $file: the disk does not answer")" -eq 1 ]; }
    lab_wait 10 given_up
    [ -z "$(our_flows 1)" ]
    fsfreeze -u "$FOLDER/hung"
    lab_wait 5 lab_gone "$pid"
    tcpdump -nr "$file" > /dev/null
    lab_relay 1 "${options[@]}" --other-relays 172.30.0.2
}

@test "under load nothing is lost, neither of the frames nor of the capture" {
    local other=$FOLDER/other.pcap file=$FOLDER/load.pcapng
    record h2c1 "$other" udp
    capture 1 load.pcapng
    lab_on h1c1 tcpreplay --quiet --intf1=eth0 --pps=500 --loop=63 \
        "$CAPTURES/epics-client-segment.pcap" > /dev/null
    stop_recording "$other" 1008
    run -0 captured 1
    [[ "$output" == *": 2016 frames, 0 left out, "* ]]
    [ "$(count "$other")" -eq 1008 ]
    [ "$(seen "$file" '^punt: ')" -eq 1008 ]
    [ "$(seen "$file" '^send: ')" -eq 1008 ]
    rm "$other"
}

@test "in a storm the frames in the file and those left out add up" {
    local before after said
    all() {
        lab_status 1 '.counters | .punted + .relayed + ([.punt_dropped[], .mesh_dropped[]] | add // 0)'
    }
    before=$(all)
    capture 1 storm.pcapng
    lab_on h1c1 tcpreplay --quiet --intf1=eth0 --topspeed --loop=2000 \
        "$CAPTURES/epics-client-segment.pcap" > /dev/null
    settled() { after=$said && said=$(all) && [ "$after" = "$said" ]; }
    lab_wait 10 settled
    run -0 captured 1
    after=$(all)
    [[ "$output" =~ ": "([0-9]+)" frames, "([0-9]+)" left out, " ]]
    [ "$((BASH_REMATCH[1] + BASH_REMATCH[2]))" -eq "$((after - before))" ]
    is_whole "$FOLDER/storm.pcapng" "${BASH_REMATCH[1]}"
    [ "${BASH_REMATCH[1]}" -gt 2000 ]
}

@test "replay sends a capture's broadcasts, and they cross" {
    local arrived=$BATS_TEST_TMPDIR/arrived.pcap
    record h2c1 "$arrived" udp
    run -0 lab_on h1c1 "$LAB_ROOT/scripts/replay" "$CAPTURES/epics-client-segment.pcap" eth0 --pps 50
    [[ "$output" == "16 frames sent in "*" s" ]]
    stop_recording "$arrived" 16
    run -0 "$BUILD/same-frames" "$CAPTURES/epics-client-segment.pcap" "$arrived" \
        02:00:00:00:02:01 10.2.0.255 5076 5064 5065
    [ "$output" = "16 frames the same" ]
}

@test "replay sends of our own captures each frame once" {
    local file=$FOLDER/own.pcapng arrived=$BATS_TEST_TMPDIR/arrived.pcap
    capture 1 own.pcapng
    send_searches h1c1
    captured 1
    is_whole "$file" 32
    run -0 "$LAB_ROOT/scripts/replay" "$file" eth0 --dry-run
    [ "$output" = "16 frames to send" ]
    run -0 "$LAB_ROOT/scripts/replay" "$file" eth0 --dry-run --port 5064 --port 5065
    [ "$output" = "6 frames to send" ]
    run -1 "$LAB_ROOT/scripts/replay" "$file" eth0 --dry-run --point drop
    [ "$output" = "replay: no such UDP broadcasts in \"$file\"" ]

    record h2c1 "$arrived" udp
    run -0 lab_on h1c1 "$LAB_ROOT/scripts/replay" "$file" eth0 --speed 0.2
    [[ "$output" == "16 frames sent in "*" s" ]]
    stop_recording "$arrived" 16
    run -0 "$BUILD/same-frames" "$CAPTURES/epics-client-segment.pcap" "$arrived" \
        02:00:00:00:02:01 10.2.0.255 5076 5064 5065
    [ "$output" = "16 frames the same" ]

    record h2c1 "$arrived" udp
    run -0 lab_on h1c1 "$LAB_ROOT/scripts/replay" "$file" eth0 --point send --speed 10 --loop 3
    [[ "$output" == "48 frames sent in "*" s" ]]
    stop_recording "$arrived" 48
    [ "$(count "$arrived")" -eq 48 ]
}

@test "replay refuses what it cannot send, in one line" {
    refused_by_replay() {
        local text=$1 status=$2
        shift 2
        run "-$status" "$LAB_ROOT/scripts/replay" "$@"
        [ "$output" = "replay: $text" ] || { echo "$output"; return 1; }
    }
    local capture=$CAPTURES/epics-client-segment.pcap
    refused_by_replay 'a file and an interface must be given; --help tells more' 2 "$capture"
    refused_by_replay '"--nonsense" is an unknown option; --help tells those that there are' 2 \
        "$capture" eth0 --nonsense
    refused_by_replay '--port: "65536" is not a port from 1 to 65535' 2 "$capture" eth0 --port 65536
    refused_by_replay '--speed: "0.0" is not a number greater than 0' 2 "$capture" eth0 --speed 0.0
    refused_by_replay '--pps: of --speed and --pps there is one' 2 "$capture" eth0 --speed 2 --pps 5
    refused_by_replay "--point: \"$capture\" is not a capture of snowrelayd's" 1 \
        "$capture" eth0 --point emit
    refused_by_replay "cannot read \"$FOLDER/none\"" 1 "$FOLDER/none" eth0
    refused_by_replay "no such UDP broadcasts in \"$CAPTURES/snowsignal-mesh.pcap\"" 1 \
        "$CAPTURES/snowsignal-mesh.pcap" eth0
    run -1 "$LAB_ROOT/scripts/replay" "$capture" no-such-card
    [[ "$output" == "replay: "*no-such-card* ]]
}
