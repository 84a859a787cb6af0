#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# ovs-setup.sh on a host of the lab, h1, whose card eth0 becomes the uplink of br0. Its neighbour h2
# is on the same wire. What h1 had before `up` it must have again after `down`, to the letter.

ROOT=$BATS_TEST_DIRNAME/../..

setup() {
    # shellcheck source=scripts/lab.sh
    . "$ROOT/scripts/lab.sh"
    lab_init
    lab_host 1 --bare
    lab_host 2 --bare
    before=$(belongings)
}

teardown() { lab_destroy; }

on_h1() { lab_on h1 "$@"; }

# Without the descriptor by which bats waits for everybody to be done.
setup_sh() { on_h1 "$ROOT/ovs-setup.sh" "$@" 3>&-; }

up() { setup_sh up --uplink eth0 "$@" -- --other-relays 172.30.0.2; }

# What a host has, but for how many seconds are left of a lifetime.
belongings() {
    {
        on_h1 ip -details -4 address
        on_h1 ip -details -6 address
        on_h1 ip -4 route show table all
        on_h1 ip -6 route show table all
        on_h1 sysctl net.ipv4.conf.eth0.rp_filter net.ipv6.conf.eth0.disable_ipv6
    } | sed -E 's/[0-9]+sec/Nsec/g'
}

# Shows the difference where there is one.
is_as_before() { diff <(echo "$before") <(belongings); }

runs_nothing() {
    local pids
    pids=$(ip netns pids "$LAB-h1")
    [ -z "$pids" ] || ps -o pid,args -p "$pids"
    [ -z "$pids" ]
}

has() { [[ "$(on_h1 ip address show dev "$1")" == *"$2"* ]]; }

has_not() { ! has "$@"; }

restored() { is_as_before > /dev/null && runs_nothing > /dev/null; }

