# SPDX-License-Identifier: Apache-2.0
#
# What the tests of captures share. Captures are made in $FOLDER, where every user may, and are
# read with the programs that people read them with.

# shellcheck source=tests/system/common.bash
. "$BATS_TEST_DIRNAME/common.bash"

# seen FILE [PATTERN]: prints how many packets there are in the capture FILE of which the line
# INTERFACE: COMMENT fits the extended regular expression PATTERN.
seen() {
    [ -e "$1.lines" ] || lines "$1" > "$1.lines"
    grep -cE "${2:-}" "$1.lines" || true
}

lines() {
    tshark -n -r "$1" -T fields -e frame.interface_name -e frame.comment -E separator='|' \
        2> "$1.said" | sed 's/|/: /'
    # Of a file that is cut off it says so.
    ! grep -v 'Running as user' "$1.said" >&2
}

# is_whole FILE N: whether FILE can be read to its end, by tshark and by tcpdump, and holds N packets.
is_whole() {
    lines "$1" > "$1.lines" && [ "$(wc -l < "$1.lines")" -eq "$2" ] &&
        tcpdump -nr "$1" > "$1.text" 2> "$1.said" &&
        [ "$(grep -c '^[0-9][0-9]:' "$1.text")" -eq "$2" ]
}

# capture N FILE [ARGUMENT...]: host N's relay begins to capture into FILE, of $FOLDER.
capture() {
    local n=$1 file=$FOLDER/$2
    shift 2
    appctl "$n" capture/start "$@" "$file"
}

# captured N: ends it, and prints what it says of that.
captured() { appctl "$1" capture/stop; }

# no_capture N: ends host N's capture, if there is one.
no_capture() { appctl "$1" capture/stop > /dev/null 2>&1 || true; }

# drops N WAY: prints all the drops of host N's relay on the way WAY, punt or mesh.
drops() { lab_status "$1" "[.counters.$2_dropped[]] | add // 0"; }

# The broadcasts of the capture of EPICS clients: 16, 10 of them on port 5076.
send_searches() {
    lab_on "$1" tcpreplay --quiet --intf1=eth0 --pps=200 "$CAPTURES/epics-client-segment.pcap" > /dev/null
}
