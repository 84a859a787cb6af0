#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# entrypoint.sh [SNOWRELAYD-OPTION...] - what the container image runs: an Open vSwitch of its own,
# in userspace, with a bridge that the container's network interface is a port of, and snowrelayd,
# which relays the broadcasts that come in there.
#
# The interface keeps its addresses and routes: the switch listens to it beside the kernel, sends
# broadcasts through it, and is in the way of nothing else. So the container's own traffic, its name
# server and the mesh among it, does not depend on the switch, and nothing has to be put back when
# the container is killed.
#
# Environment: what snowrelayd reads, and
#
#     TARGET_INTERFACE   the interface on the segment, `eth0` unless given, as with SnowSignal
#     SEGMENT_INTERFACE  the same, and goes before it: then TARGET_INTERFACE is the bridge's name,
#                        which is `br0` otherwise
#     OVS_RUNDIR         the folder for sockets, pidfiles and the database: /run/snowrelay
#
# When one of the three daemons ends, all of it does, with status 1, for the engine to start it
# again; with 2 where the configuration is wrong. After SIGTERM or SIGINT the flows are taken off,
# and the status is 0. SIGHUP has snowrelayd read its file again. All output goes to stderr, one line
# an event.

set -u

export OVS_RUNDIR=${OVS_RUNDIR:-/run/snowrelay}
schema=/usr/share/openvswitch/vswitch.ovsschema
mark="the bridge of snowrelay in a container"
patience=30 # seconds for each step of the start, on a machine that starts much at once
database='' switch='' relay=''    # The daemons' pids, once they have been started
waker=''                          # That of a process to end where `wait` is to end
stopping=''                       # Not empty after a signal
down_before=''                    # The interface, if it was down before

# Lines like those of the daemons
pattern='-vPATTERN:console:%D{%Y-%m-%dT%H:%M:%SZ} %A %p %c: %m'

log() {
    TZ=UTC printf '%(%Y-%m-%dT%H:%M:%SZ)T entrypoint %s: %s\n' -1 "$1" "${2//[[:cntrl:]]/?}" >&2
}

# ---- what the container must have

# What takes no switch to do
run_alone() {
    local option
    for option; do
        case $option in
            -h | --help | -V | --version | --check-config | --print-flows | --generate-key*)
                exec snowrelayd "$@"
                ;;
        esac
    done
}

# may N: has this process the capability with that number?
may() { (((0x$capabilities >> $1) & 1)); }

check_capabilities() {
    capabilities=$(sed -n 's/^CapEff:\s*//p' /proc/self/status)
    may 12 || end "the container needs the capability NET_ADMIN"
    may 13 || end "the container needs the capability NET_RAW"
}

# Where an engine cannot be told to give the container a device, as in a Docker Swarm, the container
# may still make it.
check_tun() {
    [[ -e /dev/net/tun ]] ||
        { mkdir -p /dev/net && mknod -m 600 /dev/net/tun c 10 200; } 2> /dev/null ||
        end "the container needs the device /dev/net/tun, or the capability MKNOD to make it"
    { true <> /dev/net/tun; } 2> /dev/null ||
        end "cannot open /dev/net/tun: the container may not use it, or the host has no tun module"
}

# Chooses the segment's interface and the name of the bridge.
choose_interfaces() {
    local effective target
    effective=$(snowrelayd "$@" --check-config 2>&1) || end "$(tail -n 1 <<< "$effective")" 2
    target=$(sed -n 's/^ *"bridge": "\(.*\)".*/\1/p' <<< "$effective")
    segment=${SEGMENT_INTERFACE:-$target}
    bridge=br0
    if [[ -z "${SEGMENT_INTERFACE:-}" && "$target" == br0 ]]; then
        segment=eth0
    elif [[ "$target" != "$segment" ]]; then
        bridge=$target
    fi
    [[ "$segment" != lo ]] || end "the loopback lo is no segment to relay for" 2
    [[ -n "$(link "$segment")" ]] ||
        end "there is no interface $segment to relay for; there are $(interfaces)" 2
    # One of a container that was killed may be in a pod, which outlives its containers.
    [[ -z "$(link "$bridge")" ]] || is_leftover ||
        end "the bridge cannot be called $bridge, as an interface is: name the interface in \
SEGMENT_INTERFACE and another bridge in TARGET_INTERFACE" 2
    mac=$(link "$segment" | sed -nE 's/.* link\/ether ([^ ]+) .*/\1/p')
    [[ -n "$mac" ]] || end "the interface $segment is not an Ethernet interface" 2
}

is_leftover() { link "$bridge" | grep -qF " alias $mark"; }

link() { ip -o link show dev "$1" 2> /dev/null; }

interfaces() { ip -o link show | sed -nE 's/^[0-9]+: ([^:@]+).*/\1/p' | grep -vx lo | xargs; }

# ---- the start

start_switch() {
    # Engines give a tmpfs the mode of /tmp.
    { mkdir -p "$OVS_RUNDIR" && chmod 755 "$OVS_RUNDIR"; } ||
        end "cannot make the folder $OVS_RUNDIR"
    clear_leftovers || end "the bridge $bridge is in use by another container of this network"
    rm -f "$OVS_RUNDIR"/{conf.db,.conf.db.~lock~,{ovsdb-server,ovs-vswitchd,snowrelayd}.pid}
    ovsdb-tool create "$OVS_RUNDIR/conf.db" "$schema" || end "cannot make $OVS_RUNDIR/conf.db"
    ovsdb-server --pidfile -vconsole:warn "$pattern" --remote="punix:$OVS_RUNDIR/db.sock" \
        "$OVS_RUNDIR/conf.db" &
    database=$!
    await "$database" ovsdb-server
    # One segment is little work, and a thread for each CPU of the host would be many.
    vsctl --no-wait init -- set Open_vSwitch . other_config:n-handler-threads=1 \
        other_config:n-revalidator-threads=1
    ovs-vswitchd --pidfile -vconsole:warn "$pattern" "unix:$OVS_RUNDIR/db.sock" &
    switch=$!
    await "$switch" ovs-vswitchd
}

