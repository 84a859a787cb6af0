#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# ovs-setup.sh - make this host a relay of broadcasts, a collector host that replicates streams, or
# both: Open vSwitch, a bridge, snowrelayd; and take it back.
#
#     ovs-setup.sh up [--bridge br0] [--uplink IFACE] [--datapath auto|system|netdev]
#                     [--rules FILE] [--confirm SECONDS] [--dry-run] [-- SNOWRELAYD-OPTION...]
#     ovs-setup.sh confirm [--bridge br0]
#     ovs-setup.sh down [--bridge br0] [--dry-run]
#     ovs-setup.sh status [--bridge br0]
#     ovs-setup.sh demo
#
# up      starts Open vSwitch where none runs, makes the bridge, puts the network card IFACE into
#         it, moves the card's addresses and routes to the bridge, and starts snowrelayd with the
#         options after `--`, as the user `snowrelay`, which it makes. What is there already is
#         kept, so `up` may be run again at any time.
#         A step that fails undoes the ones before it. Installs and builds what is missing.
#         --datapath  auto: the kernel's where its module can be loaded, else netdev, in userspace
#         --rules     snowrelayd's configuration file, whose "replicate" says what to copy to whom.
#                     A wrong one is refused before the first step. `up` again applies what has
#                     changed in it. Without --rules, or without `--`, what was given last holds
#         --confirm   undo everything after SECONDS unless `confirm` is run before; for the card
#                     one is logged in through. It holds even if `up` is killed half-way
#         --dry-run   only print the steps
# confirm keeps what `up --confirm` did.
# down    undoes what `up` did, in reverse, and nothing else; with snowrelayd go its flows, groups,
#         meters and tunnel ports, even if it was killed.
# status  shows the bridge, its ports and addresses, snowrelayd's flows, the relay and replication;
#         status 1 and the reason where something is missing.
# demo    shows the whole thing on two hosts in network namespaces, and cleans up.
#
# Every step is printed: `+` is done, `=` was so already, `-` is undone.
#
# The bridge lasts in Open vSwitch's database, the moved addresses only until a reboot: have `up`
# run at boot, or configure the bridge in your network tool.
#
# Environment: OVS_RUNDIR (and OVS_DBDIR, OVS_LOGDIR, which follow it) where Open vSwitch is not in
# its usual folders; SNOWRELAYD, the daemon (build/snowrelayd or snowrelayd beside this script, else
# from PATH).
# State is in $OVS_RUNDIR/snowrelay-setup/BRIDGE/: `undo` is the list of steps to undo, each written
# before its step is done; `addresses.*` and `routes.*` are what the card had; `relay` and `rules`,
# what snowrelayd runs with.

set -u

