#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The container image. Its entrypoint runs as an engine would have it, by no-engine.sh, with a real name
# server; engine.bats has the image itself.

bats_require_minimum_version 1.5.0
load common
load container

# What docs/containers.md asks for at least, what it recommends, and what Docker gives by default
LEAST=+net_admin,+net_raw
RECOMMENDED=$LEAST,+setuid,+setgid
DEFAULT=$LEAST,+chown,+dac_override,+fsetid,+fowner,+mknod,+setgid,+setuid,+setfcap,+setpcap
DEFAULT+=,+net_bind_service,+sys_chroot,+kill,+audit_write

setup_file() { container_lab; }

setup() {
    local n
    name_containers
    for n in 1 2 3; do
        rm -rf "$LAB_DIR/c$n/mounts"
    done
}

teardown() {
    local n
    for n in 1 2 3; do
        kill_container "$n"
    done
    end_name_server
}

# start N CAPABILITIES [NAME=VALUE...] [-- ARG...]: runs container N in the background.
start() {
    local n=$1 capabilities=$2
    shift 2
    lab_in_background "h${n}c1" env BUILD="$(realpath "$BUILD")" "$BATS_TEST_DIRNAME/no-engine.sh" \
        "$capabilities" "$LAB_DIR/c$n" "$@" > "$LAB_DIR/c$n/log" 2>&1
    echo "$LAB_PID" > "$LAB_DIR/c$n/pid"
}

# begin N ...: the same; returns once it is relaying.
begin() {
    start "$@"
    lab_wait 20 serves "$1" || { cat "$LAB_DIR/c$1/log"; return 1; }
}

# first_process N: prints the pid of the container's first process.
first_process() { ps -o pid= --ppid "$(< "$LAB_DIR/c$1/pid")" | tr -d ' '; }

kill_container() {
    local pid
    [ -e "$LAB_DIR/c$1/pid" ] || return 0
    pid=$(< "$LAB_DIR/c$1/pid")
    rm "$LAB_DIR/c$1/pid"
    kill -KILL "$pid" 2> /dev/null || true # And the kernel kills what is in its namespace.
    lab_wait 5 lab_gone "$pid"
    lab_wait 5 empty "$1"
    remove_leftovers "$1"
}

empty() { [ -z "$(ip netns pids "$LAB-h${1}c1")" ]; }

remove_leftovers() {
    local device
    for device in br0 ovs-netdev; do
        ip -n "$LAB-h${1}c1" link delete "$device" 2> /dev/null || true
    done
    ip -n "$LAB-h${1}c1" link set eth0 promisc off
}

# stop N: as `docker stop` would, which waits for 10 s; its status is that of the function.
stop() {
    local pid
    pid=$(< "$LAB_DIR/c$1/pid")
    kill -TERM "$(first_process "$1")"
    lab_wait 10 lab_gone "$pid"
    wait "$pid"
}

# ends N STATUS LINE: container N ends by itself, with that status, and LINE is the last one but for
# those of the daemons.
ends() {
    local pid code=0
    pid=$(< "$LAB_DIR/c$1/pid")
    lab_wait 30 lab_gone "$pid"
    wait "$pid" || code=$?
    echo "status $code, wanted $2 and: $3"
    cat "$LAB_DIR/c$1/log"
    [ "$code" -eq "$2" ] && [ "$(log_of "$1" | grep ^entrypoint | tail -n 1)" = "$3" ]
}

# inside N CMD...: as `docker exec` would
inside() {
    local n=$1
    shift
    nsenter -t "$(first_process "$n")" -m -n -p -- env OVS_RUNDIR=/run/snowrelay "$@"
}

# Forwarding for its segment, that is, not listening who else might
serves() {
    [ -n "$(first_process "$1")" ] && inside "$1" test -S /run/snowrelay/db.sock &&
        grep -q 'this relay forwards for its segment' "$LAB_DIR/c$1/log"
} 2> /dev/null

# log_of N: prints what container N said, without the times.
log_of() { sed -E 's/^[0-9-]+T[0-9:]+Z //' "$LAB_DIR/c$1/log"; }

