#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Wrong input of every kind gets one line that says what is wrong, and does nothing else. The cases are
# in bad-input/, a line each; those of the configuration's values are in tests/unit/test-conf.c.

bats_require_minimum_version 1.5.0
load common

setup_file() {
    lab_init
    lab_host 1
    HERE=$LAB_DIR/here
    export HERE
    mkdir -p "$HERE/run" "$HERE/folder"
    cd "$HERE" || return
    echo a.example.org > hostname
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=a \
        -keyout key.pem -out cert.pem 2> /dev/null
    openssl genpkey -algorithm ed25519 -out other.pem
}

setup() {
    cd "$HERE" || return
    shopt -s globstar dotglob nullglob
}

teardown() { lab_relay_stop 1 2> /dev/null || true; }

# each_case FILE COMMAND...: runs COMMAND for each case of FILE, with what is given, taken apart like a
# command line, as arguments, and $expected set. Goes on after one that fails, and fails in the end.
each_case() {
    local file=$BATS_TEST_DIRNAME/bad-input/$1 case given expected n=0 failed=0
    shift
    while IFS= read -r case; do
        [[ -n "$case" && "$case" != '#'* ]] || continue
        given=${case%% | *}
        expected=${case#* | }
        expected=${expected//\$HERE/$HERE}
        expected=${expected//\$LAB/$LAB}
        n=$((n + 1))
        eval "$(printf '"$@" %s' "$given")" || { failed=$((failed + 1)) && echo "not so: $case"; }
    done < "$file"
    echo "$n cases, $failed of them failed"
    ((n > 0 && failed == 0))
}

# split_variables ARGUMENT...: what is before the program goes to the array variables, the rest to
# arguments.
split_variables() {
    variables=()
    while [[ "${1:-}" =~ ^[A-Z_]+= ]]; do
        variables+=("$1")
        shift
    done
    arguments=("$@")
}

# refused PREFIX COMMAND...: it says just $expected, after PREFIX, with status 2, and leaves the folder
# as it is.
refused() {
    local prefix=$1 status=0 said
    local -a before=("$HERE"/**) after
    shift
    timeout 5 "$@" > "$LAB_DIR/out" 2> "$LAB_DIR/err" < /dev/null || status=$?
    said=$(< "$LAB_DIR/err")
    # The asterisk is a process id.
    [[ ! "$said" =~ snowrelayd\.[0-9]+\.ctl ]] || said=${said/"${BASH_REMATCH[0]}"/snowrelayd.*.ctl}
    if ((status != 2)) || [[ -s "$LAB_DIR/out" || "$said" != "$prefix$expected" ]]; then
        echo "status $status:"
        head -c 1000 "$LAB_DIR/out" "$LAB_DIR/err"
        return 1
    fi
    after=("$HERE"/**)
    [ "${before[*]}" = "${after[*]}" ] || { echo "before: ${before[*]}, after: ${after[*]}"; return 1; }
}

daemon_refuses() {
    local -a variables arguments
    split_variables "$@"
    refused "snowrelayd: " env "OVS_RUNDIR=$HERE/run" "OVS_LOGDIR=$HERE/run" "${variables[@]}" \
        "$SNOWRELAYD" "${arguments[@]}"
}

@test "options and variables" { each_case options daemon_refuses; }

@test "every option that --help names has its case" {
    local option missing=''
    for option in $("$SNOWRELAYD" --help | grep -oE '(^|[ ,])--[a-z][a-z-]+' | sort -u); do
        grep -qE -e "^([^|]* )?${option}[= ]" "$BATS_TEST_DIRNAME/bad-input/options" || missing+=" $option"
    done
    # Variables are what looks like one in a string of its own.
    while read -r option; do
        grep -qE -e "^([^|]* )?$option=" "$BATS_TEST_DIRNAME/bad-input/options" || missing+=" $option"
    done < <(grep -ohE '"[A-Z][A-Z_]{4,}"' "$LAB_ROOT"/controller/{options,conf-load,own-files}.c | tr -d '"')
    [ -z "$missing" ] || { echo "without a case:$missing"; return 1; }
}

# Prints the path of each key that the daemon knows, as in conf-file.c, where a function's name says
# which object its keys are of.
known_keys() {
    awk '
        BEGIN {
            of["set_root"] = ""; of["set_relay"] = "relay."; of["set_segment"] = "segment."
            of["set_mesh"] = "mesh."; of["add_rule"] = "replicate[0]."
            of["add_collector"] = "replicate[0].to[0]."
        }
        match($0, /^[a-z_]+\(/) { name = substr($0, 1, RLENGTH - 1) }
        /^ +{ (\.name = )?"[a-z_]+"/ {
            split($0, part, "\"")
            print (name in of ? of[name] : "unknown function " name " ") part[2]
        }' "$LAB_ROOT/controller/conf-file.c"
}

@test "every key of the file has its cases among the unit tests" {
    local key pattern text missing='' n=0
    # Strings as the compiler puts them together
    text=$(tr '\n' ' ' < "$LAB_ROOT/tests/unit/test-conf.c" | sed -E 's/" +"//g; s/\\"/'\''/g')
    while read -r key; do
        n=$((n + 1))
        pattern=$(sed -E 's/\[0\]/\\[[0-9]\\]/g; s/\./\\./g' <<< "$key")
        grep -qE "\"$pattern(\[[0-9]\])*: .* is (an?|null|true|false)[ ,]" <<< "$text" ||
            missing+=" $key:type"
        grep -oE "\"$pattern(\[[0-9]+\])*: [^\"]*\"" <<< "$text" |
            grep -qvE ' is (an?|null|true|false)[ ,]' ||
            [[ "$key" =~ ^(relay|mesh|segment|replicate|segment.election)$ ]] || missing+=" $key:value"
    done < <(known_keys)
    [ "$n" -ge 40 ]
    [ -z "$missing" ] || { echo "without a case:$missing"; return 1; }
}

# shellcheck disable=SC2030,SC2031  # each test has its own $expected
@test "a file that the daemon may not read" {
    cp "$SNOWRELAYD" "$BATS_TEST_TMPDIR/snowrelayd"
    echo '{}' > "$BATS_TEST_TMPDIR/secret"
    chmod 600 "$BATS_TEST_TMPDIR/secret"
    chmod -R go+X "$BATS_TEST_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")" "$BATS_RUN_TMPDIR"
    chmod 755 "$BATS_TEST_TMPDIR/snowrelayd"
    local -a as_nobody=(setpriv --reuid=65534 --clear-groups "$BATS_TEST_TMPDIR/snowrelayd")
    expected="$BATS_TEST_TMPDIR/secret: cannot open the configuration file: Permission denied"
    refused "snowrelayd: " "${as_nobody[@]}" --check-config --config "$BATS_TEST_TMPDIR/secret"
    expected="--private-key: cannot read \"$BATS_TEST_TMPDIR/secret\": Permission denied"
    refused "snowrelayd: " "${as_nobody[@]}" --check-config --private-key "$BATS_TEST_TMPDIR/secret"
    expected="--pidfile: cannot make \"$HERE/folder/pid\": $HERE/folder: Permission denied"
    refused "snowrelayd: " "${as_nobody[@]}" --pidfile="$HERE/folder/pid"
}

@test "keys and certificates that are right" {
    echo '{"bridge": "br0"}' > right.json
    run -0 --separate-stderr "$SNOWRELAYD" --check-config -p key.pem -c cert.pem -C cert.pem \
        --peer-ca-cert cert.pem --ssl-protocols TLSv1.2,TLSv1.1 --ssl-ciphers HIGH \
        --switch ssl:192.0.2.1:6653 --db ssl:192.0.2.1:6640
    # shellcheck disable=SC2154  # run sets it
    [ -z "$stderr" ]
    run -0 "$SNOWRELAYD" --check-config -p other.pem --ca-cert none
    run -0 "$SNOWRELAYD" --check-config --bootstrap-ca-cert new.pem
    [ ! -e new.pem ]
    rm right.json
}

# What a relay is and has, without what counts and ages.
state_of_relay() {
    lab_status 1 '{bridge, ports, mesh, local_mac, relay_id, peers: [.peers[].address]}'
    our_flows 1
    find "$LAB_DIR/h1" | sort
}

# shellcheck disable=SC2031
command_refused() {
    local status=0
    lab_on h1 ovs-appctl -t snowrelayd "$@" > "$LAB_DIR/out" 2> "$LAB_DIR/err" || status=$?
    ((status == 2)) && [ ! -s "$LAB_DIR/out" ] &&
        diff <(printf '%s\n' "$expected" 'ovs-appctl: snowrelayd: server returned an error') "$LAB_DIR/err"
}

@test "commands of ovs-appctl" {
    local before
    lab_relay 1 --other-relays 172.30.0.2
    before=$(state_of_relay)
    each_case commands command_refused
    diff <(echo "$before") <(state_of_relay)
}

@test "every command has its case" {
    local command missing=''
    while read -r command; do
        grep -qE "^$command " "$BATS_TEST_DIRNAME/bad-input/commands" || missing+=" $command"
    done < <(sed -n 's/.*unixctl_command_register("\([^"]*\)".*/\1/p' "$LAB_ROOT"/controller/*.c)
    [ -z "$missing" ] || { echo "without a case:$missing"; return 1; }
}

# The file | the answer, after its name
wrong_reloads() {
    cat << 'END'
 | : empty; the least that a configuration can be is {}
{"relay": | :2:0: not valid JSON: unexpected token near end of file
[] | : the file: [] is an array, not an object
{"brigde": "br0"} | : brigde: unknown key; the nearest known one is "bridge"
{"relay": {"ports": [0]}} | : relay.ports[0]: 0 is not from 1 to 65535
{"relay": {"ports": [5064], "forward": "resubmit(,300)"}} | : relay.forward: "resubmit(,300)" is not a list of OpenFlow actions such as NORMAL or resubmit(,10): 300: resubmit to unknown table
{"mesh": {"peers": ["a\nb"]}} | : mesh.peers[0]: "a\nb" is neither an address nor a host name, with or without :PORT
END
}

@test "reloads" {
    local file=$HERE/reload.json before text
    echo '{"relay": {"ports": [5076]}, "mesh": {"peers": ["172.30.0.2"]}}' > "$file"
    lab_relay 1 --config "$file"
    before=$(state_of_relay)
    while IFS= read -r text; do
        echo "$text"
        expected=$file${text#* | }
        printf '%s\n' "${text% | *}" > "$file"
        command_refused config/reload
        diff <(echo "$before") <(state_of_relay)
    done < <(wrong_reloads)
    rm "$file"
    expected="$file: cannot open the configuration file: No such file or directory"
    command_refused config/reload
    mkfifo "$file"
    expected="$file: cannot open the configuration file: not a regular file"
    command_refused config/reload
    diff <(echo "$before") <(state_of_relay)
    rm "$file"
}

script_refuses() {
    local -a variables arguments
    split_variables "$@"
    refused "" env "OVS_RUNDIR=$HERE/run" "LAB_DIR=$LAB_DIR" "${variables[@]}" \
        "$LAB_ROOT/${arguments[0]}" "${arguments[@]:1}"
}

@test "scripts" { each_case scripts script_refuses; }

@test "every option of a script has its case" {
    local script option missing=''
    for script in ovs-setup.sh scripts/bench{,-relay,-replicate,-mesh,-segment,-growth}; do
        for option in $("$LAB_ROOT/$script" --help | sed 's/snowrelayd *--[a-z-]*//' |
            grep -oE '(^| |\[)--[a-z][a-z-]+' | tr -d ' [' | sort -u); do
            grep -qE -e "^([A-Z]+= )?$script ([^|]* )?${option}[= ]" \
                "$BATS_TEST_DIRNAME/bad-input/scripts" || missing+=" $script:$option"
        done
    done
    [ -z "$missing" ] || { echo "without a case:$missing"; return 1; }
}