self=$(readlink -f "$0")
name=${self##*/}    # snowrelay-setup, where a package has installed it
root=$(dirname "$self")
scripts=$root/scripts
[[ -d "$scripts" ]] || scripts=/usr/share/snowrelay
system_rundir=/var/run/openvswitch
ovs_ctl=/usr/share/openvswitch/scripts/ovs-ctl
schema=/usr/share/openvswitch/vswitch.ovsschema
relay_cookie=0x534e4f5700000000/0xffffffff00000000
user_mark="snowrelayd, made by ovs-setup.sh"

command=
bridge=br0
uplink=
datapath=auto
rules=
confirm=
dry_run=
after=
relay_options=()
relay_options_given=

# ---- saying and doing

die() {
    one_line "$*"
    exit 1
}

usage() {
    one_line "$* (see $name --help)"
    exit 2
}

# Whatever there is in what was given
one_line() { printf '%s: %s\n' "$name" "${1//[[:cntrl:]]/?}" >&2; }

# step WORDS CMD...: say it and do it; where it fails, `up` ends, and its exit undoes.
step() {
    local words=$1 status
    shift
    echo "+ $words"
    [[ -z "$dry_run" ]] || return 0
    quietly "$@"
    status=$?
    ((status == 0)) || die "could not $words: $(reason "$status")"
}

# undo_step WORDS CMD...: what goes wrong is said, and the other steps are undone all the same.
undo_step() {
    local words=$1 status
    shift
    echo "- $words"
    [[ -z "$dry_run" ]] || return 0
    quietly "$@"
    status=$?
    ((status == 0)) || echo "$name: could not $words: $(reason "$status")" >&2
    return "$status"
}

# In a shell of its own, lest a trap speak into the file; daemons must not inherit the lock.
quietly() { ("$@") > "$state/output" 2>&1 9>&-; }

reason() {
    local last
    last=$(grep -v -e '^ *$' -e 'server returned an error$' "$state/output" | tail -n 1)
    echo "${last:-it ended with status $1}"
}

already() { echo "= $*"; }

# soon SECONDS CMD...: until CMD succeeds; 1 when it has not in time
soon() {
    local until=$((${EPOCHREALTIME//[!0-9]/} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME//[!0-9]/} < until)) || return 1
        sleep 0.05
    done
}

# ---- the state folder: the lock, and what to undo

use_folders() {
    OVS_RUNDIR=${OVS_RUNDIR:-$system_rundir}
    if in_usual_folders; then
        export OVS_DBDIR=${OVS_DBDIR:-/etc/openvswitch}
        export OVS_LOGDIR=${OVS_LOGDIR:-/var/log/openvswitch}
    else
        export OVS_DBDIR=${OVS_DBDIR:-$OVS_RUNDIR} OVS_LOGDIR=${OVS_LOGDIR:-$OVS_RUNDIR}
    fi
    export OVS_RUNDIR
    state=$OVS_RUNDIR/snowrelay-setup/$bridge
    journal=$state/undo
}

in_usual_folders() { [[ "$(readlink -f "$OVS_RUNDIR")" == "$(readlink -f "$system_rundir")" ]]; }

lock() {
    mkdir -p "${state%/*}" "$OVS_LOGDIR" || die "cannot make ${state%/*}"
    exec 9< "${state%/*}"
    flock -w "${1:-20}" 9
}

lock_or_die() { lock || die "another $name is at work (it holds ${state%/*})"; }

# remember UNDO-STEP ARG...: to be called before the step is done. Undoing a step that was not
# reached must do no harm.
remember() {
    [[ -z "$dry_run" ]] || return 0
    remembered "$*" || echo "$*" >> "$journal" || die "cannot write $journal"
}

# remember_about IFACE ...: unless IFACE is the bridge and will be removed with all its settings
remember_about() { remembered "bridge $1" || remember "${@:2}"; }

remembered() { grep -qxF -- "$1" "$journal" 2> /dev/null; }

remembered_steps() {
    if [[ -e "$journal" ]]; then wc -l < "$journal"; else echo 0; fi
}

# undo_to N: undo all but the first N steps, the last one first
undo_to() {
    local i status=0
    local -a lines=() words
    [[ ! -e "$journal" ]] || mapfile -t lines < "$journal"
    wake_switch
    for ((i = ${#lines[@]} - 1; i >= $1; i--)); do
        read -ra words <<< "${lines[i]}"
        if "undo_${words[0]}" "${words[@]:1}"; then forget "${lines[i]}"; else status=1; fi
    done
    return "$status"
}

forget() {
    [[ -z "$dry_run" ]] || return 0
    grep -vxF -- "$1" "$journal" > "$journal.new"
    mv "$journal.new" "$journal"
}

forget_all() { [[ -n "$dry_run" ]] || rm -rf "$state"; }

# ---- processes: a pid counts only together with the time its process started

identity() {
    local stat
    stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 1
    # shellcheck disable=SC2086 # the words after the name are wanted one by one
    set -- "$1" ${stat##*) }
    [[ "$2" != Z ]] && echo "$1 ${21}"
}

gone() { ! identity "$1" > /dev/null; }

# end_recorded FILE: end the process whose identity the file holds, if it still is that process
end_recorded() {
    local pid start
    read -r pid start 2> /dev/null < "$1" || return 0
    [[ "$(identity "$pid")" == "$pid $start" ]] || return 0
    kill -KILL "$pid"
    soon 5 gone "$pid"
}

# ---- Open vSwitch itself

vsctl() { ovs-vsctl --timeout=10 "$@"; }

ofctl() { ovs-ofctl --timeout=10 -O OpenFlow15 "$@"; }

daemon_runs() { ovs-appctl -T 3 -t "$1" version > /dev/null 2>&1; }

ensure_switch() {
    if switch_runs; then
        already "Open vSwitch is running"
        return
    fi
    case $(way_to_start) in
        service) remember service openvswitch-switch ;;
        ovs-ctl) remember_daemons ;;
        daemons) ensure_database && remember_daemons ;;
    esac
    step "start Open vSwitch in $OVS_RUNDIR" start_switch
}

switch_runs() { daemon_runs ovsdb-server && daemon_runs ovs-vswitchd; }

# ovs-ctl refuses to do without the kernel's datapath.
way_to_start() {
    if in_usual_folders && [[ -d /run/systemd/system ]]; then
        echo service
    elif in_usual_folders && kernel_datapath; then
        echo ovs-ctl
    else
        echo daemons
    fi
}

start_switch() {
    case $(way_to_start) in
        service) systemctl start openvswitch-switch ;;
        ovs-ctl) "$ovs_ctl" start --system-id=random ;;
        daemons) start_daemons ;;
    esac
}

kernel_datapath() { [[ -e /sys/module/openvswitch ]] || modprobe -q openvswitch 2> /dev/null; }

remember_daemons() {
    daemon_runs ovsdb-server || remember daemon ovsdb-server
    daemon_runs ovs-vswitchd || remember daemon ovs-vswitchd
}

ensure_database() {
    [[ ! -e "$OVS_DBDIR/conf.db" ]] || return 0
    remember database "$OVS_DBDIR/conf.db"
    step "make the database $OVS_DBDIR/conf.db" make_database
}

make_database() { mkdir -p "$OVS_DBDIR" && ovsdb-tool create "$OVS_DBDIR/conf.db" "$schema"; }

start_daemons() {
    local options=(--pidfile --detach -vconsole:warn --log-file)
    daemon_runs ovsdb-server ||
        ovsdb-server "${options[@]}" --remote="punix:$OVS_RUNDIR/db.sock" \
            --remote=db:Open_vSwitch,Open_vSwitch,manager_options "$OVS_DBDIR/conf.db" || return
    vsctl --no-wait init || return
    daemon_runs ovs-vswitchd || ovs-vswitchd "${options[@]}"
}

# One that `up` started and that died has to take back its ports and bridge before it goes for good.
wake_switch() {
    [[ -z "$dry_run" ]] && grep -qsE '^(service|daemon) ' "$journal" || return 0
    switch_runs || quietly start_switch
}

undo_service() { undo_step "stop the service $1" systemctl stop "$1"; }

undo_database() { undo_step "remove the database $1" rm -f "$1" "${1%/*}/.${1##*/}.~lock~"; }

undo_daemon() { undo_step "stop $1" stop_daemon "$1"; }

stop_daemon() {
    local pid cleanup=()
    pid=$(cat "$OVS_RUNDIR/$1.pid" 2> /dev/null) && daemon_runs "$1" || return 0
    # Or the kernel keeps a datapath that nobody serves.
    [[ "$1" != ovs-vswitchd ]] || cleanup=(--cleanup)
    ovs-appctl -T 10 -t "$1" exit "${cleanup[@]}" && soon 10 gone "$pid"
}

# ---- the bridge

ensure_bridge() {
    local type
    if vsctl br-exists "$bridge" 2> /dev/null; then
        already "bridge $bridge is there, with the $(bridge_type) datapath"
        # The mark is in the database, like the bridge: it is ours even after a reboot.
        [[ "$(bridge_mark)" != made ]] || remember bridge "$bridge"
    else
        type=$(wanted_datapath) || exit
        remember bridge "$bridge"
        step "make bridge $bridge with the $type datapath" make_bridge "$type"
    fi
    ensure_link_up "$bridge"
    ensure_whole_checksums
}

wanted_datapath() {
    case $datapath in
        netdev) echo netdev ;;
        auto) if kernel_datapath; then echo system; else echo netdev; fi ;;
        system)
            kernel_datapath || die "--datapath system: the kernel has no openvswitch module"
            echo system
            ;;
    esac
}

