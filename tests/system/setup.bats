#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# ovs-setup.sh on a host of the lab, h1, whose card eth0 becomes the uplink of br0. Its neighbour h2
# is on the same wire. What h1 had before `up` it must have again after `down`, to the letter.

bats_require_minimum_version 1.5.0
ROOT=$BATS_TEST_DIRNAME/../..

setup() {
    # shellcheck source=scripts/lab.sh
    . "$ROOT/scripts/lab.sh"
    lab_init
    lab_host 1 --bare
    lab_host 2 --bare
    before=$(belongings)
    user_before=$(getent passwd snowrelay || true)
}

teardown() {
    lab_destroy
    [ -n "$user_before" ] || ! getent passwd snowrelay || userdel --force snowrelay
}

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

    relay=$(cat "$LAB_DIR/h1/snowrelayd.pid")
    run setup_sh up -- --no-such-option
    [ "$status" -eq 2 ]
    one_line
    [ "$(cat "$LAB_DIR/h1/snowrelayd.pid")" = "$relay" ]
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

@test "where somebody else's snowrelayd runs, up refuses before it moves anything" {
    lab_switch 1
    before=$(belongings)
    lab_relay 1 --other-relays 172.30.0.2
    run -1 up
    [ "${#lines[@]}" -eq 1 ]
    [ "$output" = "ovs-setup.sh: snowrelayd runs already (pid $(lab_relay_pid 1)) and was not started by this script" ]
    is_as_before
    [ "$(lab_status 1 .connected)" = true ]
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

@test "up makes the user snowrelay, whom the relay runs as, and the last down removes it" {
    ! getent passwd snowrelay || skip "there is a user snowrelay"
    run -0 up
    [[ "$output" == *"+ make the system user snowrelay"* ]]
    [[ "$(getent passwd snowrelay)" == *:/nonexistent:*nologin ]]
    local pid uid
    pid=$(cat "$LAB_DIR/h1/snowrelayd.pid")
    uid=$(id -u snowrelay)
    [ "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$pid/status")" = "$uid $uid $uid $uid" ]
    [ "$(awk '/^CapEff:/ { print $2 }' "/proc/$pid/status")" = 0000000000000000 ]
    run -0 up
    [[ "$output" != *"+ "* ]]

    # Another bridge's daemon, or that of another folder, may still need it.
    mkdir "$LAB_DIR/h1/snowrelay-setup/br7"
    echo "user snowrelay" > "$LAB_DIR/h1/snowrelay-setup/br7/undo"
    setup_sh down
    getent passwd snowrelay
    up
    rm -r "$LAB_DIR/h1/snowrelay-setup/br7"
    run -0 setup_sh down
    [[ "$output" == *"- remove the user snowrelay"* ]]
    run ! getent passwd snowrelay
    run ! getent group snowrelay
    is_as_before
    runs_nothing
}

@test "a user snowrelay that was there stays" {
    ! getent passwd snowrelay || skip "there is a user snowrelay"
    useradd --system --no-create-home snowrelay
    run up
    run setup_sh down
    run -0 getent passwd snowrelay
    userdel snowrelay
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
        "up --confirm soon" "up --confirm 0" "up --rules" "up br0" "down --uplink eth0" "status --dry-run" \
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

# ---- replication: h1 gets a stream from h3 and copies it to ports of its own and to h2

rules() { cat > "$LAB_DIR/rules.json"; }

# rules_to COLLECTOR,...: what h1 gets on port 6343 goes there, and nothing is relayed
rules_to() {
    rules << END
{ "relay": { "ports": [] }, "replicate": [ { "name": "flow", "port": 6343, "to": [ $1 ] } ] }
END
}

with_rules() { setup_sh up --uplink eth0 --rules "$LAB_DIR/rules.json" "$@"; }

# collector NODE PORT: writes what arrives there to $LAB_DIR/NODE.PORT
collector() {
    lab_in_background "$1" socat -u "UDP4-RECV:$2" OPEN:"$LAB_DIR/$1.$2",creat,append
    collectors+=("$LAB_PID")
    lab_wait 5 listens "$1" "$2"
}

listens() { [ -n "$(lab_on "$1" ss -Hlun sport = ":$2")" ]; }

exporter() { lab_host 3 --bare; }

export_text() { echo "$1" | lab_on h3 socat -u - UDP4:172.30.0.1:6343; }

# got TEXT NODE.PORT...: each of these collectors has it, once
got() {
    local file
    for file in "${@:2}"; do
        lab_wait 5 grep -qsx "$1" "$LAB_DIR/$file" &&
            [ "$(grep -cx "$1" "$LAB_DIR/$file")" -eq 1 ] || return
    done
}

copies_flow() {
    [[ "$(lab_ofctl 1 dump-flows br0 cookie=0x534e4f5700020000/0xffffffffffff0000)" == *cookie=* ]]
}

# What snowrelayd could leave on a bridge, or take from it
on_bridge() {
    on_h1 ovs-vsctl list-ports br0
    lab_ofctl 1 --no-stats dump-flows br0
    lab_ofctl 1 dump-groups br0 | grep group_id= || true
    lab_ofctl 1 dump-meters br0 | grep meter= || true
}

relay_line() { tr '\0' ' ' < "/proc/$(cat "$LAB_DIR/h1/snowrelayd.pid")/cmdline"; }

nothing_done() { is_as_before && runs_nothing && [ ! -e "$LAB_DIR/h1" ]; }

@test "--rules makes a collector host from nothing, down takes it back" {
    exporter
    rules_to '{"port": 7343}, {"host": "172.30.0.2"}'
    cd "$LAB_DIR"
    setup_sh up --uplink eth0 --rules rules.json
    collector h1 6343
    collector h1 7343
    collector h2 6343
    lab_wait 5 copies_flow
    export_text hello
    got hello h1.6343 h1.7343 h2.6343
    cd /
    run setup_sh up
    [ "$status" -eq 0 ]
    [[ "$output" != *"+ "* ]]

    run setup_sh status
    [ "$status" -eq 0 ]
    [[ "$output" == *replication:*"flow: udp port 6343"*":7343 "*" 1 "*"172.30.0.2:6343 "*" 1 "* ]]
    lab_kill "${collectors[@]}"
    setup_sh down
    is_as_before
    runs_nothing
}

@test "--rules: a file that is missing, wrong or for another bridge is refused, and nothing is done" {
    echo '{' > "$LAB_DIR/broken"
    echo '{"replicated": []}' > "$LAB_DIR/unknown"
    echo '{"bridge": "br7"}' > "$LAB_DIR/br7"
    mkdir "$LAB_DIR/folder"
    for file in missing folder broken unknown br7; do
        run setup_sh up --uplink eth0 --rules "$LAB_DIR/$file"
        echo "$output"
        [ "$status" -eq 1 ]
        one_line
        [[ "$output" == *"$LAB_DIR/$file"* ]]
        nothing_done
    done
    echo '{}' | rules
    for option in "--config=$LAB_DIR/rules.json" "--config $LAB_DIR/rules.json"; do
        # shellcheck disable=SC2086 # the words are wanted
        run with_rules -- $option
        [ "$status" -eq 2 ]
        one_line
        nothing_done
    done
    run setup_sh up --rules ''
    [ "$status" -eq 2 ]
    one_line
}

@test "--rules: up applies what has changed in the file without a restart, or says why not" {
    exporter
    collector h1 7343
    collector h1 7344
    rules_to '{"port": 7343}'
    with_rules
    relay=$(cat "$LAB_DIR/h1/snowrelayd.pid")
    run with_rules
    [ "$status" -eq 0 ]
    [[ "$output" != *"+ "* ]]

    rules_to '{"port": 7344}'
    run setup_sh up
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c '^+' <<< "$output")" -eq 1 ]
    [[ "$output" == *"+ apply $LAB_DIR/rules.json"* ]]
    lab_wait 5 copies_flow
    export_text changed
    got changed h1.7344
    [ ! -s "$LAB_DIR/h1.7343" ]

    echo '{' | rules
    run setup_sh up
    [ "$status" -eq 1 ]
    one_line
    # Nothing is wrong with this one, but that its port is taken.
    echo '{"mesh": {"port": 7344}}' | rules
    for _ in 1 2; do
        run setup_sh up
        echo "$output"
        [ "$status" -eq 1 ]
        [[ "$output" == *"ovs-setup.sh: could not apply $LAB_DIR/rules.json"*"in use"* ]]
    done
    export_text still
    got still h1.7344
    [ "$(cat "$LAB_DIR/h1/snowrelayd.pid")" = "$relay" ]
    [ "$(on_h1 ovs-vsctl list-ports br0)" = eth0 ]
}

@test "--rules: rules and options after -- each stay until given anew" {
    echo '{}' | tee "$LAB_DIR/other.json" | rules
    with_rules -- --mesh-port 7125
    setup_sh up --rules "$LAB_DIR/other.json"
    [[ "$(relay_line)" == *" --config $LAB_DIR/other.json --mesh-port 7125 " ]]
    setup_sh up -- --mesh-port 7126
    [[ "$(relay_line)" == *" --config $LAB_DIR/other.json --mesh-port 7126 " ]]
    setup_sh up --
    [[ "$(relay_line)" == *" --config $LAB_DIR/other.json " ]]
    setup_sh up -- --config "$LAB_DIR/rules.json"
    [[ "$(relay_line)" == *" --log-file --config $LAB_DIR/rules.json " ]]
    setup_sh up --
    [[ "$(relay_line)" == *" --log-file " ]]
    lab_kill "$(cat "$LAB_DIR/h1/snowrelayd.pid")"
    setup_sh up
    [[ "$(relay_line)" == *" --log-file " ]]
}

@test "--rules: new options restart snowrelayd, and no copy is lost" {
    exporter
    collector h1 6343
    collector h1 7343
    rules_to '{"port": 7343}'
    with_rules
    lab_wait 5 copies_flow
    cat > "$LAB_DIR/stream" << 'END'
for i in {1..400}; do echo "$i"; sleep 0.01; done | socat -u - UDP4:172.30.0.1:6343
END
    lab_in_background h3 bash "$LAB_DIR/stream"
    stream=$LAB_PID
    sleep 0.3
    relay=$(cat "$LAB_DIR/h1/snowrelayd.pid")
    setup_sh up -- --log-level debug
    [ "$(cat "$LAB_DIR/h1/snowrelayd.pid")" != "$relay" ]
    # The stream goes on after the restart.
    [ "$(wc -l < "$LAB_DIR/h1.6343")" -lt 380 ]
    wait "$stream"
    got 400 h1.6343 h1.7343
    [ "$(wc -l < "$LAB_DIR/h1.6343")" -eq 400 ]
    diff "$LAB_DIR/h1.6343" "$LAB_DIR/h1.7343"
}

@test "down takes snowrelayd's things off a bridge that was there, even if it was killed, and no others" {
    lab_switch 1
    lab_ofctl 1 add-group br0 group_id=6999,type=all,bucket=output:LOCAL
    lab_ofctl 1 add-group br0 group_id=7257,type=all,bucket=output:LOCAL
    lab_ofctl 1 add-meter br0 meter=6999,kbps,band=type=drop,rate=1000
    lab_ofctl 1 add-meter br0 meter=7256,kbps,band=type=drop,rate=1000
    lab_ofctl 1 add-flow br0 cookie=0x534e4f58,priority=7,udp,actions=group:7257
    on_h1 ovs-vsctl add-br br1 -- set Bridge br1 datapath_type=netdev
    add_tunnel br0 vx9 other
    add_tunnel br1 vx8 replicate
    belonged=$(on_bridge)
    before=$(belongings)
    rules << 'END'
{ "id_base": 7000, "relay": { "ports": [5076] },
  "replicate": [
    { "name": "a", "port": 6343, "spread": "source", "to": [ {"port": 7343}, {"port": 7344} ] },
    { "name": "b", "port": 6343, "to": [ {"host": "172.30.0.2", "tunnel": "vxlan"} ] } ] }
END
    for end in running killed switch; do
        with_rules
        lab_wait 5 copies_flow
        [[ "$(on_bridge)" == *group_id=70[0-9][0-9],*meter=70[0-9][0-9]* ]]
        [ "$(on_h1 ovs-vsctl list-ports br0 | wc -l)" -eq 3 ]
        [ "$end" = running ] || kill -KILL "$(cat "$LAB_DIR/h1/snowrelayd.pid")"
        [ "$end" != switch ] || lab_switch_kill 1
        run setup_sh down
        echo "$output"
        [ "$status" -eq 0 ]
        [ "$end" != switch ] || break
        # snowrelayd has left nothing when it could clean up.
        [ "$(grep -c '^- remove what snowrelayd left' <<< "$output")" -eq "$([ "$end" = running ]; echo $?)" ]
        diff <(echo "$belonged") <(on_bridge)
        is_as_before
    done
    lab_switch_start 1
    [ "$(on_h1 ovs-vsctl list-ports br0)" = vx9 ]
    [ "$(on_h1 ovs-vsctl list-ports br1)" = vx8 ]
}

# add_tunnel BRIDGE PORT OWNER
add_tunnel() {
    on_h1 ovs-vsctl add-port "$1" "$2" -- set Interface "$2" type=vxlan \
        options:remote_ip="172.30.0.${2#vx}" -- set Port "$2" external_ids:snowrelay="$3"
}

@test "up that fails half-way takes what snowrelayd has left off a bridge that was there" {
    lab_switch 1
    belonged=$(on_bridge)
    stand_in snowrelayd << END
[[ "\$*" != *--check-config* ]] || exec "${SNOWRELAYD:-$ROOT/build/snowrelayd}" "\$@"
ovs-ofctl -O OpenFlow15 add-group br0 group_id=5459711,type=all,bucket=output:LOCAL
ovs-ofctl -O OpenFlow15 add-group br0 group_id=5459712,type=all
ovs-ofctl -O OpenFlow15 add-meter br0 meter=5459456,kbps,band=type=drop,rate=1000
ovs-ofctl -O OpenFlow15 add-flow br0 cookie=0x534e4f5700020001,udp,actions=group:5459711
ovs-vsctl add-port br0 vx2 -- set Interface vx2 type=vxlan options:remote_ip=172.30.0.2 \
    -- set Port vx2 external_ids:snowrelay=replicate
ovs-vsctl add-port br0 vx3 -- set Interface vx3 type=vxlan options:remote_ip=flow \
    -- set Port vx3 external_ids:snowrelay=mesh
touch "$LAB_DIR/begun"
exit 1
END
    echo '{}' | rules
    SNOWRELAYD=$BATS_TEST_TMPDIR/bin/snowrelayd run with_rules
    echo "$output"
    [ "$status" -eq 1 ]
    [ -e "$LAB_DIR/begun" ]
    diff <(echo "$belonged") <(on_bridge)
}

@test "status misses no flows where nothing is to be relayed" {
    echo '{"relay": {"ports": []}}' | rules
    with_rules
    setup_sh status
}

@test "up says which settings of the kernel cost copies, and leaves them alone" {
    lab_segment 1
    on_h1 sysctl -qw net.ipv4.ip_forward=0
    rules_to '{"host": "172.30.0.2"}'
    setup_sh up --uplink seg0 --rules "$LAB_DIR/rules.json" > "$LAB_DIR/up.out"
    cat "$LAB_DIR/up.out"
    [[ "$(tail -n 1 "$LAB_DIR/up.out")" == "Beware: copies are dropped: net.ipv4.ip_forward is 0"* ]]
    [ "$(on_h1 sysctl -n net.ipv4.ip_forward)" = 0 ]
}

demo_printed() { grep -q "$1" "$LAB_DIR/demo.out"; }

# The lab that the demo made: its name is in what it prints.
demo_is_gone() {
    [ "$(getent passwd snowrelay)" = "$user_before" ]
    local dir
    dir=$(grep -om 1 '/tmp/snowrelay-lab\.[A-Za-z0-9]*' "$LAB_DIR/demo.out")
    [ ! -e "$dir" ] && [[ "$(ip netns list)" != *"sr${dir##*.}"* ]]
}

@test "the demo shows a broadcast crossing and a log line copied, and leaves nothing behind" {
    "$ROOT/ovs-setup.sh" demo > "$LAB_DIR/demo.out" 2>&1 3>&- || failed=yes
    cat "$LAB_DIR/demo.out"
    [ -z "$failed" ]
    demo_printed '02:00:00:00:02:01 > ff:ff:ff:ff:ff:ff | 10.1.0.10.* > 10.2.0.255.5076'
    demo_printed 'the server at 10.2.0.10 answers'
    demo_printed 'at port 1514 of host h1: .*beam lost'
    demo_printed 'at 10.2.0.10: .*beam lost'
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
