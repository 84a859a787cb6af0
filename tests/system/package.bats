#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The Debian package: built, installed in a Debian that has nothing else, used, removed and purged there.
# What is downloaded comes from where this host's own apt has it from, and is kept in .cache/.
# The tests are one story, in this order.

bats_require_minimum_version 1.5.0
load debian

setup_file() { debian_make; }
teardown_file() { debian_remove; }

@test "the package is of this version, and lintian finds nothing" {
    local version
    version=$(sed -n 's/^VERSION = //p' "$ROOT/Makefile")
    [ "$(dpkg-deb --field "$(package)" Version)" = "$version" ]
    [ "$(dpkg-parsechangelog -l "$ROOT/debian/changelog" -S Version)" = "$version" ]
    run -0 grep -v '^make' "$BATS_FILE_TMPDIR/make"
    [ "${lines[0]}" = "Building the package; log: build/deb/build.log" ]
    [[ "${lines[1]}" == build/deb/snowrelay-dbgsym_*.deb && "${lines[2]}" == build/deb/snowrelay_*.deb ]]
    [ "${#lines[@]}" -eq 3 ]
}

@test "building it has left nothing in the tree" {
    git -C "$ROOT" rev-parse > /dev/null 2>&1 || skip "not a git repository"
    run -0 git -C "$ROOT" status --porcelain --ignored -- debian
    [[ "$output" != *'!!'* && "$output" != *'??'* ]]
    run -0 find "$ROOT/debian" -name '*.substvars' -o -name files -o -name snowrelay -o -name '*debhelper*'
    [ -z "$output" ]
}

@test "its build dependencies are all that install-deps.sh installs for building" {
    local wanted name
    wanted=$(sed -n '/^BUILD="/,/"/p' "$ROOT/scripts/install-deps.sh" | tr -d '"' | sed 's/^BUILD=//' | tr -s ' ' '\n' | grep -e '-dev$' -e '-source$')
    for name in $wanted; do
        [ "$name" = libc6-dev ] || grep -qE "^(Build-Depends:)? *$name( <.*>)?,?$" "$ROOT/debian/control" ||
            { echo "$name"; return 1; }
    done
}

@test "installed, everything is in its place" {
    local file
    for file in /usr/sbin/snowrelayd /usr/sbin/snowrelay-setup /etc/snowrelay/snowrelay.json \
        /lib/systemd/system/snowrelayd.service /usr/share/doc/snowrelay/docs/packages.md \
        /usr/share/doc/snowrelay/README.md /usr/share/doc/snowrelay/copyright; do
        [ -e "$TARGET$file" ] || { echo "$file"; return 1; }
    done
    inside dpkg --verify snowrelay
    [ "$(dpkg-query --admindir="$TARGET/var/lib/dpkg" -W -f '${Conffiles}' snowrelay | awk '{ print $1 }')" = /etc/snowrelay/snowrelay.json ]
    for file in 8/snowrelayd 8/snowrelay-setup 5/snowrelay.json; do
        run -0 man --manpath="$TARGET/usr/share/man" -w "${file%/*}" "${file#*/}"
    done
}

@test "there is a user that snowrelayd can be, and that nobody can log in as" {
    run -0 inside getent passwd snowrelay
    [[ "$output" =~ ^snowrelay:x:[0-9]+:[0-9]+:snowrelay\ daemon,*:/nonexistent:/usr/sbin/nologin$ ]]
    run -0 inside getent shadow snowrelay
    [[ "$output" == 'snowrelay:!'* ]]
    [ "$(inside stat -c '%U:%G %a' /var/lib/snowrelay)" = "snowrelay:snowrelay 750" ]
}

@test "the service is there, and is not enabled" {
    [ -z "$(find "$TARGET/etc/systemd" -name '*snowrelay*')" ]
    run -0 systemctl --root="$TARGET" enable snowrelayd
    run -0 systemctl --root="$TARGET" is-enabled snowrelayd
    run -0 systemctl --root="$TARGET" disable snowrelayd
}