# stand_in NAME: what follows on the standard input is run instead of the program NAME
stand_in() {
    mkdir -p "$BATS_TEST_TMPDIR/bin"
    { echo '#!/bin/bash' && cat; } > "$BATS_TEST_TMPDIR/bin/$1"
    chmod +x "$BATS_TEST_TMPDIR/bin/$1"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

both_listen_on_7777() { [ "$(on_h1 ss -Hlun sport = :7777 | wc -l)" -eq 2 ]; }

one_line() { [ "${#lines[@]}" -eq 1 ] && [[ "$output" == "ovs-setup.sh: "* ]]; }

@test "up moves the card's addresses and routes to the bridge, down moves them back" {
    on_h1 ip -batch - << 'END'
address add 172.30.0.78/24 dev eth0
address add 10.99.0.1/24 brd 10.99.0.255 dev eth0 label eth0:x
address add 10.98.0.1/24 dev eth0 metric 7 valid_lft 1000 preferred_lft 500
address add 10.97.0.1 peer 10.97.0.2/32 scope link dev eth0
address add fd31::1/64 dev eth0 noprefixroute
address add fd32::1/64 dev eth0 valid_lft 1000 preferred_lft 500
route add default via 172.30.0.2 metric 50 proto static
route add 10.66.0.0/24 nexthop via 172.30.0.2 weight 1 nexthop via 172.30.0.3 weight 2
route add 10.67.0.0/24 via 172.30.0.2 table 100 src 172.30.0.78 mtu 1400
route add 10.68.0.0/24 dev lo src 172.30.0.1
route add 172.31.0.0/24 dev eth0
route add 10.69.0.0/24 via 172.31.0.7
route add default via fd30::2 metric 50 proto static
route add fd66::/64 via fd30::2 expires 1000
END
    before=$(belongings)

    up
    has br0 "172.30.0.1/24 brd 172.30.0.255"
    has br0 "scope global br0:x"
    has br0 fd30::1/64
    has_not eth0 inet
    [ "$(on_h1 ip route show default)" = "default via 172.30.0.2 dev br0 proto static metric 50 " ]
    [[ "$(on_h1 ip route show table 100)" == *"172.30.0.2 dev br0 src 172.30.0.78 mtu 1400"* ]]
    [[ "$(on_h1 ip -6 route show default)" == "default via fd30::2 dev br0 proto static"* ]]
    [ -z "$(on_h1 ip route show table all dev eth0)" ]

    setup_sh down
    is_as_before
    runs_nothing
}

@test "up, down, up and down again, and a further down finds nothing to undo" {
    for _ in 1 2; do
        up
        has br0 172.30.0.1/24
        setup_sh down
        is_as_before
        runs_nothing
    done
    run setup_sh down
    [ "$status" -eq 0 ]
    [ "$output" = "= nothing to undo for br0" ]
}

@test "a second up changes nothing" {
    up
    before=$(belongings)
    relay=$(cat "$LAB_DIR/h1/snowrelayd.pid")

    run up
    [ "$status" -eq 0 ]
    [[ "$output" != *"+ "* ]]
    is_as_before
    run setup_sh up
    [ "$status" -eq 0 ]
    [[ "$output" != *"+ "* ]]
    [ "$(cat "$LAB_DIR/h1/snowrelayd.pid")" = "$relay" ]
}

@test "up puts back what has gone: the relay, an address, a port" {
    up
    lab_kill "$(cat "$LAB_DIR/h1/snowrelayd.pid")"
    on_h1 ip address delete 172.30.0.1/24 dev br0
    on_h1 ovs-vsctl del-port br0 eth0

    setup_sh up
    has br0 172.30.0.1/24
    [ "$(on_h1 ovs-vsctl list-ports br0)" = eth0 ]
    setup_sh status
    setup_sh down
    is_as_before
    runs_nothing
}

@test "down undoes although switch and relay were killed" {
    up
    kill -KILL "$(cat "$LAB_DIR/h1/ovsdb-server.pid")" "$(cat "$LAB_DIR/h1/snowrelayd.pid")"
    lab_switch_kill 1
    setup_sh down
    is_as_before
    runs_nothing
}

@test "new options restart the relay, wrong ones leave the old relay running" {
    up
    relay=$(cat "$LAB_DIR/h1/snowrelayd.pid")
    setup_sh up -- -b 5064 --other-relays 172.30.0.2
    [ "$(cat "$LAB_DIR/h1/snowrelayd.pid")" != "$relay" ]

    run setup_sh up -- --no-such-option
    [ "$status" -eq 1 ]
    tr '\0' ' ' < "/proc/$(cat "$LAB_DIR/h1/snowrelayd.pid")/cmdline" | grep -e '-b 5064'
    has br0 172.30.0.1/24
    setup_sh status
}

@test "a bridge that was there is kept, with its flows and its MAC" {
    lab_switch 1
    lab_ofctl 1 add-flow br0 "priority=7,udp,actions=drop"
    before=$(belongings)

    up
    has br0 172.30.0.1/24
    setup_sh down
    is_as_before
    [ "$(on_h1 ovs-vsctl list-br)" = br0 ]
    [ -z "$(on_h1 ovs-vsctl list-ports br0)" ]
    [[ "$(lab_ofctl 1 dump-flows br0)" == *"priority=7,udp actions=drop"* ]]
    on_h1 ovs-appctl -t ovs-vswitchd version
}

@test "the host answers its neighbour while its addresses move" {
    lab_in_background h1 socat UDP4-RECVFROM:7777,fork EXEC:cat
    lab_in_background h1 socat UDP6-RECVFROM:7777,fork,ipv6only EXEC:cat
    lab_wait 5 both_listen_on_7777
    cat > "$LAB_DIR/ask" << 'END'
for i in {1..80}; do echo "$i"; sleep 0.05; done | socat -t 1 - "$1"
END
    lab_in_background h2 bash "$LAB_DIR/ask" UDP4:172.30.0.1:7777 > "$LAB_DIR/answers4"
    ask4=$LAB_PID
    lab_in_background h2 bash "$LAB_DIR/ask" "UDP6:[fd30::1]:7777" > "$LAB_DIR/answers6"
    ask6=$LAB_PID
    sleep 0.5
    up
    wait "$ask4" "$ask6"

    for family in 4 6; do
        # Twenty questions in a row are a second.
        awk '{ if ($1 - last > gap) gap = $1 - last; last = $1 }
             END { print "longest gap:", gap; exit gap > 20 || last != 80 }' \
            "$LAB_DIR/answers$family"
    done
}

@test "the host gets each frame from its uplink once" {
    up
    lab_in_background h1 socat -u UDP4-RECVFROM:7777,fork OPEN:"$LAB_DIR/got",creat,append
    lab_in_background h1 socat -u UDP6-RECVFROM:7777,fork,ipv6only \
        OPEN:"$LAB_DIR/got",creat,append
    lab_wait 5 both_listen_on_7777
    for i in 1 2 3; do
        echo "$i" | lab_on h2 socat -u - UDP4:172.30.0.1:7777
        echo "$i" | lab_on h2 socat -u - "UDP6:[fd30::1]:7777"
    done
    sleep 0.5
    [ "$(sort "$LAB_DIR/got" | tr -d '\n')" = 112233 ]
}

@test "--confirm: unconfirmed, all is undone" {
    up --confirm 5
    has br0 172.30.0.1/24
    lab_wait 15 restored
    is_as_before
    run setup_sh confirm
    [ "$status" -eq 1 ]
    one_line
}

@test "--confirm: confirmed, it stays" {
    up --confirm 60
    read -r watchdog _ < "$LAB_DIR/h1/snowrelay-setup/br0/watchdog"
    [[ "$(tr '\0' ' ' < "/proc/$watchdog/cmdline")" == *"ovs-setup.sh watch "* ]]
    setup_sh confirm
    lab_gone "$watchdog"
    has br0 172.30.0.1/24
    setup_sh status
    setup_sh down
    is_as_before
    runs_nothing
}

@test "--confirm: down does not wait for it" {
    up --confirm 60
    setup_sh down
    is_as_before
    runs_nothing
}

@test "--confirm: up is killed while addresses move, and all is undone" {
    stand_in ip << END
if [[ "\$*" == *-4*-batch* ]] && mkdir "$LAB_DIR/half-way" 2> /dev/null; then
    head -n 14 | $(command -v ip) "\$@"
    touch "$LAB_DIR/half-way/done"
    exec sleep 60
fi
exec $(command -v ip) "\$@"
END
    lab_in_background h1 "$ROOT/ovs-setup.sh" up --uplink eth0 --confirm 5
    lab_wait 5 test -e "$LAB_DIR/half-way/done"
    [ -n "$(is_as_before)" ]
    kill -KILL "$LAB_PID"

    lab_wait 15 is_as_before > /dev/null
    is_as_before
}

@test "--confirm: up hangs, and all is undone" {
    echo "exec sleep 60" | stand_in hanging-relay
    SNOWRELAYD=$BATS_TEST_TMPDIR/bin/hanging-relay \
        lab_in_background h1 "$ROOT/ovs-setup.sh" up --uplink eth0 --confirm 5
    lab_wait 5 has br0 172.30.0.1/24

    lab_wait 25 is_as_before > /dev/null
    is_as_before
}

@test "a daemon that does not start: up says so and undoes what it did" {
    SNOWRELAYD=/bin/false run up
    [ "$status" -eq 1 ]
    [[ "$output" == *"ovs-setup.sh: could not start /bin/false"* ]]
    is_as_before
    runs_nothing
}

@test "a step that fails half-way: up says which and why, and undoes what it did" {
    stand_in ovs-vsctl << END
[[ "\$*" != *add-port* ]] || { echo "no port today" >&2; exit 1; }
exec $(command -v ovs-vsctl) "\$@"
END
    run up
    [ "$status" -eq 1 ]
    [[ "$output" == *"ovs-setup.sh: could not put eth0 into br0: no port today"* ]]
    is_as_before
    runs_nothing
}

@test "up that is interrupted undoes what it did" {
    lab_in_background h1 "$ROOT/ovs-setup.sh" up --uplink eth0 > "$LAB_DIR/up.out" 2>&1
    lab_wait 5 grep -q "put eth0 into br0" "$LAB_DIR/up.out"
    kill -TERM "$LAB_PID"
    wait "$LAB_PID" || true
    cat "$LAB_DIR/up.out"
    grep -q interrupted "$LAB_DIR/up.out"
    lab_wait 5 restored
}

@test "--dry-run prints the steps and takes none" {
    run up --dry-run --confirm 60
    [ "$status" -eq 0 ]
    [[ "$output" == *"+ put eth0 into br0"* ]]
    is_as_before
    runs_nothing
    [ ! -e "$LAB_DIR/h1" ]

    up
    before=$(belongings)
    run setup_sh down --dry-run
    [ "$status" -eq 0 ]
    [[ "$output" == *"- take eth0 out of br0"* ]]
    is_as_before
    setup_sh status
}

@test "status shows all there is, and says what is missing" {
    run setup_sh status
    [ "$status" -eq 1 ]
    one_line
    up
    run setup_sh status
    [ "$status" -eq 0 ]
    [[ "$output" == *"1 eth0"* ]]
    [[ "$output" == *"172.30.0.1/24"* ]]
    [[ "$output" == *"n_packets="*"tp_dst=5076"* ]]

    lab_kill "$(cat "$LAB_DIR/h1/snowrelayd.pid")"
    run setup_sh status
    [ "$status" -eq 1 ]
    [[ "$output" == *"ovs-setup.sh: missing: "*"snowrelayd is not running"* ]]

    setup_sh up
    on_h1 ip address delete 172.30.0.1/24 dev br0
    run setup_sh status
    [ "$status" -eq 1 ]
    [[ "$output" == *"ovs-setup.sh: missing: addresses of eth0"* ]]
}

@test "an uplink that cannot be one is refused in a line, and nothing is done" {
    lab_switch 1
    on_h1 ovs-vsctl add-br br1 -- set Bridge br1 datapath_type=netdev
    on_h1 ip link add taken type veth peer name other
    on_h1 ovs-vsctl add-port br1 taken
    on_h1 ip link add lan type bridge
    on_h1 ip link set other master lan
    before=$(belongings)
    for uplink in nowhere0 br0 lo taken other; do
        run setup_sh up --uplink "$uplink"
        [ "$status" -eq 1 ]
        one_line
        [[ "$output" == *"--uplink $uplink: "* ]]
    done
    is_as_before
}

@test "wrong usage is one line and status 2" {
    for words in "" "upp" "up --bridge" "up --bridge a/b" "up --uplink" "up --datapath fast" \
        "up --confirm soon" "up --confirm 0" "up br0" "down --uplink eth0" "status --dry-run" \
        "demo --bridge br0"; do
        # shellcheck disable=SC2086 # the words are wanted
        run setup_sh $words
        echo "$words: $output"
        [ "$status" -eq 2 ]
        one_line
    done
    is_as_before
}

@test "--help is the manual" {
    run setup_sh --help
    [ "$status" -eq 0 ]
    [[ "$output" == *"ovs-setup.sh up [--bridge br0]"* ]]
}

demo_printed() { grep -q "$1" "$LAB_DIR/demo.out"; }

# The lab that the demo made: its name is in what it prints.
demo_is_gone() {
    local dir
    dir=$(grep -om 1 '/tmp/snowrelay-lab\.[A-Za-z0-9]*' "$LAB_DIR/demo.out")
    [ ! -e "$dir" ] && [[ "$(ip netns list)" != *"sr${dir##*.}"* ]]
}

@test "the demo shows a broadcast crossing, and leaves nothing behind" {
    "$ROOT/ovs-setup.sh" demo > "$LAB_DIR/demo.out" 2>&1 3>&- || failed=yes
    cat "$LAB_DIR/demo.out"
    [ -z "$failed" ]
    demo_printed '02:00:00:00:02:01 > ff:ff:ff:ff:ff:ff | 10.1.0.10.* > 10.2.0.255.5076'
    demo_printed 'the server at 10.2.0.10 answers'
    demo_printed 'n_packets=1.*tp_dst=5076'
    demo_is_gone
}

# up and down on h1 in a view of the file system in which these folders are empty.
# shellcheck disable=SC2016  # for the shell in there
up_and_down_in_usual_folders() {
    lab_on h1 env -u OVS_RUNDIR -u OVS_DBDIR -u OVS_LOGDIR -u OVS_SYSCONFDIR \
        unshare --mount --propagation private bash -ec '
            for folder in /run/openvswitch /var/log/openvswitch /etc/openvswitch; do
                mkdir -p "$folder"
                mount -t tmpfs tmpfs "$folder"
            done
            "$0"/ovs-setup.sh up --uplink eth0 -- --other-relays 172.30.0.2
            ovs-appctl -t snowrelayd status
            "$0"/ovs-setup.sh down' "$ROOT" 3>&-
}

@test "without OVS_RUNDIR all is in the folders of Debian's Open vSwitch" {
    run up_and_down_in_usual_folders
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"br0 at unix:/var/run/openvswitch/br0.mgmt, connected, flows in place"* ]]
    is_as_before
    lab_wait 5 runs_nothing
}

@test "the demo cleans up when it is interrupted" {
    "$ROOT/ovs-setup.sh" demo > "$LAB_DIR/demo.out" 2>&1 3>&- &
    lab_wait 10 demo_printed "+ put seg0 into br0"
    kill -TERM $!
    wait $! || true
    cat "$LAB_DIR/demo.out"
    demo_is_gone
}
