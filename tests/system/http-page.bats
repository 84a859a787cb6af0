#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The page in a real browser, Chromium, with real relays behind it. The browser is on host 1, so that
# it reaches the relay without the switch; what more than the lab has is made up by mock-more.py.

bats_require_minimum_version 1.5.0
load http

setup_file() {
    http_lab
    mkdir "$LAB_DIR/browser"
    lab_in_background h1 env HOME="$LAB_DIR/browser" TMPDIR="$LAB_DIR/browser" chromedriver --port=9515 > "$LAB_DIR/chromedriver.log" 2>&1
    lab_wait 20 grep -q 'started successfully' "$LAB_DIR/chromedriver.log"
    browser start
}

teardown_file() {
    browser end || true
    lab_destroy
}

setup() {
    configure 1
    configure 2
    configure 3
}

teardown() {
    local pid
    [ -z "${MOCK:-}" ] || lab_kill "$MOCK"
    lab_ofctl 1 show br0 > /dev/null 2>&1 || lab_switch_start 1
    pid=$(lab_relay_pid 1) && kill -CONT "$pid" 2> /dev/null
    end_relays
    browser go about:blank
    browser log > /dev/null
    browser requests > /dev/null
}

browser() {
    lab_on h1 "$BATS_TEST_DIRNAME/browser.py" 9515 "$LAB_DIR/browser" "$@"
}

js() { browser js "$1"; }