make_bridge() {
    vsctl add-br "$bridge" -- set Bridge "$bridge" datapath_type="$1" \
        external-ids:snowrelay-setup=made && [[ -e "/sys/class/net/$bridge" ]]
}

bridge_type() {
    local type
    type=$(vsctl get Bridge "$bridge" datapath_type 2> /dev/null | tr -d '"')
    echo "${type:-system}"
}

bridge_mark() { vsctl --if-exists get Bridge "$bridge" external-ids:snowrelay-setup 2> /dev/null; }

undo_bridge() { undo_step "remove bridge $1" vsctl_even_without_switch --if-exists del-br "$1"; }

# With ovs-vswitchd gone, ovs-vsctl would wait for it in vain.
vsctl_even_without_switch() {
    if daemon_runs ovs-vswitchd; then vsctl "$@"; else vsctl --no-wait "$@"; fi
}

ensure_link_up() {
    link_is_up "$1" && return
    remember_about "$1" link_down "$1"
    step "set $1 up" ip link set "$1" up
}

link_is_up() { [[ -n "$(ip -br link show dev "$1" up 2> /dev/null)" ]]; }

undo_link_down() {
    [[ ! -e "/sys/class/net/$1" ]] || undo_step "set $1 down" ip link set "$1" down
}

# The userspace datapath sends frames as it gets them: a UDP or TCP checksum that the kernel left to
# a network card would stay half done, and the receiver would drop the frame.
ensure_whole_checksums() {
    if [[ "$(bridge_type)" == netdev ]] && has_checksum_offload; then
        remember_about "$bridge" checksum_offload "$bridge"
        step "let the kernel complete the checksums of $bridge" ethtool -K "$bridge" tx off
    fi
}

has_checksum_offload() { ethtool -k "$bridge" 2> /dev/null | grep -q '^tx-checksumming: on'; }

undo_checksum_offload() {
    [[ ! -e "/sys/class/net/$1" ]] ||
        undo_step "leave the checksums of $1 to the card again" ethtool -K "$1" tx on
}

# ---- the uplink: a card becomes a port, and the bridge what the card was

check_uplink() {
    local owner master
    [[ -n "$uplink" ]] || return 0
    [[ "$uplink" != "$bridge" ]] || die "--uplink $uplink: it is the bridge itself"
    [[ -e "/sys/class/net/$uplink" ]] || die "--uplink $uplink: no such network interface"
    [[ "$uplink" != lo ]] || die "--uplink lo: the loopback cannot be a port of a bridge"
    owner=$(ovs-vsctl --timeout=3 iface-to-br "$uplink" 2> /dev/null)
    [[ -z "$owner" || "$owner" == "$bridge" ]] ||
        die "--uplink $uplink: it is a port of bridge $owner already"
    master=$(readlink "/sys/class/net/$uplink/master")
    [[ -z "$master" || "${master##*/}" == ovs-system ]] ||
        die "--uplink $uplink: it belongs to ${master##*/} already"
    ! { list_routes 4 && list_routes 6; } | using "$uplink" | grep -qw nhid ||
        die "--uplink $uplink: has routes with nexthop objects, which cannot be moved"
    owner=$(uplink_moved)
    [[ -z "$owner" || "$owner" == "$uplink" ]] ||
        die "--uplink $uplink: $bridge has the uplink $owner already"
    warn_of_manager
}

# The card whose addresses an earlier `up` moved
uplink_moved() { sed -n 's/^addresses \([^ ]*\) .*/\1/p' "$journal" 2> /dev/null; }

ensure_uplink() {
    [[ -n "$uplink" ]] || return 0
    ensure_link_up "$uplink"
    save_addresses
    ensure_mac
    # The card still hands every frame it receives to the kernel, besides the bridge. Without these
    # two settings the host would see each of them twice. The first one bites once the routes have
    # moved, the second one would take the addresses with it.
    ensure_sysctl "net/ipv4/conf/$uplink/rp_filter" 1
    ensure_port
    ensure_addresses_moved
    ensure_sysctl "net/ipv6/conf/$uplink/disable_ipv6" 1
}

# With the card's MAC the neighbours need not learn anything.
ensure_mac() {
    local mac old
    mac=$(< "/sys/class/net/$uplink/address")
    old=$(vsctl get Bridge "$bridge" other-config:hwaddr 2> /dev/null | tr -d '"')
    [[ "$old" != "$mac" ]] || return 0
    remember_about "$bridge" mac "$bridge" "${old:--}"
    step "give $bridge the MAC of $uplink, $mac" \
        vsctl set Bridge "$bridge" other-config:hwaddr="\"$mac\""
}

undo_mac() {
    if [[ "$2" == - ]]; then
        undo_step "give $1 back its own MAC" vsctl_even_without_switch \
            --if-exists remove Bridge "$1" other-config hwaddr
    else
        undo_step "give $1 back the MAC $2" vsctl_even_without_switch \
            --if-exists set Bridge "$1" other-config:hwaddr="\"$2\""
    fi
}

