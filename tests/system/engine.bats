#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The container image, built of the Dockerfile and run by an engine: podman and runc. Its base is a Debian
# made by debootstrap.

bats_require_minimum_version 1.5.0
load common
load container
load debian

setup_file() {
    export STORE=$ROOT/build/engine
    container_lab
    drop_store
    mkdir -p "$STORE"
    debian_remove
    debian_root
    tar --create --directory="$TARGET" --file="$STORE/base.tar" .
    debian_remove
    engine import "$STORE/base.tar" debian:bookworm-slim > "$BATS_FILE_TMPDIR/import" 2>&1 ||
        { cat "$BATS_FILE_TMPDIR/import"; return 1; }
    engine build --format docker --network host --pull=never --isolation chroot --tag snowrelay \
        --file "$IMAGE/Dockerfile" "$ROOT" > "$BATS_FILE_TMPDIR/build" 2>&1 ||
        { tail -n 20 "$BATS_FILE_TMPDIR/build"; return 1; }
}

setup() { name_containers; }

teardown() {
    engine rm --all --force --time 0 > /dev/null
    end_name_server
}

teardown_file() {
    lab_destroy
    debian_remove
    drop_store
}

# Its files, and control groups, are its own.
engine() {
    podman --root "$STORE/root" --runroot "$STORE/run" --tmpdir "$STORE/tmp" --storage-driver overlay \
        --runtime runc --cgroup-manager cgroupfs --events-backend file "$@" < /dev/null 3>&-
}

drop_store() {
    local group
    [ -d "$STORE" ] || return 0
    engine rm --all --force --time 0 > /dev/null
    awk -v below="$STORE/" 'index($2, below) == 1 { print $2 }' /proc/mounts | tac | xargs -r umount
    rm -rf "$STORE"
    # It makes the second one as well, for what watches the containers.
    for group in /sys/fs/cgroup{,/*}/{snowrelay-test,libpod_parent}; do
        [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || true
    done
}

# engine_run ARG...: engine run ARG..., with limits that this host lets an engine set, which may not have
# CAP_SYS_RESOURCE.
engine_run() {
    engine run --cgroup-parent /snowrelay-test --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
}

# start N ENGINE-OPTION... [-- ARG...]: runs container N.
start() {
    local n=$1 options=()
    shift
    while [ "${1:---}" != -- ]; do
        options+=("$1")
        shift
    done
    shift || true
    # Without systemd there are no timers for the check of its health.
    engine_run --detach --name "c$n" --network "ns:/run/netns/$LAB-h${n}c1" --health-interval disable \
        --volume "$LAB_DIR/c$n/resolv.conf:/etc/resolv.conf:ro" "${options[@]}" snowrelay "$@" > /dev/null
    lab_wait 20 healthy "$n" || { engine logs "c$n"; return 1; }
}

healthy() { engine healthcheck run "c$1" > /dev/null 2>&1; }

inside() { engine exec "c$1" "${@:2}"; }

# stop N: it ends, with status 0, before it would be killed.
stop() {
    engine stop --time 10 "c$1" > /dev/null
    [ "$(engine inspect --format '{{.State.ExitCode}}' "c$1")" = 0 ]
}

# The options that docs/containers.md has for docker run
documented() { sed -n '/^docker run -d/,/^ *snowrelay /p' "$ROOT/docs/containers.md" | sed '1d;$d;s/\\$//'; }

@test "the image has the programs, and nothing that they were built with" {
    local program
    run -0 engine_run --rm --network none snowrelay --version
    [[ "$output" == *"snowrelayd $(sed -n 's/^VERSION = //p' "$ROOT/Makefile")"* ]]
    for program in gcc make git; do
        run -127 engine_run --rm --network none --entrypoint "$program" snowrelay --version
    done
    [ "$(engine_run --rm --network none --entrypoint id snowrelay -un snowrelay)" = snowrelay ]
}

@test "two containers of a service relay with NET_ADMIN, NET_RAW and /dev/net/tun alone, on a read-only root" {
    local n before least=(--cap-drop ALL --cap-add NET_ADMIN --cap-add NET_RAW --device /dev/net/tun
        --read-only --tmpfs /run/snowrelay --tmpfs /tmp --env SERVICENAME=relays)
    before=$(belongings 1)
    start 1 "${least[@]}"
    start 2 "${least[@]}"
    lab_wait 20 peers_up 1 10.2.0.10:7124
    lab_wait 20 peers_up 2 10.1.0.10:7124
    crosses 1 2 limited
    crosses 2 1 directed 10.2.0.255
    for n in 1 2; do
        [ "$(capabilities_of "$(process "$n" snowrelayd)")" = 0000000000000000 ]
    done
    stop 1
    run -0 diff <(echo "$before") <(belongings 1)
    engine logs c1 2>&1 | tail -n 1 | grep -q "entrypoint INFO: stopped"
}

@test "with the options that the documentation has snowrelayd is the user snowrelay" {
    local options
    read -ra options <<< "$(documented | xargs)"
    [ "${#options[@]}" -gt 10 ]
    start 1 "${options[@]}" -- --other-relays 10.2.0.10
    start 2 "${options[@]}" -- --other-relays 10.1.0.10
    lab_wait 20 peers_up 1 10.2.0.10:7124
    crosses 1 2 hello
    [ "$(user_of "$(process 1 snowrelayd)")" = "$(inside 1 id -u snowrelay)" ]
    stop 2
    stop 1
}

@test "bound as a volume, as a Swarm and Kubernetes have it, /dev/net/tun is one that may be used" {
    start 1 --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_RAW --read-only --tmpfs /run/snowrelay --tmpfs /tmp \
        --volume /dev/net/tun:/dev/net/tun -- --other-relays 10.2.0.10
    ip -n "$LAB-h1c1" -details link show dev br0 | grep -q "tun type tap"
}

@test "it is healthy while snowrelayd is connected to the switch, and not otherwise" {
    local pid
    start 1 --cap-add NET_ADMIN --cap-add NET_RAW --device /dev/net/tun -- --other-relays 10.2.0.10
    pid=$(process 1 snowrelayd)
    kill -STOP "$pid"
    run ! healthy 1
    kill -CONT "$pid"
    lab_wait 10 healthy 1
}