@test "two containers of a service relay with NET_ADMIN and NET_RAW alone, on a read-only root" {
    local before pid
    before=$(belongings 1)
    begin 1 "$LEAST" SERVICENAME=relays TARGET_INTERFACE=eth0 LOGLEVEL=info
    begin 2 "$LEAST" SERVICENAME=relays
    lab_wait 15 peers_up 1 10.2.0.10:7124
    lab_wait 15 peers_up 2 10.1.0.10:7124

    crosses 1 2 limited
    crosses 2 1 directed 10.2.0.255
    grep -q ' > 10.1.0.255.5076' "$BATS_TEST_TMPDIR/crosses.pcap.text"
    crosses 1 2 "$(head -c 8000 /dev/zero | tr '\0' x)"

    # Its own traffic is the kernel's, once.
    run -0 ip netns exec "$LAB-h1c1" ping -c 2 -i 0.2 10.1.0.11
    [[ "$output" != *DUP!* ]]

    for pid in $(ip netns pids "$LAB-h1c1" | grep -vx "$(< "$LAB_DIR/c1/pid")"); do
        [[ "$(capabilities_of "$pid")" =~ ^0000000000003000|000000000000[01]000$ ]]
        [ "$(user_of "$pid")" = 0 ]
    done
    [ "$(capabilities_of "$(process 1 snowrelayd)")" = 0000000000000000 ]
    [ "$(inside 1 stat -c '%a %U' /run/snowrelay)" = '755 root' ]

    stop 1
    run -0 diff <(echo "$before") <(belongings 1)
    [ "$(log_of 1 | tail -n 1)" = "entrypoint INFO: stopped" ]
    # A line an event, all of one form
    local form='^[0-9-]{10}T[0-9:]{8}Z (entrypoint|ovs[a-z-]+|snowrelayd(\(priv\))?) [A-Z]{3,4}'
    run ! grep -vE "$form( [a-z_]+)?: ." "$LAB_DIR/c1/log"
}

@test "with SETUID and SETGID snowrelayd is the user snowrelay, and with all that Docker gives" {
    local capabilities
    for capabilities in "$RECOMMENDED" "$DEFAULT"; do
        begin 1 "$capabilities" -- --other-relays 10.2.0.10
        [ "$(user_of "$(process 1 snowrelayd)")" = 64123 ]
        [ "$(capabilities_of "$(process 1 snowrelayd)")" = 0000000000000000 ]
        begin 2 "$capabilities" -- --other-relays 10.1.0.10
        lab_wait 10 peers_up 1 10.2.0.10:7124
        crosses 1 2 hello
        inside 1 ovs-appctl -t snowrelayd config/reload
        stop 2
        stop 1
    done
}

@test "a container that the name server comes to know is found, and one that stopped is left" {
    begin 1 "$RECOMMENDED" SERVICENAME=relays
    begin 2 "$RECOMMENDED" SERVICENAME=relays
    lab_wait 15 peers_up 1 10.2.0.10:7124
    begin 3 "$RECOMMENDED" SERVICENAME=relays
    serve_names {10.1.0.10,10.2.0.10,10.3.0.10}' tasks.relays'
    lab_wait 20 peers_up 1 '10.2.0.10:7124 10.3.0.10:7124'
    lab_wait 20 peers_up 3 '10.1.0.10:7124 10.2.0.10:7124'
    crosses 1 3 hello
    stop 2
    serve_names {10.1.0.10,10.3.0.10}' tasks.relays'
    left() { [ "$(status 1 '[.peers[].address] | join(" ")')" = 10.3.0.10:7124 ]; }
    lab_wait 20 left
}

@test "a container copies what is sent to it to collectors elsewhere" {
    local file=$BATS_TEST_TMPDIR/copies.pcap
    mkdir "$LAB_DIR/c1/mounts"
    jq -n '{relay: {ports: []},
        replicate: [{port: 6343, to: [{host: "10.2.0.11"}, {host: "10.3.0.11"}]}]}' \
        > "$LAB_DIR/c1/mounts/snowrelay.json"
    start 1 "$LEAST" SNOWRELAY_CONFIG=/run/mounts/snowrelay.json
    up() { [ "$(status 1 '[.replicate[].collectors[].state] | unique[]')" = up ]; } 2> /dev/null
    lab_wait 20 up
    # A card that completes no checksums; see docs/containers.md, "Limits".
    lab_on h1c2 ethtool -K eth0 tx off > /dev/null
    record h3c2 "$file" udp port 6343
    collect h2c2 6343
    send h1c2 10.1.0.10 6343 one two
    come h2c2 6343 "10.1.0.10 one" "10.1.0.10 two"
    stop_recording "$file" 2
    [ "$(count "$file")" -eq 2 ]
    lab_on h1c2 ethtool -K eth0 tx on > /dev/null
    end_collecting
    stop 1
}

