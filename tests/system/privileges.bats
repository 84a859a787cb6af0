#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Who snowrelayd runs as, what it gives up, and that it does its work all the same: as `nobody`, whom
# the switch's sockets, which are root's, are closed to.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    lab_host 2
    lab_client 1 1
    lab_client 2 1
}

teardown() {
    local n
    for n in 1 2; do
        replicate_end "$n"
    done
}

# served N [OPTION...]: starts the relay of host N as nobody.
served() { lab_relay "$1" --user nobody "${@:2}"; }

# A relay each on h1 and h2, which carry broadcasts from h1's client to h2's.
both_served() {
    served 1 --other-relays 172.30.0.2 "$@"
    served 2 --other-relays 172.30.0.1
}

relays() { [ "$(heard h2c1)" = 1 ]; }

# privileged N: prints the pid of the privileged process of the relay of host N.
privileged() { ps -o pid= --ppid "$(lab_relay_pid "$1")" | tr -d ' '; }

# of PID NAME...: prints what the kernel says of these about the process, a line each.
of() {
    local name
    for name in "${@:2}"; do
        sed -n "s/^$name:[[:space:]]*//p" "/proc/$1/status" | xargs
    done
}

no_capabilities=0000000000000000

# has_nothing PID UID: the process has no privilege left, and is UID.
has_nothing() {
    local capabilities gid
    gid=$(getent passwd "$2" | cut -d : -f 4)
    capabilities=$(of "$1" CapInh CapPrm CapEff CapBnd CapAmb | sort -u)
    [ "$capabilities" = "$no_capabilities" ]
    [ "$(of "$1" Uid)" = "$2 $2 $2 $2" ]
    [ "$(of "$1" Gid)" = "$gid $gid $gid $gid" ]
    [ "$(of "$1" NoNewPrivs)" = 1 ]
    is_filtered "$1"
}

# Builds with the address sanitizer do without the filter.
is_filtered() { [ "$(of "$1" Seccomp)" = 2 ] || [[ "$BUILD" == */sanitize ]]; }

# is_privileged PID: the process has the three capabilities that it needs, and no more.
is_privileged() {
    [ "$(of "$1" CapPrm CapEff CapBnd | sort -u)" = 0000000000001402 ]
    [ "$(of "$1" CapInh CapAmb | sort -u)" = "$no_capabilities" ]
    [ "$(of "$1" NoNewPrivs)" = 1 ]
    is_filtered "$1"
    [ "$(cat "/proc/$1/comm")" = snowrelay-priv ]
}

files() { lab_on h1 ls -A "$LAB_DIR/h1" | grep '^snowrelayd.*\(pid\|ctl\)$' || true; }

