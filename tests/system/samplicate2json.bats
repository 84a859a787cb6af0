#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# scripts/samplicate2json: what it makes of samplicate's command lines and files, which is accepted,
# and what it says of that which has no counterpart.

bats_require_minimum_version 1.5.0

setup() {
    ROOT=$BATS_TEST_DIRNAME/../..
    SNOWRELAYD=${SNOWRELAYD:-$ROOT/build/snowrelayd}
    cd "$BATS_TEST_TMPDIR" || return
}

# becomes RULE...: these rules, in the syntax of jq, are what $arguments become, and are accepted.
becomes() {
    local IFS=,
    "$ROOT/scripts/samplicate2json" "${arguments[@]}" > got.json 2> said || { cat said; return 1; }
    "$SNOWRELAYD" --config got.json --check-config > effective
    diff <(jq -nS "{replicate: [$*]}") <(jq -S . got.json)
}

# says LINE...: and these lines are all that is said.
says() { diff <([ $# -eq 0 ] || printf 'samplicate2json: %s\n' "$@") said; }

# refuses LINE: $arguments become nothing, with this one line.
refuses() {
    run -1 --separate-stderr "$ROOT/scripts/samplicate2json" "${arguments[@]}"
    # shellcheck disable=SC2154 # run sets it.
    [ -z "$output" ] && diff <(echo "samplicate2json: $1") <(echo "$stderr")
}

@test "receivers of the command line" {
    arguments=(-p 2055 127.0.0.1/7000 10.1.0.20 '[2001:db8::7]/2056' collector/2055)
    becomes '{name: "all", port: 2055, to: [{port: 7000}, {host: "10.1.0.20", port: 2000},
              {host: "2001:db8::7", port: 2056}, {host: "collector", port: 2055}]}'
    says
    arguments=(-s 192.0.2.1 -f -m pid -d 1 -b 1000 -u 1500 -n -4 10.1.0.20/6343)
    becomes '{name: "all", port: 2000, destination: "192.0.2.1", to: [{host: "10.1.0.20", port: 6343}]}'
    says
}

@test "a range of ports" {
    arguments=(10.1.0.20/7000-7002 localhost/8000+2)
    becomes '{name: "all", port: 2000, to: [{host: "10.1.0.20", port: 7000}, {host: "10.1.0.20", port: 7001},
              {host: "10.1.0.20", port: 7002}, {port: 8000}, {port: 8001}]}'
    says
}

@test "lines of a file, with an -S before or after it" {
    cat > conf << 'END'
# Nothing, and nothing:

10.0.0.0/255.255.0.0: 10.1.0.20/9995 127.0.0.1/9996   # two
192.0.2.7:10.1.0.21/9995
0.0.0.0: 10.1.0.22/9995
192.0.2.8:
[2001:db8::]/32: [2001:db8::7]/9995
END
    arguments=(-S -c conf)
    becomes '{name: "line-3", port: 2000, from: "10.0.0.0/16",
              to: [{host: "10.1.0.20", port: 9995, source: "keep"}, {port: 9996}]}' \
        '{name: "line-4", port: 2000, from: "192.0.2.7/32", to: [{host: "10.1.0.21", port: 9995, source: "keep"}]}' \
        '{name: "line-5", port: 2000, to: [{host: "10.1.0.22", port: 9995, source: "keep"}]}' \
        '{name: "line-7", port: 2000, from: "2001:db8::/32", to: [{host: "2001:db8::7", port: 9995, source: "keep"}]}'
    says
    echo '192.0.2.7: 10.1.0.21/9995' > conf
    arguments=(-c conf -S 10.1.0.20/9995)
    becomes '{name: "line-1", port: 2000, from: "192.0.2.7/32", to: [{host: "10.1.0.21", port: 9995}]}' \
        '{name: "all", port: 2000, to: [{host: "10.1.0.20", port: 9995, source: "keep"}]}'
    says
}

@test "what is not the same is said" {
    cat > conf << 'END'
10.3.0.1/24: 10.1.0.20/9995/10
[2001:db8::]/32: [2001:db8::7]/9995
END
    arguments=(-s 192.0.2.1 -x 10 -t 1000 -c conf '10.1.0.21/9995/1,12')
    becomes '{name: "line-1", port: 2000, from: "10.3.0.0/24", destination: "192.0.2.1", to: [{host: "10.1.0.20", port: 9995}]}' \
        '{name: "all", port: 2000, destination: "192.0.2.1", to: [{host: "10.1.0.21", port: 9995}]}'
    says '-x: copies are not delayed' '-t: replicate/show tells whether anything comes' \
        'conf:1: 10.3.0.1/24: samplicate finds nobody in it, its address being none of a subnet; here it is 10.3.0.0/24' \
        'conf:1: 10.1.0.20/9995/10: every datagram is copied, not one in 10' \
        'conf:2: [2001:db8::]/32 cannot send to 192.0.2.1, and is left out' \
        "command line: 10.1.0.21/9995/1,12: the TTL is the exporter's less one, not 12"
}

@test "what cannot be said is refused" {
    local case
    arguments=()
    refuses 'command line: no receivers'
    arguments=(-q)
    refuses 'command line: option -q not recognized'
    arguments=(10.1.0.20/syslog)
    refuses 'command line: syslog is not a port, by its number'
    arguments=(-c conf)
    refuses "conf: [Errno 2] No such file or directory: 'conf'"
    arguments=(-c conf)
    echo '192.0.2.7 10.1.0.20/9995' > conf
    refuses 'conf:1: there is no colon'
    for case in 10.0.0.0/255.0.255.0 10.0.0.0/0.0.0.255 10.0.0.0/33 exporter; do
        echo "$case: 10.1.0.20/9995" > conf
        run -1 "$ROOT/scripts/samplicate2json" "${arguments[@]}"
        [[ "$output" == "samplicate2json: conf:1: $case: "* ]] && [ "${#lines[@]}" -eq 1 ]
    done
}