@test "a container is healthy while snowrelayd is connected to the switch, and not otherwise" {
    local check probe
    check=$(sed -n 's/^    CMD \(ovs-appctl .*\)/\1/p' "$IMAGE/Dockerfile")
    probe=$(sed -n 's/^ *- \(ovs-appctl .*\)/\1/p' "$IMAGE/daemonset.yml")
    [ -n "$check" ]
    [ "$check" = "$probe" ]
    begin 1 "$LEAST" -- --other-relays 10.2.0.10
    inside 1 sh -c "$check"
    kill -STOP "$(process 1 snowrelayd)"
    run ! inside 1 sh -c "$check"
    kill -CONT "$(process 1 snowrelayd)"
    lab_wait 5 inside 1 sh -c "$check"

    # An orphan is buried by the first process, which goes on.
    inside 1 sh -c '(exec sleep 0.2) & echo $!' > "$BATS_TEST_TMPDIR/orphan"
    lab_wait 5 inside 1 sh -c "! test -e /proc/$(< "$BATS_TEST_TMPDIR/orphan")"
    inside 1 sh -c "$check"
}

@test "when a daemon dies the container ends, says which, and leaves nothing" {
    local name before
    before=$(belongings 1)
    for name in ovs-vswitchd snowrelayd ovsdb-server; do
        begin 1 "$LEAST" -- --other-relays 10.2.0.10
        kill -KILL "$(process 1 "$name")"
        ends 1 1 "entrypoint ERR: $name has ended with status 137"
        empty 1
        diff <(echo "$before") <(belongings 1)
    done
}

@test "a container that was killed is started again in its network, beside no other" {
    local before
    before=$(belongings 1)
    begin 1 "$LEAST" -- --other-relays 10.2.0.10
    kill -KILL "$(first_process 1)"
    lab_wait 5 empty 1
    ip -n "$LAB-h1c1" link show dev br0
    begin 1 "$LEAST" -- --other-relays 10.2.0.10
    begin 2 "$LEAST" -- --other-relays 10.1.0.10
    lab_wait 10 peers_up 1 10.2.0.10:7124

    cp -r "$LAB_DIR/c1" "$LAB_DIR/c4"
    lab_in_background h1c1 env BUILD="$(realpath "$BUILD")" "$BATS_TEST_DIRNAME/no-engine.sh" \
        "$LEAST" "$LAB_DIR/c4" > "$LAB_DIR/c4/log" 2>&1
    echo "$LAB_PID" > "$LAB_DIR/c4/pid"
    ends 4 1 "entrypoint ERR: the bridge br0 is in use by another container of this network"
    crosses 1 2 still
    stop 1
    diff <(echo "$before") <(belongings 1)
}

@test "what a container lacks, and what is wrong in its configuration, is said in one line" {
    local device
    refused() {
        start 1 "${@:3}"
        ends 1 "$1" "entrypoint ERR: $2"
        [ "$(wc -l < "$LAB_DIR/c1/log")" -eq 1 ]
        empty 1
    }
    refused 1 "the container needs the capability NET_ADMIN" +net_raw
    refused 1 "the container needs the capability NET_RAW" +net_admin
    refused 1 "the container needs the device /dev/net/tun, or the capability MKNOD to make it" \
        "$LEAST" NO_TUN=1
    refused 1 "cannot open /dev/net/tun: the container may not use it, or the host has no tun \
module" "$LEAST" NO_USE=1
    refused 2 "there is no interface eth7 to relay for; there are eth0" "$LEAST" \
        TARGET_INTERFACE=eth7
    refused 2 "there is no interface eth8 to relay for; there are eth0" "$LEAST" \
        SEGMENT_INTERFACE=eth8
    refused 2 "the loopback lo is no segment to relay for" "$LEAST" TARGET_INTERFACE=lo
    ip -n "$LAB-h1c1" link add br0 type bridge
    refused 2 "the bridge cannot be called br0, as an interface is: name the interface in \
SEGMENT_INTERFACE and another bridge in TARGET_INTERFACE" "$LEAST"
    ip -n "$LAB-h1c1" link delete br0
    start 1 "$LEAST" NO_TMP=1
    ends 1 1 "entrypoint ERR: ovsdb-server has not started"
    grep -q 'failed to create temporary file' "$LAB_DIR/c1/log"
    refused 2 "snowrelayd: BDCAST_PORT: \"x\" is not a port (1 to 65535)" "$LEAST" BDCAST_PORT=x
    refused 2 "snowrelayd: --no-such: unknown option (see --help)" "$LEAST" -- --no-such
}