ensure_port() {
    if [[ "$(vsctl iface-to-br "$uplink" 2> /dev/null)" == "$bridge" ]]; then
        already "$uplink is a port of $bridge"
        [[ "$(port_mark)" != made ]] || remember port "$bridge" "$uplink"
    else
        remember_promiscuity
        remember port "$bridge" "$uplink"
        step "put $uplink into $bridge" vsctl add-port "$bridge" "$uplink" \
            -- set Port "$uplink" external-ids:snowrelay-setup=made
    fi
}

# A switch that dies leaves the card promiscuous, and its successor takes that for the card's way.
remember_promiscuity() { is_promiscuous "$uplink" || remember promiscuity "$uplink"; }

is_promiscuous() { (($(< "/sys/class/net/$1/flags") & 0x100)); }

undo_promiscuity() {
    if [[ -e "/sys/class/net/$1" ]] && is_promiscuous "$1"; then
        undo_step "let $1 no longer listen to everything" ip link set "$1" promisc off
    fi
}

port_mark() { vsctl --if-exists get Port "$uplink" external-ids:snowrelay-setup 2> /dev/null; }

undo_port() {
    undo_step "take $2 out of $1" vsctl_even_without_switch --if-exists del-port "$1" "$2"
}

ensure_sysctl() {
    local file=/proc/sys/$1 old
    old=$(cat "$file" 2> /dev/null) || return 0
    [[ "$old" == 0 ]] || return 0
    remember sysctl "$1" "$old"
    step "set $1 to $2" write "$file" "$2"
}

write() { echo "$2" > "$1"; }

undo_sysctl() {
    [[ ! -e "/proc/sys/$1" ]] || undo_step "set $1 back to $2" write "/proc/sys/$1" "$2"
}

# ---- addresses and routes, listed in the very words that `ip address` and `ip route` take

ensure_addresses_moved() {
    if remembered "addresses $uplink $bridge" && addresses_are_on "$bridge"; then
        already "the addresses of $uplink are on $bridge"
        return
    fi
    remember addresses "$uplink" "$bridge"
    step "move from $uplink to $bridge:$(in_short)" move_addresses "$uplink" "$bridge"
}

undo_addresses() {
    [[ -e "/sys/class/net/$1" ]] || return 0
    uplink=$1
    undo_step "move back from $2 to $1:$(in_short)" move_addresses "$2" "$1"
}

save_addresses() {
    local family
    [[ -z "$dry_run" && ! -e "$state/saved" ]] || return 0
    for family in 4 6; do
        list_addresses "$family" "$uplink" > "$state/addresses.$family"
        list_routes "$family" | using "$uplink" > "$state/routes.$family"
    done
    touch "$state/saved" || die "cannot save the addresses of $uplink in $state"
}

in_short() {
    if [[ -e "$state/saved" ]]; then
        cat "$state"/addresses.[46] "$state"/routes.[46]
    else
        list_addresses 4 "$uplink"
        list_addresses 6 "$uplink"
        { list_routes 4; list_routes 6; } | using "$uplink"
    fi | awk '/ dev / { routes++; next }
              !/^fe80:/ { printf " %s,", $1 }
              END { print " " routes + 0 (routes == 1 ? " route" : " routes") }'
}

# Temporary addresses are left out: the kernel makes them, on the bridge too.
list_addresses() {
    ip -o -"$1" address show dev "$2" 2> /dev/null | awk -v dev="$2" '
        / temporary / { next }
        {
            line = $4
            for (i = 5; i <= NF; i++) {
                sub(/\\$/, "", $i)
                if ($i ~ /^[0-9]+sec$/) sub(/sec$/, "", $i)
                if (index($i, dev ":") == 1) line = line " label"
                if ($i != "" && $i != dev && !($i in flags)) line = line " " $i
            }
            print line
        }
        BEGIN {
            split("secondary dynamic permanent deprecated stable-privacy tentative dadfailed", of)
            for (i in of) flags[of[i]]
            flags["optimistic"]
        }'
}

# Of all tables, but not what the kernel derives from addresses in its table "local".
list_routes() {
    ip -o -"$1" route show table all 2> /dev/null | awk '
        / table local / || /^(local|broadcast|anycast|multicast) / { next }
        /^fe80::\/64 dev [^ ]+ proto kernel / { next }
        {
            gsub(/\\/, " ")
            line = $1
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^(linkdown|dead|offload|trap|rt_offload|rt_trap)$/) continue
                if ($(i - 1) == "expires") sub(/sec$/, "", $i)
                line = line " " $i
            }
            print line
        }'
}

# Those of the routes in the input that go out of DEV
using() {
    awk -v dev="$1" '{ for (i = 2; i <= NF; i++) if ($(i - 1) == "dev" && $i == dev) hit = NR }
                     hit == NR'
}

# saved addresses|routes FAMILY DEV: what the uplink had, as it reads on DEV, with what is left of
# its lifetimes now
saved() {
    local age=$(($(date +%s) - $(stat -c %Y "$state/saved")))
    awk -v from="$uplink" -v to="$3" -v age="$age" '
        {
            for (i = 2; i <= NF; i++) {
                word = $(i - 1)
                if (word == "dev" && $i == from) $i = to
                if (word == "label") $i = substr(to substr($i, length(from) + 1), 1, 15)
                if (word ~ /^(valid_lft|preferred_lft|expires)$/ && $i != "forever") {
                    $i -= age
                    if ($i <= 0 && word != "preferred_lft") next
                    if ($i < 0) $i = 0
                }
            }
            print
        }' "$state/$1.$2"
}

# A link-local address belongs to its link: the bridge makes its own, and the card gets its back.
saved_for() {
    if [[ "$2" == "$uplink" ]]; then
        saved addresses "$1" "$2"
    else
        saved addresses "$1" "$2" | without_link_local
    fi
}

without_link_local() { grep -v '^fe[89ab][0-9a-f]:.* scope link'; }