# What a switch that was killed has left, if not by somebody who uses it: the tap devices, and the
# interface promiscuous, which the next switch would take for its way.
clear_leftovers() {
    is_leftover || return 0
    ip tuntap delete dev "$bridge" mode tap 2> /dev/null || return
    ip tuntap delete dev ovs-netdev mode tap 2> /dev/null
    ip link set dev "$segment" promisc off
}

# await PID DAEMON: until it answers
await() {
    local n
    for ((n = patience * 20; n > 0; n--)); do
        if [[ -n "$stopping" ]] || gone "$1"; then break; fi
        ! answers "$2" || return 0
        sleep 0.05
    done
    end "$2 has not started"
}

answers() { ovs-appctl -T 1 -t "$1" version > /dev/null 2>&1; }

# In the background, for a signal to interrupt the waiting
vsctl() {
    ovs-vsctl --timeout="$patience" "$@" &
    wait $! || end "could not run ovs-vsctl $*"
}

# soon SECONDS CMD...: until CMD succeeds; 1 when it has not in time
soon() {
    local until=$((${EPOCHREALTIME//[!0-9]/} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME//[!0-9]/} < until)) || return 1
        sleep 0.05
    done
}

# One that has ended and is a child is waited for at once.
gone() { [[ ! -e "/proc/$1" ]]; }

# The bridge's own interface stays down: what is sent to the segment's interface the kernel gets
# there. It has the MAC of that, for the relayed broadcasts to come from one that the network knows,
# and a copy of its addresses, which say to snowrelayd what broadcast addresses the segment has.
make_bridge() {
    local -a address
    if [[ "$(link "$segment")" != *[\<,]UP[,\>]* ]]; then
        down_before=$segment
        ip link set dev "$segment" up || end "cannot set $segment up"
    fi
    vsctl add-br "$bridge" -- set Bridge "$bridge" datapath_type=netdev \
        other-config:hwaddr="\"$mac\"" -- add-port "$bridge" "$segment"
    [[ "$(ovs-vsctl --timeout=5 get Interface "$segment" ofport)" =~ ^[1-9] ]] ||
        end "$segment has not become a port of $bridge"
    ip link set dev "$bridge" alias "$mark"
    while read -ra address; do
        ip address add "${address[@]}" dev "$bridge" noprefixroute
    done < <(ip -o -4 address show dev "$segment" | sed -nE 's/.* inet ([^ ]+ brd [^ ]+) .*/\1/p')
    log INFO "$segment is a port of the bridge $bridge"
}

# Who is root without SETGID and SETUID cannot become somebody else.
start_relay() {
    local user=(--user root)
    ! may 6 || ! may 7 || user=()
    snowrelayd "$pattern" "${user[@]}" "$@" -t "$bridge" &
    relay=$!
}

# ---- the end

# Waits until one of the daemons ends, or a signal has us end. What came of a reload is in the log.
wait_for_the_end() {
    local ended='' status
    # A signal just before `wait` ends no waiting; the end of a child does.
    sleep infinity &
    waker=$!
    trap 'stopping=yes; kill "$waker" 2> /dev/null' TERM INT
    trap 'ovs-appctl -T 5 -t snowrelayd config/reload > /dev/null 2>&1' HUP
    while [[ -z "$stopping${ended:-}" ]]; do
        wait -n -p ended "$database" "$switch" "$relay" "$waker"
        status=$?
    done
    case ${ended:-} in
        "$database") end "ovsdb-server has ended with status $status" ;;
        "$switch") end "ovs-vswitchd has ended with status $status" ;;
        *) end "snowrelayd has ended with status $status" ;;
    esac
}

# end REASON [STATUS]: ends the daemons and this process, for REASON unless after a signal
end() {
    trap '' TERM INT HUP
    [[ -n "$stopping" ]] || log ERR "$1"
    [[ -z "$waker" ]] || kill "$waker" 2> /dev/null
    # Over the control socket: a signal to another user would take the capability KILL.
    end_daemon "$relay" ovs-appctl -T 3 -t snowrelayd exit
    end_daemon "$switch" ovs-appctl -T 2 -t ovs-vswitchd exit --cleanup
    end_daemon "$database" ovs-appctl -T 1 -t ovsdb-server exit
    [[ -z "$switch" ]] || clear_leftovers
    [[ -z "$down_before" ]] || ip link set dev "$down_before" down
    [[ -z "$stopping" ]] || { log INFO "stopped" && exit 0; }
    exit "${2:-1}"
}

# end_daemon PID CMD...: has CMD end the process, if it has been started and has not ended
end_daemon() {
    [[ -n "$1" ]] && ! gone "$1" || return
    "${@:2}" > /dev/null 2>&1
    soon 1 gone "$1" || kill -KILL "$1"
    soon 1 gone "$1"
}

run_alone "$@"
trap 'stopping=yes' TERM INT
trap : HUP    # Too early to reload anything
check_capabilities
choose_interfaces "$@"
check_tun
start_switch
make_bridge
start_relay "$@"
wait_for_the_end
