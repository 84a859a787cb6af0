#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The services of the package under systemd, on a Debian of their own that is booted: the first process of
# its namespaces is systemd, and Open vSwitch is what Debian's services start.
# The tests are one story, in this order.

bats_require_minimum_version 1.5.0
load common
load debian

setup_file() {
    debian_make systemd systemd-sysv dbus socat
    # From here on packages start and stop services.
    rm "$TARGET/usr/sbin/policy-rc.d"
    # There is no console.
    ln -s /dev/null "$TARGET/etc/systemd/system/console-getty.service"
    mkdir "$BATS_FILE_TMPDIR/cgroup"
    mount -t cgroup2 cgroup2 "$BATS_FILE_TMPDIR/cgroup"
    export CGROUP=$BATS_FILE_TMPDIR/cgroup/snowrelay-test-$$
    boot
    booted ovs-vsctl add-br br0 -- set bridge br0 datapath_type=netdev
    booted ovs-vsctl add-br br1 -- set bridge br1 datapath_type=netdev
}

teardown_file() {
    cut_power
    ! mountpoint -q "$BATS_FILE_TMPDIR/cgroup" || umount "$BATS_FILE_TMPDIR/cgroup"
    debian_remove
}

# Starts it, and waits until it is up.
boot() {
    mkdir "$CGROUP"
    # shellcheck disable=SC2016 # the shell inside expands it
    bash -c 'echo 0 > "$CGROUP/cgroup.procs" && exec unshare --mount --pid --net --uts --ipc --cgroup --fork "$@"' \
        - "$BATS_TEST_DIRNAME/boot.sh" > "$BATS_FILE_TMPDIR/boot" 2>&1 < /dev/null 3>&- &
    disown
    lab_wait 60 is_up
}

is_up() {
    [[ "$(booted systemctl is-system-running 2> /dev/null)" =~ ^(running|degraded)$ ]]
}

# Ends all of its processes at once.
cut_power() {
    [ -d "${CGROUP-}" ] || return 0
    echo 1 > "$CGROUP/cgroup.kill"
    lab_wait 10 no_process
    find "$CGROUP" -depth -type d -exec rmdir {} +
}

no_process() { ! grep -q 'populated 1' "$CGROUP/cgroup.events"; }

# booted CMD...: runs CMD there.
booted() {
    local init
    init=$(head -n 1 "$CGROUP/init.scope/cgroup.procs") || return 1
    timeout 120 nsenter --target "$init" --mount --pid --net --ipc --uts \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@" < /dev/null 3>&-
}

# property NAME [UNIT]
property() { booted systemctl show --value --property "$1" "${2:-snowrelayd}"; }

# configure JSON [NAME]
configure() { echo "$1" > "$TARGET/etc/snowrelay/${2:-snowrelay}.json"; }

# in_place TARGET: the switch has all flows of the daemon that ovs-appctl calls TARGET.
in_place() { [[ "$(booted ovs-appctl -t "$1" status 2> /dev/null)" == *"connected, flows in place"* ]]; }

our_flows() { booted ovs-ofctl dump-flows "$1" cookie=0x534e4f5700000000/0xffffffff00000000 | grep -c cookie=; }

RELAYING='{ "relay": { "ports": [5076] }, "mesh": { "peers": ["192.0.2.2"] }, "segment": { "election": false } }'

@test "started, it is active when it answers, and says in a line what it does" {
    configure "$RELAYING"
    booted systemctl start snowrelayd
    booted ovs-appctl -t snowrelayd version
    lab_wait 10 in_place snowrelayd
    [ "$(property ActiveState)" = active ]
    relays_by_now() { [[ "$(property StatusText)" == "bridge br0 connected, flows in place; relaying 5076; "* ]]; }
    lab_wait 10 relays_by_now
    run -0 booted journalctl --no-pager --unit snowrelayd
    [[ "$output" == *"(snowrelay), without capabilities, seccomp on"* ]]
}

@test "it relays" {
    booted ip address add 192.0.2.1/24 dev br0
    booted ip link set br0 up
    relayed() {
        booted sh -c 'echo search | socat - UDP-DATAGRAM:192.0.2.255:5076,broadcast'
        booted ovs-appctl -t snowrelayd status json | grep -qE '"relayed": ?[1-9]'
    }
    lab_wait 20 relayed
}

@test "what its unit forbids is forbidden" {
    local pid
    pid=$(property MainPID)
    run -0 booted cat "/proc/$pid/status"
    [[ "$output" == *"NoNewPrivs:"$'\t'1* && "$output" == *"Seccomp:"$'\t'2* && "$output" == *"CapBnd:"$'\t'0000000000000000* ]]
    run -1 booted nsenter --target "$pid" --mount touch /etc/was-here
    [[ "$output" == *"Read-only file system"* ]]
    run -0 booted nsenter --target "$pid" --mount touch /var/lib/snowrelay/was-here
    booted touch /tmp/was-here /root/was-here
    run -0 booted nsenter --target "$pid" --mount sh -c 'ls -A /root /home /tmp'
    [[ "$output" != *was-here* ]]
    booted rm /tmp/was-here /root/was-here /var/lib/snowrelay/was-here
}