@test "as nobody it has no privilege, and a child has three" {
    both_served
    relays
    local pid child uid
    pid=$(lab_relay_pid 1)
    uid=$(id -u nobody)
    has_nothing "$pid" "$uid"
    [ "$(of "$pid" Groups)" = "$(id -g nobody)" ]
    [ "$(logged 1 "runs as uid $uid, .*nobody.*without capabilities, seccomp")" -eq 1 ]

    child=$(privileged 1)
    [ "$(of "$child" Uid)" = "0 0 0 0" ]
    is_privileged "$child"
    # Of the daemon it has nothing open but the socket between them, and the log.
    [ "$(find "/proc/$child/fd" -lname 'socket:*' | wc -l)" -eq 1 ]
    [ "$(find "/proc/$child/fd" ! -lname 'socket:*' -type l -printf '%l\n' | sort -u)" = "/dev/null
$LAB_DIR/h1/snowrelayd.log" ]
}

@test "the child is not ended by a signal that is meant for the daemon" {
    served 1 --other-relays 172.30.0.2
    local child
    child=$(privileged 1)
    [ "$((0x$(of "$child" SigIgn) & 0x5003))" -eq "$((0x5003))" ] # HUP, INT, PIPE, TERM
    kill -INT "$child"
    kill -TERM "$child"
    kill -HUP "$child"
    kill -PIPE "$child"
    sleep 0.2
    [ "$(privileged 1)" = "$child" ]
    appctl 1 config/reload
}

@test "without the user snowrelay, root stays root without capabilities, and says so in one line" {
    ! getent passwd snowrelay || skip "there is a user snowrelay"
    lab_relay 1 --other-relays 172.30.0.2
    has_nothing "$(lab_relay_pid 1)" 0
    is_privileged "$(privileged 1)"
    [ "$(logged 1 '\|WARN\|.*no user snowrelay.*ovs-setup.sh.*--user')" -eq 1 ]
    [ "$(logged 1 '\|WARN\|.*root')" -eq 1 ]
    lab_switch_kill 1
    lab_switch_start 1
    lab_wait 10 lab_relay_ready 1
}

@test "--user root says nothing of it" {
    lab_relay 1 --user root
    has_nothing "$(lab_relay_pid 1)" 0
    [ "$(logged 1 '\|WARN\|.*root')" -eq 0 ]
}

@test "a root that has no capabilities, as in a container, starts with --user root" {
    cat > "$LAB_DIR/snowrelayd" << END
#!/bin/sh
exec setpriv --bounding-set=-all "$SNOWRELAYD" "\$@"
END
    chmod +x "$LAB_DIR/snowrelayd"
    SNOWRELAYD=$LAB_DIR/snowrelayd lab_relay 1 --user root --other-relays 172.30.0.2
    has_nothing "$(lab_relay_pid 1)" 0
    lab_switch_kill 1
    lab_switch_start 1
    lab_wait 10 lab_relay_ready 1
    lab_relay_stop 1
    run -1 lab_on h1 "$LAB_DIR/snowrelayd" --user nobody --detach
    [[ "$output" == *"cannot become user nobody: Operation not permitted" ]]
    none() { [ -z "$(files)" ]; }
    lab_wait 5 none
}

@test "--user USER:GROUP" {
    lab_relay 1 --user nobody:daemon
    local gid
    gid=$(getent group daemon | cut -d : -f 3)
    [ "$(of "$(lab_relay_pid 1)" Gid)" = "$gid $gid $gid $gid" ]
}

@test "an unknown user or group is one line, with status 2" {
    run -2 "$SNOWRELAYD" --user no-such --check-config
    [ "$output" = 'snowrelayd: --user: there is no user "no-such"' ]
    run -2 lab_on h1 "$SNOWRELAYD" --user nobody:no-such --detach
    [ "$output" = 'snowrelayd: --user: there is no group "no-such"' ]
    [ -z "$(files)" ]
}

@test "started by another user it does what that user may" {
    local folder=$LAB_DIR/own program=$LAB_DIR/snowrelayd pid
    mkdir -p "$folder"
    chown nobody "$folder"
    cp "$BUILD/snowrelayd" "$program"
    as_nobody() {
        lab_on h1 env OVS_RUNDIR="$folder" OVS_LOGDIR="$folder" \
            setpriv --reuid=nobody --regid=nogroup --clear-groups "$program" "$@" 3>&-
    }
    run -2 as_nobody --user root
    [ "$output" = 'snowrelayd: --user: only root can become "root"' ]

    lab_on h1 ovs-vsctl set-controller br0 ptcp:6653
    as_nobody --switch tcp:127.0.0.1:6653 --detach --pidfile --log-file
    pid=$(< "$folder/snowrelayd.pid")
    lab_record "$pid"
    connected() { lab_on h1 env OVS_RUNDIR="$folder" ovs-appctl -t snowrelayd status json | jq -e .connected; }
    lab_wait 10 connected
    has_nothing "$pid" "$(id -u nobody)" || of "$pid" CapBnd
    [ "$(of "$pid" CapEff CapPrm | sort -u)" = "$no_capabilities" ]
    is_filtered "$pid"
    [ -z "$(ps -o pid= --ppid "$pid")" ]
    kill -TERM "$pid"
    lab_wait 5 lab_gone "$pid"
    [ ! -e "$folder/snowrelayd.pid" ]
    lab_on h1 ovs-vsctl del-controller br0
}

# ---- the switch, its database, and what else comes back

@test "kill -9 of ovs-vswitchd: relaying goes on when it is back" {
    both_served
    relays
    lab_switch_kill 1
    lab_wait 5 [ "$(lab_status 1 .connected)" = false ]
    lab_switch_start 1
    lab_wait 10 lab_relay_ready 1
    lab_wait 5 relays
}

@test "the bridge deleted and made again" {
    both_served
    lab_on h1 ovs-vsctl del-br br0
    not_connected() { [ "$(lab_status 1 .connected)" = false ]; }
    lab_wait 5 not_connected
    lab_on h1 ovs-vsctl add-br br0 -- set bridge br0 datapath_type=netdev \
        other-config:hwaddr=02:00:00:00:01:01 -- set interface br0 mtu_request=9000 -- add-port br0 c1
    lab_segment_address 1 br0
    lab_wait 10 lab_relay_ready 1
    lab_wait 5 relays
}

@test "kill -9 of ovsdb-server: a tunnel port that a reload asks for is made when it is back" {
    local pid
    tunnels() { lab_on h1 ovs-vsctl --bare --columns=type find interface type=vxlan | grep -c vxlan; }
    tunnels_are() { [ "$(tunnels)" -eq "$1" ]; }
    write_rules 1 '{port: 6343, to: [{host: "172.30.0.2", tunnel: "vxlan"}]}'
    served 1 --config "$LAB_DIR/h1.json"
    lab_wait 5 tunnels_are 1

    pid=$(< "$LAB_DIR/h1/ovsdb-server.pid")
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    lab_daemon 1 ovsdb-server --remote=punix:db.sock conf.db
    write_rules 1 '{port: 6343, to: [{host: "172.30.0.2", tunnel: "vxlan"}]},
                   {port: 6344, to: [{host: "172.30.0.3", tunnel: "vxlan"}]}'
    appctl 1 config/reload
    lab_wait 20 tunnels_are 2
}

@test "a neighbour is asked for, and copies get to it" {
    local text=$RANDOM
    lab_on h1 ip neigh flush dev br0
    collect h1c1 7343
    replicate 1 '{port: 6343, to: [{host: "10.1.0.10", port: 7343}]}' --user nobody
    send h1c1 10.1.0.1 6343 "$text"
    lab_wait 5 arrived h1c1 7343 1
    end_collecting
    # One that does not exist costs the kernel a request, and is found out.
    write_rules 1 '{port: 6343, to: [{host: "10.1.0.99", port: 7343}]}'
    record h1c1 "$BATS_TEST_TMPDIR/arp.pcap" arp host 10.1.0.99
    appctl 1 config/reload
    stop_recording "$BATS_TEST_TMPDIR/arp.pcap" 2
    [ "$(count "$BATS_TEST_TMPDIR/arp.pcap")" -ge 2 ]
}

# ---- reloads

@test "a file that only root can read is reloaded, and moves the mesh to a low port" {
    local folder=$LAB_DIR/closed
    local file=$folder/relay.json
    mkdir -p "$folder"
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$file"
    chmod 700 "$folder"
    chmod 600 "$file"
    both_served --config "$file"
    relays

    echo '{"relay": {"ports": [5076, 5064]}, "mesh": {"port": 712, "peers": ["172.30.0.2:7124"]}}' > "$file"
    run -0 appctl 1 config/reload
    [ "$output" = "configuration reloaded" ]
    [ "$(lab_status 1 .mesh)" = 0.0.0.0:712 ]
    lab_on h1 ss -lun | grep -q ':712 '
    # With the buffer that only root gets.
    [ "$(lab_on h1 ss -luenm 'sport = :712' | grep -o 'rb[0-9]*' | tr -d rb)" -ge 8000000 ]
    ports() { [ "$(our_flows 1 | grep -c tp_dst=5064)" -ge 2 ]; }
    lab_wait 5 ports

    # Another file in its place, as editors do it.
    echo '{"mesh": {"peers": ["172.30.0.2"]}}' > "$file.new"
    chmod 600 "$file.new"
    mv "$file.new" "$file"
    kill -HUP "$(lab_relay_pid 1)"
    moved() { [ "$(lab_status 1 .mesh)" = 0.0.0.0:7124 ]; }
    lab_wait 5 moved
    lab_wait 5 relays

    echo nonsense > "$file"
    run ! appctl 1 config/reload
    rm "$file"
    run ! appctl 1 config/reload
    [[ "$output" == *"No such file or directory"* ]]
    relays
}

@test "the log file goes on under its name after it was rotated" {
    local log=$LAB_DIR/h1/snowrelayd.log
    rm -f "$log"
    served 1 --other-relays 172.30.0.2
    mv "$log" "$log.1"
    appctl 1 vlog/reopen
    appctl 1 config/reload
    grep -q 'configuration reloaded' "$log"
    run ! grep -q "configuration reloaded" "$log.1"
    [ "$(find "/proc/$(privileged 1)/fd" -lname "$log" | wc -l)" -eq 1 ]

    # Not if something else has got the name.
    mv "$log" "$log.2"
    ln -s "$LAB_DIR/h1/target" "$log"
    run ! appctl 1 vlog/reopen
    [ ! -e "$LAB_DIR/h1/target" ]
    rm "$log"
    appctl 1 vlog/reopen
    [ -f "$log" ]
}

# ---- the end

@test "exit removes the pidfile and the control socket, and the next start finds its place free" {
    local n
    for n in 1 2 3 4 5; do
        served 1 --other-relays 172.30.0.2
        [ "$(files | wc -l)" -eq 2 ]
        case $n in
            1) kill -TERM "$(lab_relay_pid 1)" ;;
            2) kill -INT "$(lab_relay_pid 1)" ;;
            *) appctl 1 exit ;;
        esac
        lab_wait 5 lab_gone "$(lab_relay_pid 1 2> /dev/null || echo 0)"
        none() { [ -z "$(files)" ]; }
        lab_wait 5 none
    done
    [ "$(logged 1 'could not unlink')" -eq 0 ]
}