@test "device, interface, bridge and file are what the container is given" {
    mkdir "$LAB_DIR/c1/mounts"
    echo '{"relay": {"ports": [5077]}, "mesh": {"discover": ["relays"]}}' \
        > "$LAB_DIR/c1/mounts/snowrelay.json"
    ip -n "$LAB-h1c1" link add eth1 type veth peer name other
    begin 1 "$DEFAULT" NO_TUN=1 SEGMENT_INTERFACE=eth0 TARGET_INTERFACE=relays0 \
        SNOWRELAY_CONFIG=/run/mounts/snowrelay.json
    [ "$(status 1 '"\(.bridge) \(.ports)"')" = 'relays0 [5077]' ]
    [ "$(inside 1 ovs-vsctl list-ports relays0)" = eth0 ]
    known() { [ "$(status 1 '[.peers[].address] | join(" ")')" = 10.2.0.10:7124 ]; }
    lab_wait 15 known
    kill -HUP "$(first_process 1)"
    lab_wait 5 grep -q 'configuration reloaded' "$LAB_DIR/c1/log"
    kill -HUP "$(first_process 1)"
    reloaded_twice() { [ "$(grep -c 'configuration reloaded' "$LAB_DIR/c1/log")" -eq 2 ]; }
    lab_wait 5 reloaded_twice
    known
    stop 1

    # The command line goes before the environment; a card that was down is down again.
    begin 1 "$LEAST" TARGET_INTERFACE=eth0 -- --other-relays 10.2.0.10 -t eth1
    [ "$(inside 1 ovs-vsctl list-ports br0)" = eth1 ]
    stop 1
    [ "$(ip -n "$LAB-h1c1" -o link show up dev eth1)" = "" ]
    ip -n "$LAB-h1c1" link delete eth1

    start 1 "$LEAST" -- --version
    wait "$LAB_PID"
    grep -q '^snowrelayd' "$LAB_DIR/c1/log"
}

# ---- what an engine would read

# copied: prints what the Dockerfile copies from the sources.
copied() {
    sed -nE '/^COPY --from/d; s/^COPY (.*) [^ ]+$/\1/p' "$IMAGE/Dockerfile" | tr ' ' '\n'
}

@test "what the Dockerfile copies is there, is not ignored, and is all that the build needs" {
    local path sources=$BATS_TEST_TMPDIR/sources tree
    [ "$(copied | wc -l)" -ge 7 ]
    diff <(copied | sort) <(sed -n 's/^!//p' "$IMAGE/Dockerfile.dockerignore" | sort)
    [ "$(grep -vE '^(#|!)' "$IMAGE/Dockerfile.dockerignore")" = '*' ]
    mkdir "$sources"
    for path in $(copied); do
        (cd "$LAB_ROOT" && cp -r --parents "$path" "$sources")
    done
    tree=("$LAB_ROOT"/.cache/openvswitch-*/)
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SANITIZE OVS_BUILDDIR="${OVS_BUILDDIR:-${tree[0]}}" \
        nice make -C "$sources" -j2 CFLAGS=-O0 > "$BATS_TEST_TMPDIR/build.log"
    "$sources/build/snowrelayd" --version
    "$sources/scripts/container/runtime-packages.sh" "$sources/build/snowrelayd"
    # The stages are of one release of Debian, the daemon's libraries' one.
    [ "$(grep -c '^FROM debian:bookworm-slim' "$IMAGE/Dockerfile")" -eq 2 ]
    [ "$(grep -c '^FROM ' "$IMAGE/Dockerfile")" -eq 2 ]
}