@test "a reload takes a changed configuration over; a wrong one fails, and all goes on" {
    local pid
    pid=$(property MainPID)
    configure '{ "relay": { "ports": [5076, 5064] }, "mesh": { "peers": ["192.0.2.2"] }, "segment": { "election": false } }'
    booted systemctl reload snowrelayd
    run -0 booted ovs-appctl -t snowrelayd status
    [[ "$output" == *"ports: 5064 5076"* || "$output" == *"ports: 5076 5064"* ]]
    configure '{ "mesh": { "port": 0 } }'
    run -1 booted systemctl reload snowrelayd
    run -0 booted journalctl --no-pager --unit snowrelayd
    [[ "$output" == *"snowrelay.json: mesh.port: 0 is not from 1 to 65535"* ]]
    [ "$(property ActiveState) $(property MainPID)" = "active $pid" ]
    run -0 booted ovs-appctl -t snowrelayd status
    [[ "$output" == *5064* ]]
    configure "$RELAYING"
    booted systemctl reload snowrelayd
}

@test "killed, it is started again" {
    local pid
    pid=$(property MainPID)
    booted kill -KILL "$pid"
    another() { [ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$pid" ]; }
    lab_wait 20 another
    lab_wait 10 in_place snowrelayd
    [ "$(property NRestarts)" = 1 ]
}

@test "it goes on when Open vSwitch is restarted, and is again there with it" {
    local pid
    pid=$(property MainPID)
    booted systemctl restart openvswitch-switch
    lab_wait 20 in_place snowrelayd
    [ "$(our_flows br0)" -gt 0 ]
    [ "$(property MainPID)" = "$pid" ]
}

@test "stopped, it takes its flows with it" {
    booted systemctl stop snowrelayd
    [ "$(property ActiveState)" = inactive ]
    [ "$(our_flows br0)" -eq 0 ]
    run -1 booted pgrep snowrelayd
}

@test "with a wrong configuration it fails, says why, and is not tried again" {
    configure '{ "mesh": { "port": 0 } }'
    run -1 booted systemctl start snowrelayd
    sleep 3 # RestartSec= is 2.
    [ "$(property ActiveState) $(property ExecMainStatus) $(property NRestarts)" = "failed 2 0" ]
    run -0 booted journalctl --no-pager --unit snowrelayd --lines 5
    [[ "$output" == *"snowrelay.json: mesh.port: 0 is not from 1 to 65535"* ]]
    configure "$RELAYING"
    booted systemctl start snowrelayd
    lab_wait 10 in_place snowrelayd
}

@test "an instance of the template is a daemon of its own, for another bridge" {
    configure '{ "bridge": "br1", "relay": { "ports": [5076] }, "mesh": { "port": 7125, "peers": ["192.0.2.2:7125"] } }' hub
    booted systemctl start snowrelayd@hub
    lab_wait 10 in_place /run/openvswitch/snowrelayd-hub.ctl
    in_place snowrelayd
    [ "$(our_flows br1)" -gt 0 ]
    booted systemctl reload snowrelayd@hub
    [ "$(property ActiveState) $(property ActiveState snowrelayd@hub)" = "active active" ]
}

@test "enabled, they are there after a power cut, after their switch" {
    local switch
    booted systemctl enable snowrelayd snowrelayd@hub
    cut_power
    boot
    lab_wait 20 in_place snowrelayd
    lab_wait 20 in_place /run/openvswitch/snowrelayd-hub.ctl
    switch=$(property ActiveEnterTimestampMonotonic ovs-vswitchd)
    [ "$switch" -gt 0 ]
    [ "$(property ExecMainStartTimestampMonotonic)" -ge "$switch" ]
    [ "$(property ExecMainStartTimestampMonotonic snowrelayd@hub)" -ge "$switch" ]
    [ "$(property NRestarts)" = 0 ]
}

@test "an upgrade restarts those that run, and no other" {
    local hub
    hub=$(property MainPID snowrelayd@hub)
    configure '{ "bridge": "br2", "mesh": { "port": 7126 } }' lab
    booted systemctl enable snowrelayd@lab
    booted systemctl stop snowrelayd
    booted dpkg --install "/$(basename "$(package)")"
    lab_wait 20 in_place /run/openvswitch/snowrelayd-hub.ctl
    [ "$(property MainPID snowrelayd@hub)" != "$hub" ]
    [ "$(property ActiveState snowrelayd@lab)" = inactive ]
}

@test "removed, they have ended, and their flows are gone; purged, nothing would start them" {
    booted systemctl start snowrelayd
    lab_wait 10 in_place snowrelayd
    booted dpkg --remove snowrelay
    run -1 booted pgrep snowrelayd
    [ "$(our_flows br0) $(our_flows br1)" = "0 0" ]
    booted dpkg --purge snowrelay
    run -0 find "$TARGET/etc" "$TARGET/lib/systemd" "$TARGET/var/lib/systemd" -name '*snowrelay*'
    [ -z "$output" ]
}