@test "for another bridge there is a template, which differs in where its files are only" {
    local units=$TARGET/lib/systemd/system
    run -0 systemctl --root="$TARGET" enable snowrelayd@hub
    run -0 systemctl --root="$TARGET" disable snowrelayd@hub
    run -1 diff "$units/snowrelayd.service" "$units/snowrelayd@.service"
    [ "$(grep -c '^>' <<< "$output")" -eq 3 ]
    [[ "$output" == *"> Description=snowrelay as /etc/snowrelay/%i.json has it"* ]]
    # With this build in place of the installed one
    sed "s,/usr/sbin/snowrelayd,$ROOT/build/snowrelayd," "$units/snowrelayd@.service" \
        > "$BATS_TEST_TMPDIR/snowrelayd@.service"
    run -0 systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/snowrelayd@hub.service"
    [ -z "$output" ]
}

@test "snowrelayd runs, and relays nothing with the configuration as installed" {
    run -0 inside snowrelayd --version
    [[ "$output" == "snowrelayd "* ]]
    run -0 inside snowrelayd --config /etc/snowrelay/snowrelay.json --check-config
    [ "$(jq -c '[.bridge, .relay.ports, .mesh.peers, .replicate]' <<< "$output")" = '["br0",[],[],[]]' ]
}

@test "bash completes the options of both" {
    run -0 complete_line "snowrelayd --transp"
    [ "$output" = --transport= ]
    run -0 complete_line "snowrelayd --transport="
    [ "$output" = "udp vxlan geneve" ]
    run -0 complete_line "snowrelay-setup up --data"
    [ "$output" = --datapath ]
    run -0 complete_line "snowrelay-setup up -- --check"
    [ "$output" = --check-config ]
}

# complete_line LINE: prints what bash makes of it, with the package's completions and programs.
complete_line() {
    # shellcheck disable=SC2016
    PATH=$TARGET/usr/sbin:$PATH XDG_DATA_DIRS=$TARGET/usr/share bash --norc -c '
        . /usr/share/bash-completion/bash_completion
        COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9
        # Words as readline has them: "=" is one.
        read -ra COMP_WORDS <<< "${1//=/ = }"
        [[ "$1" != *[\ =] ]] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _completion_loader "${COMP_WORDS[0]}"
        function=$(complete -p "${COMP_WORDS[0]}" | sed "s/.*-F \([^ ]*\).*/\1/")
        [[ "$function" == _snowrelay* ]] || exit 1
        "$function" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2> /dev/null
        echo "${COMPREPLY[*]}"' - "$1"
}

@test "snowrelay-setup says what demo lacks" {
    run -1 inside snowrelay-setup demo
    [ "$output" = "snowrelay-setup: demo needs programs that are not installed: jq socat tcpdump" ]
}

@test "with these, demo shows a broadcast cross, with the programs of the package" {
    online apt-get install -y --no-install-recommends jq socat tcpdump > "$BATS_TEST_TMPDIR/install" 2>&1
    run -0 inside snowrelay-setup demo
    [[ "$output" == *"On host h1: snowrelay-setup up --uplink seg0 -- --other-relays 172.30.0.2"* ]]
    [[ "$output" == *"+ start /usr/sbin/snowrelayd -t br0 "* ]]
    [[ "$output" == *"the server at 10.2.0.10 answers: DEMO:TEMPERATURE is mine"* ]]
    [[ "$output" == *"at 10.2.0.10: "*"beam lost"* ]]
}

@test "snowrelay-setup sets the host up with what is installed, and leaves the user alone" {
    # shellcheck disable=SC2016
    run -0 inside bash -ec '
        ip link add uplink type veth peer name other
        ip address add 192.0.2.1/24 dev uplink
        snowrelay-setup up --uplink uplink --datapath netdev -- --other-relays 192.0.2.2
        ps -o user= -p "$(cat /run/openvswitch/snowrelayd.pid)" | grep -x snowrelay
        snowrelay-setup status | grep "bridge: br0 at .*, connected, flows in place"
        ip address show dev br0 | grep -q 192.0.2.1
        if dpkg --remove snowrelay 2>&1; then exit 99; fi
        snowrelay-setup down
        ip address show dev uplink | grep -q 192.0.2.1
        getent passwd snowrelay'
    [[ "$output" == *"+ start /usr/sbin/snowrelayd -t br0 "* ]]
    [[ "$output" == *"= the user snowrelay is there"* ]]
    [[ "$output" == *"this host is set up with the bridge br0; first run: snowrelay-setup down --bridge br0"* ]]
    [[ "$output" != *"remove the user"* ]]
}