# move_addresses FROM TO: leaves both as if what was saved had always been on TO. What ip complains
# about on the way (gone already, there already) does not matter: the outcome is checked.
move_addresses() {
    local family wanted batch missing=
    for family in 4 6; do
        wanted=$(wanted_routes "$family" "$1" "$2")
        batch=$(leave "$family" "$1" && arrive "$family" "$2")
        ip_batch "$family" <<< "$batch"
        batch=$(correct_routes "$family" "$2" "$wanted")
        ip_batch "$family" <<< "$batch"
        missing+=$(lines_not_in "$(list_routes "$family")" <<< "$wanted")
    done
    addresses_are_on "$2" || missing="the addresses, not all of them"
    [[ -z "$missing" ]] || { echo "did not arrive: $missing" && return 1; }
}

ip_batch() { ip -"$1" -force -batch - > /dev/null 2>&1; }

# The last address first: secondary ones go with their primary.
leave() {
    saved routes "$1" "$2" | sed 's/^/route delete /'
    saved addresses "$1" "$2" | without_link_local | tac |
        sed -E "s/^([^ ]+( peer [^ ]+)?).*/address delete \1 dev $2/"
}

# In an order that makes the kernel list them as before: IPv6 addresses go to the head of its list.
# Looking for duplicates would keep an IPv6 address silent for a second, so it is left out; then
# the flag that says so is taken off again.
arrive() {
    if [[ "$1" == 4 ]]; then
        saved_for 4 "$2" | sed "s/.*/address replace & dev $2/"
    else
        saved_for 6 "$2" | tac | sed "s/ nodad\b//; s/.*/address replace & nodad dev $2/"
        saved_for 6 "$2" | grep -vw nodad | sed "s/.*/address change & dev $2/"
    fi
}

# What there is, other devices included, with what leaves FROM arriving on TO. Other devices, since
# routes with `src ADDRESS` go wherever they are when the address goes.
wanted_routes() {
    list_routes "$1" | lines_not_in "$(saved routes "$1" "$2")"
    saved routes "$1" "$3"
}

# Routes through a gateway come last, for the way to the gateway has to be there.
correct_routes() {
    local now missing
    now=$(list_routes "$1")
    missing=$(lines_not_in "$now" <<< "$3")
    using "$2" <<< "$now" | grep ' proto kernel ' | lines_not_in "$3" | sed 's/^/route delete /'
    grep -v ' via ' <<< "$missing" | sed -n 's/^./route append &/p'
    grep ' via ' <<< "$missing" | sed 's/^/route append /'
}

# lines_not_in LINES: the lines of the input that are not among LINES, time running out set aside
lines_not_in() {
    lines=$1 awk '
        function key(line) { sub(/ expires [0-9]+/, "", line); return line }
        BEGIN { n = split(ENVIRON["lines"], of, "\n"); for (i = 1; i <= n; i++) known[key(of[i])] }
        $0 != "" && !(key($0) in known)'
}

addresses_are_on() {
    local family there
    for family in 4 6; do
        there=$(list_addresses "$family" "$1" | cut -d ' ' -f 1)
        [[ -z "$(saved_for "$family" "$1" | cut -d ' ' -f 1 | lines_not_in "$there")" ]] || return 1
    done
}

warn_of_manager() {
    local manager
    manager=$(manager_of_uplink)
    [[ -z "$manager" ]] ||
        echo "Beware: $manager manages $uplink and may give it its address back: tell it to leave" \
            "$uplink alone, and to manage $bridge if it should."
}

manager_of_uplink() {
    local file comm
    if command -v nmcli > /dev/null &&
        nmcli -t -g GENERAL.STATE device show "$uplink" 2> /dev/null | grep -q '^100'; then
        echo NetworkManager
    elif grep -qs '^ADMIN_STATE=configured' "/run/systemd/netif/links/$(ifindex "$uplink")"; then
        echo systemd-networkd
    fi
    for file in /proc/[0-9]*/comm; do
        comm=$(cat "$file" 2> /dev/null)
        [[ "$comm" =~ ^(dhclient|dhcpcd|udhcpc)$ ]] || continue
        # Not one of another network namespace
        [[ "$(readlink "${file%comm}ns/net")" == "$(readlink /proc/self/ns/net)" ]] || continue
        ! tr '\0' '\n' < "${file%comm}cmdline" | grep -qxF "$uplink" || echo "$comm"
    done | head -n 1
}

ifindex() { cat "/sys/class/net/$1/ifindex" 2> /dev/null; }

# ---- the relay

find_daemon() {
    daemon=${SNOWRELAYD:-$root/build/snowrelayd}
    [[ -n "${SNOWRELAYD:-}" || -x "$daemon" ]] || daemon=$root/snowrelayd
    [[ -n "${SNOWRELAYD:-}" || -x "$daemon" ]] ||
        daemon=$(command -v snowrelayd || echo "$root/build/snowrelayd")
}

ensure_daemon() {
    find_daemon
    [[ ! -x "$daemon" ]] || return 0
    [[ -z "${SNOWRELAYD:-}" ]] || die "SNOWRELAYD=$SNOWRELAYD: no such program"
    [[ -e "$root/Makefile" ]] || die "there is no snowrelayd, neither in PATH nor in $root/build"
    build
}

# With their output: it takes a minute the first time.
build() {
    echo "+ install what is missing and build snowrelayd"
    [[ -z "$dry_run" ]] || return 0
    "$scripts/install-deps.sh" || die "could not install what is missing"
    make -C "$root" || die "could not build snowrelayd"
}