@test "a daemon that is started right after the exit of another keeps its files" {
    served 1
    local pid
    pid=$(lab_relay_pid 1)
    kill -TERM "$pid"
    until served 1 2> /dev/null; do :; done
    lab_wait 5 lab_gone "$pid"
    sleep 0.2
    [ "$(files)" = "snowrelayd.$(lab_relay_pid 1).ctl
snowrelayd.pid" ]
}

@test "kill -9 ends the child as well, leaves the files, and the next start clears up" {
    served 1 --other-relays 172.30.0.2
    local pid child
    pid=$(lab_relay_pid 1)
    child=$(privileged 1)
    kill -KILL "$pid"
    lab_wait 5 lab_gone "$pid"
    lab_wait 5 lab_gone "$child"
    [ "$(files)" = "snowrelayd.$pid.ctl
snowrelayd.pid" ]
    served 1 --other-relays 172.30.0.2
    [ "$(files)" = "snowrelayd.$(lab_relay_pid 1).ctl
snowrelayd.pid" ]
    lab_status 1 .connected
}

@test "kill -9 of the child: the daemon goes on with what it has, and says so" {
    both_served
    local child
    child=$(privileged 1)
    kill -KILL "$child"
    said() { [ "$(logged 1 "\|ERR\|the privileged process .pid $child. is gone: killed")" -eq 1 ]; }
    lab_wait 5 said
    relays
    run -0 appctl 1 status
    # No reload without --config needs it; the switch does.
    lab_switch_kill 1
    lab_switch_start 1
    told() { [ "$(logged 1 'the privileged process is gone: restart')" -ge 1 ]; }
    lab_wait 10 told
    run -0 lab_status 1 .connected
    [ "$output" = false ]
    kill -TERM "$(lab_relay_pid 1)"
    lab_wait 5 lab_gone "$(lab_relay_pid 1)"
}

@test "--monitor starts both again when the daemon crashes" {
    served 1 --monitor --other-relays 172.30.0.2
    local pid child
    pid=$(lab_relay_pid 1)
    child=$(privileged 1)
    lab_record "$(ps -o ppid= -p "$pid" | tr -d ' ')"
    kill -ABRT "$pid"
    lab_wait 5 lab_gone "$pid"
    lab_wait 5 lab_gone "$child"
    another() { [ "$(lab_relay_pid 1)" != "$pid" ] && lab_relay_ready 1; }
    lab_wait 15 another
    lab_record "$(lab_relay_pid 1)"
    has_nothing "$(lab_relay_pid 1)" "$(id -u nobody)"
    is_privileged "$(privileged 1)"
    lab_relay_stop 1
    [ -z "$(files)" ]
}

# ---- one for a bridge

@test "a second one for the bridge is refused, also with other files, and disturbs nothing" {
    served 1 -b 5076 --other-relays 172.30.0.2
    local pid before
    pid=$(lab_relay_pid 1)
    before=$(our_flows 1)
    refused() {
        run -1 lab_on h1 "$SNOWRELAYD" -b 5064 -m 7200 "$@"
        [ "$output" = "snowrelayd: bridge br0 is served already, by the snowrelayd with pid $pid" ]
    }
    refused
    refused --detach --overwrite-pidfile
    refused --user nobody --pidfile="$LAB_DIR/second.pid" --unixctl="$LAB_DIR/second.ctl" --detach
    refused --pidfile="$LAB_DIR/second.pid" --switch "unix:$LAB_DIR/h1/br0.mgmt" --detach --monitor
    [ ! -e "$LAB_DIR/second.pid" ]
    [ ! -e "$LAB_DIR/second.ctl" ]
    sleep 0.5
    [ "$(our_flows 1)" = "$before" ]
    [ "$(lab_relay_pid 1)" = "$pid" ]
    [ "$(logged 1 'put back')" -eq 0 ]
    appctl 1 status

    # Another bridge is another matter.
    lab_on h1 ovs-vsctl add-br br1 -- set bridge br1 datapath_type=netdev
    lab_on h1 "$SNOWRELAYD" -t br1 -m 7200 --pidfile="$LAB_DIR/second.pid" \
        --unixctl="$LAB_DIR/second.ctl" --detach 3>&-
    lab_record "$(< "$LAB_DIR/second.pid")"
    lab_on h1 ovs-appctl -t "$LAB_DIR/second.ctl" exit
    lab_on h1 ovs-vsctl del-br br1
}
