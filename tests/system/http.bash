# SPDX-License-Identifier: Apache-2.0
#
# What the tests of the web server share: hosts 1 and 2 are on the segment of host 1, host 3 has its
# own.

# shellcheck source=tests/system/common.bash
. "$BATS_TEST_DIRNAME/common.bash"

http_lab() {
    local n
    lab_init
    for n in 1 2 3; do
        lab_host "$n"
    done
    lab_lan 1 2
    for n in 1 2 3; do
        lab_client "$n" 1
    done
}

# configure N [FILTER]: writes the file of relay N: all of them are peers, it serves HTTP on each of
# its addresses, and FILTER, of jq, makes of that what the test wants.
configure() {
    jq -n '{http: "0.0.0.0:9714",
            mesh: {peers: ["172.30.0.1", "172.30.0.2", "172.30.0.3"]}} | '"${2:-.}" > "$LAB_DIR/h$1.json"
}

# start N...: starts these relays.
start() {
    local n
    for n; do
        lab_relay "$n" --config "$LAB_DIR/h$n.json" || return
    done
}

end_relays() {
    local n
    for n in 1 2 3; do
        lab_relay_stop "$n" 2> /dev/null || true
    done
}

# get PATH [OPTION...]: of relay 1, by curl.
get() { lab_on h1 curl -s --max-time 20 "${@:2}" "http://127.0.0.1:9714$1"; }

# code PATH [OPTION...]: prints the status of the answer.
code() { get "$@" -o /dev/null -w '%{http_code}'; }

# metric NAME: prints the value of the series NAME, with its labels, of relay 1.
metric() { get /metrics | awk -v name="$1" '{ n = index($0, name " ") } n == 1 { print $NF }'; }

# at_least NAME N: is a metric so great?
at_least() { [ "$(metric "$1")" -ge "$2" ]; }

metric_is() { [ "$(metric "$1")" = "$2" ]; }

# listens: where TCP is listened on host 1, in one line.
listens() { lab_on h1 ss -Hltn | awk '{ print $4 }' | sort | tr '\n' ' '; }

listens_are() { [ "$(listens)" = "$1" ]; }