# What `up` is not given, rules or options after `--`, stays as it was given last.
choose_options() {
    local path=
    relay_before=() rules_sum_before='' rules_sum=''
    [[ ! -e "$state/relay" ]] || mapfile -d '' -t relay_before < "$state/relay"
    [[ ! -e "$state/rules" ]] || read -r rules_sum_before path < "$state/rules"
    [[ -n "$relay_options_given" ]] || relay_options=("${relay_before[@]:${path:+2}}")
    if [[ " ${relay_options[*]}" == *' --co'* ]]; then
        [[ -z "$rules" ]] || usage "--rules $rules and --config after \`--\` exclude each other"
    else
        rules=${rules:-$path}
    fi
    relay_line=(${rules:+--config "$rules"} "${relay_options[@]}")
    [[ -n "$rules" ]] || return 0
    [[ -f "$rules" && -r "$rules" ]] || die "--rules $rules: no such file, or it cannot be read"
}

check_options() {
    local said named status=0
    [[ -x "$daemon" ]] && ((${#relay_line[@]} > 0)) || return 0
    [[ -z "$rules" ]] || read -r rules_sum _ < <(sha256sum < "$rules")
    said=$("$daemon" "${relay_line[@]}" --check-config 2>&1) || status=$?
    if [[ -z "$rules" ]]; then
        # Of 2 it is sure that it would not start either.
        ((status != 2)) || { one_line "$(tail -n 1 <<< "$said")" && exit 2; }
        return 0
    fi
    ((status == 0)) || die "$(tail -n 1 <<< "${said:-$daemon --check-config failed}")"
    named=$(sed -n 's/^ *"bridge": "\(.*\)".*/\1/p' <<< "$said")
    [[ "${named:-br0}" =~ ^(br0|"$bridge")$ ]] ||
        die "--rules $rules: it is for bridge $named, so say --bridge $named"
}

# ---- its user: snowrelayd started by root becomes the user `snowrelay` if there is one

ensure_user() {
    case $(user_comment) in
        '')
            remember user snowrelay
            step "make the system user snowrelay" make_user
            ;;
        # Made for another bridge, or before a reboot: the mark is in the user database.
        "$user_mark")
            remember user snowrelay
            already "the user snowrelay is there"
            ;;
        *) already "the user snowrelay is there" ;;
    esac
}

# The comment of the user; a word if it has none, nothing if there is no such user
user_comment() { getent passwd snowrelay | awk -F : '{ print ($5 == "" ? "none" : $5) }'; }

make_user() {
    useradd --system --user-group --no-create-home --home-dir /nonexistent \
        --shell "$(command -v nologin || echo /usr/sbin/nologin)" --comment "$user_mark" snowrelay
}

# The last bridge that has it takes it away. With --force, or a process that has ended and that
# nobody has asked for its status would keep it.
undo_user() {
    [[ "$(user_comment)" == "$user_mark" ]] || return 0
    if user_is_wanted "$1"; then
        already "the user $1 stays, since it is in use"
    else
        undo_step "remove the user $1" userdel --force "$1"
    fi
}

user_is_wanted() {
    local other
    for other in "${state%/*}"/*/undo; do
        [[ "$other" == "$journal" ]] || ! grep -qsxF "user $1" "$other" || return 0
    done
    ps -o stat= -u "$1" 2> /dev/null | awk '!/^Z/ { n++ } END { exit !n }'
}

# Before anything is moved, and once more by who starts it
check_other_relay() {
    ! relay_runs || remembered relay ||
        die "snowrelayd runs already (pid $(relay_pid)) and was not started by this script"
}

ensure_relay() {
    check_other_relay
    if ! relay_runs; then
        remember relay
        start_relay "${relay_line[@]}"
    elif [[ "${relay_before[*]@Q}" != "${relay_line[*]@Q}" ]]; then
        relay_to_return_to=("${relay_before[@]}")
        step "stop snowrelayd, whose options have changed" stop_relay
        start_relay "${relay_line[@]}"
    elif [[ "$rules_sum" != "$rules_sum_before" ]]; then
        note_ids
        step "apply $rules, which has changed" ovs-appctl -T 10 -t snowrelayd config/reload
        record_relay
    else
        already "snowrelayd is running (pid $(relay_pid))"
    fi
}

start_relay() {
    local daemon_line=("$daemon" -t "$bridge" --pidfile --detach --log-file "$@")
    note_ids
    step "start ${daemon_line[*]}" "${daemon_line[@]}"
    step "see it serve $bridge" wait_for_relay
    record_relay
}

# The first of the ids of its 257 groups and 256 meters, before snowrelayd uses them
note_ids() {
    [[ -n "$dry_run" ]] || timeout 5 "$daemon" "${relay_line[@]}" --check-config 2> /dev/null |
        sed -n 's/^ *"id_base": \([0-9]*\).*/\1/p' >> "$state/ids"
}

