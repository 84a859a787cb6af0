# SPDX-License-Identifier: Apache-2.0
#
# What the tests of the mesh's tunnels share: hosts 1, 2 and 3 have a segment each, and an underlay
# that their switches can tunnel through; on the segment of host 1 are two clients.

# shellcheck source=tests/system/segment.bash
. "$BATS_TEST_DIRNAME/segment.bash"

# The tests say themselves who has which transport.
unset LAB_TRANSPORT

tunnel_lab() {
    local n
    lab_init
    for n in 1 2 3; do
        lab_host "$n"
        lab_underlay_switch "$n"
        lab_client "$n" 1
    done
    lab_client 1 2
}

# configure N [FILTER]: writes the file that start reads for relay N: VXLAN to the other two, or what
# FILTER, of jq, makes of that; $n is N there. Hellos are frequent, so that tests need not wait.
configure() {
    local others
    others=$(for n in 1 2 3; do [ "$n" = "$1" ] || echo "172.30.0.$n"; done | jq -Rn '[inputs]')
    jq -n --argjson n "$1" "{mesh: {transport: \"vxlan\", hello_ms: 200, peers: $others}} |
        ${2:-.}" > "$LAB_DIR/h$1.json"
}

# relays N... [FILTER]: configures and starts these, each with the others of them for peers, and
# waits until the switches carry all that goes between them.
relays() {
    local filter=. n
    [[ "${*: -1}" == [1-9] ]] || { filter=${*: -1} && set -- "${@:1:$#-1}"; }
    for n; do
        configure "$n" ".mesh.peers = $(only "$n" "$@") | $filter"
    done
    start "$@" && lab_wait 10 carried_between "$@"
}

# only N M...: prints the addresses of the hosts M but N, in JSON.
only() {
    local n=$1 m
    shift
    for m; do
        [ "$m" = "$n" ] || echo "172.30.0.$m"
    done | jq -Rnc '[inputs]'
}

# goes N ADDRESS TRANSPORT: whether relay N sends frames to the peer at ADDRESS so.
goes() { [ "$(peer "$1" "$2" transport)" = "$3" ]; }

# carried_between N...: whether frames go between all of them by tunnel, and no relay sees them. The
# peers' addresses begin with NET.
carried_between() {
    local n m
    for n; do
        [ "$(lab_status "$n" .transport.carrying)" = true ] || return
        for m; do
            [ "$m" = "$n" ] ||
                [[ "$(peer "$n" "${NET:-172.30.0.}$m" transport)" == @(vxlan|geneve) ]] || return
        done
    done
}

# end_mesh: ends all relays, whatever state they are in, and takes away what killed ones have left.
end_mesh() {
    local n port
    end_listening
    end_relays 1 2 3
    for n in 1 2 3; do
        lab_ofctl "$n" del-groups br0 2> /dev/null || true
        lab_ofctl "$n" del-meters br0 2> /dev/null || true
        for port in $(mesh_ports "$n"); do
            lab_on "h$n" ovs-vsctl del-port br0 "$port" || true
        done
        # Where a port is made anew within a second, the datapath of Open vSwitch 3.1 may keep a flow
        # that takes the tunnel's packets of one peer to the host, until that is silent for 10 s.
        lab_on "h$n" ovs-appctl revalidator/purge
    done
}

# The mesh's ports on host N's bridge, as their mark says.
mesh_ports() { lab_on "h$1" ovs-vsctl --bare --columns=name find port external_ids:snowrelay=mesh; }

mesh_ports_are() { [ "$(mesh_ports "$1")" = "$2" ]; }

# forge N KEY=VALUE...: host N sends frames made by hand to host 2's switch, see forge.py.
forge() {
    lab_on "h$1" "$BATS_TEST_DIRNAME/forge.py" tunnel=vxlan "${@:2}"
}

# Filters for tcpdump, on the underlay: frames in datagrams of the mesh, and broadcasts in a tunnel.
# Geneve's VNI and the frame are where VXLAN's are.
# shellcheck disable=SC2034 # for those who load this
DATAGRAM="udp port 7124 and $MESH_FRAME"
vxlan() { in_tunnel 4789 0x08000000; }
geneve() { in_tunnel 6081 0x00006558; }

in_tunnel() {
    echo "udp dst port $1 and udp[8:4] = $2 and udp[12:4] = 0x534e4d00 and udp[16:4] = 0xffffffff"
}

# tunnelled FILE FILTER: prints the number of packets. tcpdump prints two lines of one with a frame in
# it, but one dump.
tunnelled() {
    local file=$1
    shift
    tcpdump -tnr "$file" -x "$@" 2> /dev/null | grep -c 0x0000:
}

carried() { lab_status "$1" ".transport.carried.$2"; }

carried_is() { [ "$(carried "$1" "$2")" -eq "$3" ]; }

# exchanged N...: does each of 100 broadcasts of each of these hosts' clients, to the address TO if
# that is set, come to all others once?
exchanged() {
    local n m
    for n; do
        local -a others=()
        for m; do
            [ "$m" = "$n" ] || others+=("h${m}c1")
        done
        RUN=$((RUN + 1))
        listen "$RUN" 5076 "${others[@]}"
        transmit "$RUN" "h${n}c1" 100 500 "${TO:-}"
        transmitted
        listened
        came_once "$RUN" 100 "${others[@]}" || return
    done
}
