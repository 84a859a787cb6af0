# SPDX-License-Identifier: Apache-2.0
#
# What the system tests share, besides the lab.

# shellcheck source=scripts/lab.sh
. "$BATS_TEST_DIRNAME/../../scripts/lab.sh"

# A file has one lab, which setup_file makes.
teardown_file() { lab_destroy; }

export CAPTURES=$BATS_TEST_DIRNAME/../captures

# record NODE FILE FILTER...: begins to write what arrives on NODE's eth0 to FILE; returns once
# tcpdump listens. Its pid is in LAB_PID.
record() {
    local node=$1 file=$2
    shift 2
    lab_in_background "$node" tcpdump -i eth0 --immediate-mode -B 8192 -U -w "$file" -Q in "$@" 2> "$file.log"
    lab_wait 5 grep -q 'listening on' "$file.log"
}

# stop_recording FILE [N]: ends the tcpdump that writes FILE, once that holds N frames, or 5 s have
# gone, and it has stopped growing.
stop_recording() {
    local file=$1 size=-1
    lab_wait 5 has_frames "$file" "${2:-0}" || true
    while [ "$(stat -c %s "$file")" != "$size" ]; do
        size=$(stat -c %s "$file")
        sleep 0.3
    done
    lab_kill "$LAB_PID"
}

has_frames() { [ "$(count "$1")" -ge "$2" ]; }

# count FILE [FILTER...]: prints the number of frames in FILE.
count() {
    local file=$1
    shift
    tcpdump -nr "$file" "$@" 2> /dev/null | wc -l
}

# broadcast NODE TEXT [ADDRESS] [PORT]
broadcast() {
    printf '%s' "$2" | lab_on "$1" socat - "UDP-DATAGRAM:${3:-255.255.255.255}:${4:-5076},broadcast"
}

# appctl N COMMAND...: on host N.
appctl() {
    local n=$1
    shift
    lab_on "h$n" ovs-appctl -t snowrelayd "$@"
}

# Our flows on host N's bridge, without what counts and ages.
our_flows() {
    lab_ofctl "$1" --no-stats dump-flows br0 "cookie=$LAB_COOKIE" | grep cookie= | sort
}