record_relay() {
    [[ -z "$dry_run" ]] || return 0
    { ((${#relay_line[@]} == 0)) || printf '%s\0' "${relay_line[@]}"; } > "$state/relay"
    echo "$rules_sum $rules" > "$state/rules"
    sed -i '$!d' "$state/ids"
}

wait_for_relay() {
    soon 10 relay_serves && return
    echo "not within 10 s; its log is $OVS_LOGDIR/snowrelayd.log"
    return 1
}

relay_pid() { cat "$OVS_RUNDIR/snowrelayd.pid" 2> /dev/null; }

relay_runs() {
    local pid
    pid=$(relay_pid) && grep -qsaF snowrelayd "/proc/$pid/cmdline" && ! gone "$pid"
}

relay_serves() { relay_status | grep -q '"connected": *true'; }

relays_nothing() { relay_status | grep -q '"ports": *\[\]'; }

relay_status() { ovs-appctl -T 3 -t snowrelayd status json 2> /dev/null; }

# stop_relay [--cleanup]: copies go on in the switch without --cleanup
stop_relay() {
    local pid
    relay_runs || return 0
    pid=$(relay_pid)
    ovs-appctl -T 3 -t snowrelayd exit "$@"
    soon 3 gone "$pid" || kill -TERM "$pid"
    soon 3 gone "$pid" || kill -KILL "$pid"
    soon 3 gone "$pid"
}

undo_relay() {
    local left
    undo_step "stop snowrelayd" stop_relay --cleanup || return
    # With a bridge that `up` made goes all that is on it.
    ! remembered "bridge $bridge" && ! relay_runs || return 0
    left=$(leftovers)
    [[ -z "$left" ]] || undo_step "remove what snowrelayd left on $bridge" run_each "$left"
}

# What snowrelayd has on the bridge, as the commands that remove it, one a line
leftovers() {
    vsctl_even_without_switch br-exists "$bridge" 2> /dev/null
    case $? in
        0) ;;
        2) return ;;    # No bridge, nothing left; otherwise the database does not answer.
        *) echo "vsctl_even_without_switch br-exists $bridge" && return ;;
    esac
    if daemon_runs ovs-vswitchd; then
        ! relay_flows | grep -q . || echo "ofctl del-flows $bridge cookie=$relay_cookie"
        { ofctl dump-groups "$bridge"; ofctl dump-meters "$bridge"; } |
            sed -nE "s/^ *(group|meter)(_id)?=([0-9]+).*/\3 ofctl del-\1s $bridge \1\2=\3/p" |
            awk -v bases="$(grep -s . "$state/ids" || echo 5459456)" '
                BEGIN { split(bases, base) }
                { n = $3 == "del-groups" ? 257 : 256 }
                { for (i in base) if ($1 >= base[i] && $1 < base[i] + n) print $2, $3, $4, $5 }'
    fi
    vsctl_even_without_switch list-ports "$bridge" | grep -xFf <(
        for use in replicate mesh; do
            vsctl_even_without_switch -d bare --no-headings --columns=name \
                find Port "external_ids:snowrelay=$use"
        done | grep .) | sed "s/^/vsctl_even_without_switch del-port $bridge /"
}

run_each() {
    local status=0
    local -a words
    while read -ra words; do "${words[@]}" || status=1; done <<< "$1"
    return "$status"
}

# ---- up

do_up() {
    wanted_datapath > /dev/null || exit
    check_uplink
    choose_options
    check_other_relay
    ensure_daemon
    check_options
    begin
    start_watchdog
    ensure_switch
    ensure_bridge
    ensure_uplink
    ensure_user
    ensure_relay
    finish
    warn_of_sysctls
}

begin() {
    [[ -n "$uplink" ]] || uplink=$(uplink_moved)
    [[ -z "$dry_run" ]] || return 0
    lock_or_die
    relay_to_return_to=()
    steps_before=$(remembered_steps)
    trap undo_unfinished EXIT
    trap 'echo; die interrupted' INT TERM HUP PIPE
    mkdir -p "$state" || die "cannot make $state"
    identity $$ > "$state/up"
}

finish() {
    [[ -z "$dry_run" ]] || return 0
    trap - EXIT INT TERM HUP PIPE
    touch "$state/complete"
    rm -f "$state/up"
    if [[ -e "$state/watchdog" ]]; then
        echo "All is undone after ${confirm:-a few} s unless you run: $0 confirm --bridge $bridge"
    fi
}

# Settings of the kernel that cost copies are for the host's owner to change.
warn_of_sysctls() {
    [[ -n "$dry_run" ]] || ovs-appctl -T 5 -t snowrelayd replicate/show 2> /dev/null |
        sed -nE 's/^ *(dropped.* net\.ipv[46]\.)/Beware: copies are \1/p' | sort -u
}

# What was begun to be undone is undone, terminal or not.
uninterruptible() { trap '' INT TERM HUP PIPE; }

# What this run did, that is: what an earlier one did was good and stays.
undo_unfinished() {
    uninterruptible
    echo "Undoing what was done"
    undo_to "$steps_before"
    if ((${#relay_to_return_to[@]} > 0)) && ! relay_runs; then
        if ! quietly "$daemon" -t "$bridge" --pidfile --detach --log-file "${relay_to_return_to[@]}" ||
            ! soon 10 relay_serves; then
            echo "snowrelayd does not serve $bridge again; its log is $OVS_LOGDIR/snowrelayd.log"
        fi
    fi
    if (($(remembered_steps) == 0)); then
        end_recorded "$state/watchdog"
        forget_all
    fi
    exit 1
}

# ---- the watchdog of --confirm: a session of its own, so that it outlives the terminal and `up`

start_watchdog() {
    [[ -n "$confirm" ]] || return 0
    if [[ -e "$state/complete" && ! -e "$state/watchdog" ]]; then
        already "$bridge is up and confirmed: nothing to confirm"
    elif [[ -e "$state/watchdog" ]]; then
        already "$bridge waits for confirmation"
    else
        step "undo everything in $confirm s unless confirmed" spawn_watchdog
    fi
}

spawn_watchdog() {
    setsid "$self" watch --bridge "$bridge" --after "$confirm" \
        < /dev/null >> "$OVS_LOGDIR/snowrelay-setup.log" 2>&1 9>&- &
    soon 5 test -s "$state/watchdog"
}

do_watch() {
    identity $$ > "$state/watchdog"
    # Waits without a child that would have to be ended, too.
    read -rt "$after" <> <(:)
    echo "$(date '+%F %T') not confirmed within $after s: undoing"
    uninterruptible
    lock 5 || { end_recorded "$state/up" && lock; }
    rm -f "$state/watchdog"
    undo_to 0 && forget_all
}

do_confirm() {
    lock_or_die
    [[ -e "$journal" ]] || die "nothing to confirm: $bridge is not up, or has been undone"
    if [[ -e "$state/watchdog" ]]; then
        end_recorded "$state/watchdog"
        rm -f "$state/watchdog"
        echo "Confirmed: $bridge stays as it is"
    else
        already "$bridge waits for no confirmation"
    fi
}

# ---- down

do_down() {
    [[ -n "$dry_run" ]] || lock_or_die
    if [[ ! -e "$journal" ]]; then
        already "nothing to undo for $bridge"
        return
    fi
    uninterruptible
    [[ -n "$dry_run" ]] || end_recorded "$state/watchdog"
    undo_to 0 || die "not all could be undone; run down again"
    forget_all
}

# ---- status

do_status() {
    missing=()
    if ! daemon_runs ovs-vswitchd; then
        die "Open vSwitch is not running in $OVS_RUNDIR"
    fi
    vsctl br-exists "$bridge" || die "there is no bridge $bridge"
    show_bridge
    show_flows
    show_relay
    ((${#missing[@]} == 0)) || die "missing: $(IFS=';' && echo "${missing[*]}")"
}

show_bridge() {
    echo "Bridge $bridge, $(bridge_type) datapath, MAC $(cat "/sys/class/net/$bridge/address")"
    echo "Ports, by their OpenFlow number"
    ofctl show "$bridge" | sed -nE 's/^ +([0-9]+|LOCAL)\((.*)\): .*/    \1 \2/p'
    echo "Addresses"
    { list_addresses 4 "$bridge" && list_addresses 6 "$bridge"; } |
        awk '{ print "    " $1 ($2 == "peer" ? " peer " $3 : "") }'
    link_is_up "$bridge" || missing+=("$bridge is down")
    [[ "$(bridge_type)" != netdev ]] || ! has_checksum_offload ||
        missing+=("checksums of $bridge are left half done: run up")
    uplink=$(uplink_moved)
    [[ -n "$uplink" ]] || return
    [[ "$(vsctl iface-to-br "$uplink" 2> /dev/null)" == "$bridge" ]] ||
        missing+=("$uplink is not in $bridge: run up")
    addresses_are_on "$bridge" || missing+=("addresses of $uplink are not on $bridge: run up")
}

show_flows() {
    echo "Flows of snowrelayd"
    relay_flows
    relay_flows | grep -q . || relays_nothing || missing+=("flows of snowrelayd")
}

relay_flows() {
    ofctl dump-flows "$bridge" "cookie=$relay_cookie" |
        sed -nE 's/^ cookie=[^,]*, duration=[^,]*, /    /p'
}

show_relay() {
    echo "Relay"
    if relay_runs; then
        ovs-appctl -T 3 -t snowrelayd status 2>&1 | sed 's/^/    /'
        relay_serves || missing+=("snowrelayd is not connected to $bridge")
    else
        echo "    not running"
        missing+=("snowrelayd is not running: run up")
    fi
    [[ ! -e "$state/watchdog" ]] || echo "All is undone soon unless confirmed: $0 confirm"
}

# ---- demo

# What a package has installed installs nothing itself.
need_programs() {
    local program lacking=
    for program in jq socat tcpdump; do
        command -v "$program" > /dev/null || lacking+=" $program"
    done
    [[ -z "$lacking" ]] || die "demo needs programs that are not installed:$lacking"
}

do_demo() {
    if [[ -e "$root/Makefile" ]]; then "$scripts/install-deps.sh"; else need_programs; fi
    find_daemon
    [[ -x "$daemon" ]] || build
    export SNOWRELAYD=$daemon
    # shellcheck source=scripts/lab.sh
    . "$scripts/lab.sh"
    # shellcheck source=scripts/demo.sh
    . "$scripts/demo.sh"
    user_before=$(user_comment)
    trap demo_end EXIT
    trap 'echo; exit 130' INT TERM HUP
    set -e -o pipefail
    demo
}

# ---- the command line

help() {
    sed -n '3,/^$/s/^# \{0,1\}//p' "$self" | sed "s/ovs-setup\.sh/$name/g"
    exit 0
}

parse() {
    case ${1:-} in
        up | confirm | down | status | demo | watch) command=$1 ;;
        -h | --help) help ;;
        '') usage "say what to do: up, confirm, down, status or demo" ;;
        *) usage "unknown command $1" ;;
    esac
    shift
    while (($# > 0)); do
        case $1 in
            --dry-run=* | --help=*) usage "${1%%=*} takes no value, but there is '${1#*=}'" ;;
            --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
        esac
        case "$command $1" in
            *' -h' | *' --help') help ;;
            'up --dry-run' | 'down --dry-run') dry_run=yes && shift && continue ;;
            'up --') relay_options=("${@:2}") relay_options_given=yes && break ;;
            demo\ *) usage "demo takes no options, but there is $1" ;;
            *' --bridge' | 'up --uplink' | 'up --datapath' | 'up --rules' | 'up --confirm' | \
                'watch --after') ;;
            *) usage "$command has no option $1" ;;
        esac
        (($# >= 2)) || usage "$1 wants a value"
        set_option "$1" "$2"
        shift 2
    done
    [[ "$command" != watch || -n "$after" ]] || usage "watch is for up --confirm to run"
}

set_option() {
    case $1 in
        --bridge | --uplink)
            [[ "$2" =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$ ]] ||
                usage "$1 wants the name of a network interface, not '$2'"
            ;;
        --rules)
            [[ -n "$2" ]] || usage "--rules wants a file"
            set -- "$1" "$(realpath -sm -- "$2")"
            ;;
        --datapath)
            [[ "$2" =~ ^(auto|system|netdev)$ ]] ||
                usage "--datapath is auto, system or netdev, not '$2'"
            ;;
        --confirm | --after)
            [[ "$2" =~ ^[1-9][0-9]{0,5}$ ]] || usage "$1 wants a number of seconds, not '$2'"
            ;;
    esac
    printf -v "${1#--}" %s "$2"
}

parse "$@"
[[ $EUID == 0 ]] || die "$command wants to be run as root"
use_folders
"do_$command"