# shows SELECTOR TEXT: does the element have this text in it?
shows() { [[ "$(js "return document.querySelector(\`$1\`)?.textContent || ''")" == *"$2"* ]]; }

# has SELECTOR N: are there so many of these?
has() { [ "$(js "return document.querySelectorAll(\`$1\`).length")" -eq "$2" ]; }

# open_page [URL]: of relay 1, until it has been filled.
open_page() {
    browser go "${1:-http://127.0.0.1:9714/}"
    lab_wait 10 shows '#facts' 'on bridge br0'
}

# no_trouble [URL]: the console has nothing to say, nothing was asked for elsewhere, and no attack
# came true.
no_trouble() {
    local log requests
    log=$(browser log)
    [ -z "$log" ] || { echo "$log"; return 1; }
    requests=$(browser requests | grep -v -e '^data:' -e '^about:' -e '^chrome:' | sed 's,\([^/]\)/[^/]*$,\1/,' | sort -u)
    [ "$requests" = "${1:-http://127.0.0.1:9714/}" ] || { echo "$requests"; return 1; }
}

keep_broadcasting() {
    lab_in_background "$1" bash -c 'while :; do
        echo x | socat - UDP-DATAGRAM:255.255.255.255:5076,broadcast; sleep 0.1; done'
}

is_positive() { [[ "$(js "return parseFloat(document.querySelectorAll('.rate .value')[$1].textContent) > 0")" == true ]]; }

@test "it shows the relays, who forwards, the rates, and who broadcasts" {
    start 1 2 3
    lab_wait 5 peer_is 1 172.30.0.3 up
    lab_wait 5 peer_is 1 172.30.0.2 segment
    keep_broadcasting h1c1
    keep_broadcasting h3c1
    open_page
    shows '#role' 'Forwards for this segment'
    shows '#host' "$(uname -n)"
    # Two boxes, of three relays, of which two forward: the first of this segment, and the remote one.
    has '#picture .segment' 2
    has '#picture .node' 3
    has '#picture .core' 2
    shows '#picture' '172.30.0.2'
    shows '#picture' '172.30.0.3'
    has '#picture .link' 1
    has '#picture .link.good' 1
    local i
    for i in 0 1 2 3; do
        lab_wait 15 is_positive "$i"
    done
    lab_wait 5 shows '#talkers-rows' '10.1.0.10'
    shows '#talkers-rows' '10.3.0.10'
    shows '#talkers-rows tr:nth-child(1)' '5076'
    shows '#peers-rows' '172.30.0.3'
    lab_wait 10 has '.rate .curve[d^=M]' 5
    no_trouble
}

@test "a link to a relay that is killed changes its colour, and is named" {
    start 1 2 3
    lab_wait 5 peer_is 1 172.30.0.3 up
    open_page
    has '#picture .link.good' 1
    local colour
    colour=$(js 'return getComputedStyle(document.querySelector("#picture .link")).stroke')
    kill -KILL "$(lab_relay_pid 3)"
    lab_wait 20 has '#picture .link.down' 1
    [ "$(js 'return getComputedStyle(document.querySelector("#picture .link")).stroke')" != "$colour" ]
    has '#picture .cross' 1
    shows '#problems' '1 peer does not answer'
    shows '#problems' '172.30.0.3'
    lab_wait 20 shows '#peers-rows tr:nth-child(1)' 'down'
    no_trouble
}

@test "what is dropped is explained" {
    start 1
    open_page
    shows '#drops-rows' 'Nothing has been dropped'
    lab_on u ip address replace 172.30.0.77/24 dev underlay
    snowsignal_datagram | lab_on u socat -u - UDP4-SENDTO:172.30.0.1:7124,bind=172.30.0.77
    lab_wait 10 shows '#drops-rows' 'Sent by somebody who is no peer of this relay'
    no_trouble
}

@test "every reason to drop a frame is in words" {
    start 1
    local reason
    get /metrics > "$BATS_TEST_TMPDIR/metrics"
    while read -r reason; do
        grep -q "^    $reason: \[\"..*\.\"" "$LAB_ROOT/controller/page/words.js" || { echo "$reason"; return 1; }
    done < <(sed -n 's/^snowrelay_frames_dropped_total.*reason="\([a-z_0-9]*\)".*/\1/p' "$BATS_TEST_TMPDIR/metrics")
}

@test "a relay that stands by says so, and who forwards" {
    start 1
    start 2 3
    lab_wait 5 peer_is 2 172.30.0.1 segment
    lab_wait 5 peer_is 2 172.30.0.3 up
    open_page http://10.1.0.102:9714/
    shows '#role' 'Stands by for this segment'
    has '#picture .segment.own' 1
    has '#picture .core' 2
    no_trouble http://10.1.0.102:9714/
}

@test "a relay that does not answer any more, and one that does again" {
    start 1
    open_page
    kill -STOP "$(lab_relay_pid 1)"
    lab_wait 20 shows '#problems' 'The relay does not answer any more'
    js 'return document.querySelector("#fresh").textContent' | grep -qx 'last answer [0-9]* s ago'
    [ "$(js 'return document.body.className')" = stale ]
    kill -CONT "$(lab_relay_pid 1)"
    lab_wait 20 has '#problems[hidden], #problems:not(:has(.bad))' 1
    [ "$(js 'return document.body.className')" = '' ]
}

@test "a switch that is gone is the first thing that one sees" {
    start 1
    open_page
    lab_switch_kill 1
    lab_wait 10 shows '#problems' 'Not connected to the switch'
    shows '#role' 'No switch'
    lab_switch_start 1
    lab_wait 20 shows '#role' 'orwards'
    no_trouble
}

@test "replication rules, and what their collectors get" {
    configure 1 '.replicate = [{name: "sflow", port: 6343, to: [{port: 7343}]}]'
    start 1
    lab_wait 5 collectors_up 1
    open_page
    shows '#rules-rows' 'sflow'
    send h1c1 10.1.0.1 6343 one two three
    lab_wait 15 shows '#rules-rows td:last-child' 3
    no_trouble
}

# mock PEERS: opens the page of mock-more.py.
mock() {
    lab_in_background h1 "$BATS_TEST_DIRNAME/mock-more.py" 9720 http://127.0.0.1:9714 "$1"
    MOCK=$LAB_PID
    lab_wait 5 lab_on h1 sh -c 'ss -Htln | grep -q 127.0.0.1:9720'
    open_page http://127.0.0.1:9720/
}

@test "the name of a host that is an attack is text" {
    local name='<img src=x onerror=document.title=1>'
    cat > "$LAB_DIR/snowrelayd" << END
#!/bin/bash
exec unshare --uts bash -c 'printf %s "\$0" > /proc/sys/kernel/hostname && exec "\$@"' '$name' "$SNOWRELAYD" "\$@"
END
    chmod +x "$LAB_DIR/snowrelayd"
    SNOWRELAYD=$LAB_DIR/snowrelayd start 1
    open_page
    [ "$(js 'return document.querySelector("#host").textContent')" = "$name" ]
    shows '#picture' '<img src=x'
    has img 0
    no_trouble
}

@test "names that are searched for, also one that is an attack" {
    configure 1 '.inspect = ["pva"]'
    configure 3
    start 1 3
    lab_wait 5 peer_is 1 172.30.0.3 up
    open_page
    shows '#searches-rows' 'Nobody has searched yet.'
    local name="<script>document.title='taken'</script>"
    lab_on h1c1 "$BATS_TEST_DIRNAME/pva-stand-in.py" 10.1.0.255 repeat 3 0.3 "$name" SOME:NAME
    lab_on h3c1 "$BATS_TEST_DIRNAME/pva-stand-in.py" 10.3.0.255 repeat 1 0 SOME:NAME
    lab_wait 10 shows '#searches-rows' "$name"
    shows '#searches-rows' 'SOME:NAME'
    lab_wait 10 shows '#searches-rows' '10.3.0.10 (mesh)'
    shows '#searches-sum' 'pva; 2 names, 0 unanswered'
    has 'main script' 0
    [[ "$(js 'return document.title')" != *taken* ]]
    get /metrics | grep -qF "snowrelay_search_name_requests_total{protocol=\"pva\",name=\"$name\"} 3"
    get /metrics | grep -qF "snowrelay_search_client_requests_total{protocol=\"pva\",name=\"$name\",client=\"10.1.0.10\",from=\"segment\"} 3"
    [ "$(metric 'snowrelay_search_requests_total{protocol="pva"}')" = 7 ]
    no_trouble
}

@test "names from the network that are an attack are text (with a mock)" {
    start 1
    mock 3
    shows '#searches-rows' "<script>document.title = 'taken'</script>"
    shows '#searches-rows' 'unanswered: asked for again and again'
    shows '#peers-rows' '<img src=x onerror='
    shows '#picture' '<img src=x'
    has 'img, main script, main a' 0
    [[ "$(js 'return document.title')" != *taken* ]]
    no_trouble http://127.0.0.1:9720/
}

# fits: nothing is wider than the window.
fits() { [ "$(js 'return document.documentElement.scrollWidth <= innerWidth')" = true ]; }

@test "one peer, three, sixty and 250, in a wide window and a narrow one (with a mock)" {
    start 1
    local n
    for n in 1 3 60 250; do
        mock "$n"
        # This relay and all of the others.
        has '#picture .node' $((n + 1))
        has '#picture .link' "$n"
        has '#picture .cross' $((n / 20))
        has '#peers-rows tr' "$n"
        fits
        # Every mark is in the picture, and none on top of another.
        [ "$(js 'const all = [...document.querySelectorAll("#picture .node")].map((e) => e.getBoundingClientRect());
                 const box = document.querySelector("#picture svg").getBoundingClientRect();
                 return all.every((a) => a.left >= box.left && a.right <= box.right && a.top >= box.top && a.bottom <= box.bottom)
                     && all.every((a, i) => all.every((b, j) => i === j || a.right <= b.left || b.right <= a.left
                                                                || a.bottom <= b.top || b.bottom <= a.top));')" = true ]
        browser window 390 800
        fits
        browser window 1280 1000
        lab_kill "$MOCK"
    done
}

@test "dark where that is preferred, and told to those who do not see it" {
    start 1 3
    open_page
    local light
    browser scheme light
    light=$(js 'return getComputedStyle(document.body).backgroundColor')
    browser scheme dark
    [ "$(js 'return getComputedStyle(document.body).backgroundColor')" != "$light" ]
    browser scheme light
    has 'th:not([scope])' 0
    has 'section:not([aria-labelledby])' 0
    shows '#picture svg title' 'The mesh'
    shows '#picture svg desc' 'Forwards for this segment'
    has '[role=status][aria-live=polite]' 1
    has '.scroll:not([tabindex="0"])' 0
    # Lines differ in more than their colour.
    [ "$(js 'return new Set([...document.querySelectorAll("#legend .link")].map((e) => {
                 const s = getComputedStyle(e); return s.strokeDasharray + s.strokeWidth; })).size')" = 6 ]
}