@test "the image has the packages of all libraries and programs that it runs" {
    local packages=$BATS_TEST_TMPDIR/packages program
    "$IMAGE/runtime-packages.sh" "$BUILD/snowrelayd" > "$packages"
    sed -nE 's/.*--no-install-recommends (.*) \\$/\1/p' "$IMAGE/Dockerfile" |
        tr ' ' '\n' >> "$packages"
    grep -qx openvswitch-switch "$packages"
    xargs apt-cache show --no-all-versions < "$packages" > /dev/null

    # The files of these, of what they depend on, and of what every Debian has
    xargs apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances < "$packages" | grep '^[a-z0-9]' > "$packages.all"
    dpkg-query -W -f '${Essential} ${Package}\n' | sed -n 's/^yes //p' >> "$packages.all"
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' |
        grep -xFf "$packages.all" | xargs dpkg-query -L | sed 's|^/usr||' > "$packages.files"
    for program in /bin/{bash,chmod,grep,ip,mkdir,mknod,rm,sed,sleep,tail,xargs} \
        /bin/{ovs-appctl,ovs-vsctl,ovsdb-tool} \
        /sbin/{ovsdb-server,ovs-vswitchd} /usr/share/openvswitch/vswitch.ovsschema \
        $(ldd "$BUILD/snowrelayd" | sed -nE 's/.* => (\/usr)?([^ ]+) \(.*/\2/p'); do
        program=$(readlink -f "$program")
        grep -qxF "${program#/usr}" "$packages.files" ||
            { echo "$program is in none of them"; return 1; }
    done
}

# yaml FILE FILTER: prints what the filter of jq's makes of its documents, an array.
yaml() {
    /usr/bin/python3 -c 'import json, sys, yaml
json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout)' < "$1" | jq "$2"
}

# holds FILE FILTER: what the filter makes of the file is true.
holds() { jq -e "$2" "$1" > /dev/null || { echo "$2 does not hold"; return 1; }; }

@test "the stack file and the manifests give the containers what they need, and agree" {
    local stack=$BATS_TEST_TMPDIR/stack set=$BATS_TEST_TMPDIR/set config=$BATS_TEST_TMPDIR/config
    local capabilities='["NET_ADMIN", "NET_RAW", "SETUID", "SETGID"]'
    yaml "$IMAGE/stack.yml" '.[0].services.snowrelay' > "$stack"
    holds "$stack" ".cap_drop == [\"ALL\"] and .cap_add == $capabilities"
    holds "$stack" '[.volumes[].target] == ["/dev/net/tun", "/run/snowrelay", "/tmp"]'
    holds "$stack" '.read_only and .deploy.mode == "global"'
    holds "$stack" '.environment.SERVICENAME == "{{.Service.Name}}"'
    # A service of a Swarm knows none of these.
    holds "$stack" '[.devices, .privileged, .restart, .security_opt] | all(. == null)'

    yaml "$IMAGE/daemonset.yml" 'map({(.kind): .}) | add | .Pod = .DaemonSet.spec.template |
        .Container = .Pod.spec.containers[0]' > "$set"
    holds "$set" '.Container.securityContext.capabilities.drop == ["ALL"]'
    holds "$set" ".Container.securityContext.capabilities.add == $capabilities"
    holds "$set" '.Container.securityContext.readOnlyRootFilesystem'
    holds "$set" '([.Pod.spec.volumes[].name] | sort) == ([.Container.volumeMounts[].name] | sort)'
    # The service finds the pods, and they find each other by its name: what the daemon makes of the
    # file is what the manifests say.
    holds "$set" '.Pod.metadata.labels == .Service.spec.selector'
    holds "$set" '.Pod.metadata.labels == .DaemonSet.spec.selector.matchLabels'
    holds "$set" '.Service.spec | .clusterIP == "None" and .publishNotReadyAddresses'
    holds "$set" '.Container.env[0].value == "/etc/snowrelay/snowrelay.json"'
    jq -r '.ConfigMap.data["snowrelay.json"]' "$set" > "$config"
    "$BUILD/snowrelayd" --config "$config" --check-config > "$config.effective"
    jq --slurpfile config "$config.effective" '.mesh = $config[0].mesh' "$set" > "$set.all"
    holds "$set.all" '.mesh.discover == [.Service.metadata.name]'
    holds "$set.all" '.mesh.port == .Service.spec.ports[0].port'
    holds "$set.all" '.mesh.port == .Container.ports[0].containerPort'
}