@test "a user that ovs-setup.sh has made becomes the package's when that is installed" {
    run -0 inside bash -ec '
        usermod --comment "snowrelayd, made by ovs-setup.sh" snowrelay
        dpkg-reconfigure --force snowrelay
        getent passwd snowrelay'
    [[ "$output" == *":snowrelay daemon"*":/nonexistent:"* ]]
}

# What gives the host a bridge, and then a daemon with a rule, as the service starts it
replicating='
        snowrelay-setup up --datapath netdev -- --other-relays 192.0.2.2 > /dev/null
        ovs-appctl -t snowrelayd exit --cleanup
        while pgrep snowrelayd > /dev/null; do sleep 0.1; done
        echo "{\"replicate\": [ {\"port\": 514, \"to\": [ {\"port\": 1514} ] } ] }" > /var/lib/snowrelay/test.json
        snowrelayd --config /var/lib/snowrelay/test.json --detach -vconsole:err
        while ! ovs-appctl -t snowrelayd status | grep -q "flows in place"; do sleep 0.1; done'

@test "removed while it is stopped, it takes the flows with it that were to go on" {
    # shellcheck disable=SC2016 # the shell inside expands it
    run -0 inside bash -ec "$replicating"'
        ovs-appctl -t snowrelayd exit
        while pgrep snowrelayd > /dev/null; do sleep 0.1; done
        ours() { ovs-ofctl dump-flows br0 cookie=0x534e4f5700000000/0xffffffff00000000 | grep -c cookie=; }
        [ "$(ours)" -gt 0 ]
        mv /run/openvswitch/snowrelay-setup /run/openvswitch/set-aside
        dpkg --remove snowrelay 2>&1
        ours || true
        dpkg --install '"/$(basename "$(package)")"' > /dev/null
        mv /run/openvswitch/set-aside /run/openvswitch/snowrelay-setup
        snowrelay-setup down > /dev/null'
    [[ "$output" == *"removing snowrelayd's flows from bridge br0"* ]]
    [ "${lines[-1]}" = 0 ]
}

@test "removed, it takes what it has on the switches with it, and leaves the configuration" {
    # The second one as an instance of the template has it
    # shellcheck disable=SC2016 # the shell inside expands it
    run -0 inside bash -ec "$replicating"'
        of_unit() { sed -n "s/%i/second/g; s/^$1=//p" /lib/systemd/system/snowrelayd@.service; }
        ovs-vsctl add-br br1 -- set bridge br1 datapath_type=netdev
        ip address add 192.0.2.129/25 dev br1
        ip link set br1 up
        echo "{\"bridge\": \"br1\", \"mesh\": {\"port\": 7125}}" > /etc/snowrelay/second.json
        $(of_unit ExecStart) --detach
        jq -c ".bridge = \"br1\" | .mesh.port = 7125" /var/lib/snowrelay/test.json > /etc/snowrelay/second.json
        $(of_unit ExecReload) > /dev/null
        while ! ovs-ofctl -O OpenFlow15 dump-groups br1 | grep bucket= > /dev/null; do sleep 0.1; done
        groups() { ovs-ofctl -O OpenFlow15 dump-groups "$1" | grep -c bucket= || true; }
        flows() { ovs-ofctl dump-flows "$1" cookie=0x534e4f5700000000/0xffffffff00000000 | grep -c cookie= || true; }
        groups br0
        groups br1
        rm -r /run/openvswitch/snowrelay-setup
        dpkg --remove snowrelay > /dev/null 2>&1
        ! pgrep snowrelayd
        groups br0
        groups br1
        flows br0
        flows br1
        rm /etc/snowrelay/second.json'
    [ "$(xargs <<< "$output")" = "1 1 0 0 0 0" ]
    [ ! -e "$TARGET/usr/sbin/snowrelayd" ]
    [ -e "$TARGET/etc/snowrelay/snowrelay.json" ]
}

@test "purged, nothing is left but the user" {
    inside dpkg --purge snowrelay
    run -0 find "$TARGET" -xdev -name '*snowrelay*' ! -name 'snowrelay_*.deb'
    [ -z "$output" ]
    inside getent passwd snowrelay
    run -0 inside find / -xdev -user snowrelay
    [ -z "$output" ]
}
