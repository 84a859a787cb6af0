#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes frames by hand and sends them as SnowSignal's datagrams to the mesh port of `to`.

    forge.py [KEY=VALUE...]

    to        where the relay is                      172.30.0.2
    count     how many, each with a payload of its own  1
    mac       the Ethernet destination                ff:ff:ff:ff:ff:ff
    vlan      a VLAN id, for a tag; more than one with commas in between
    src, dst  the IP addresses                        10.1.0.10, 255.255.255.255
    port      the UDP destination port                5076
"""

import os
import socket
import struct
import sys
import time

options = {
    "to": "172.30.0.2",
    "count": "1",
    "mac": "ff:ff:ff:ff:ff:ff",
    "vlan": "",
    "src": "10.1.0.10",
    "dst": "255.255.255.255",
    "port": "5076",
}
for argument in sys.argv[1:]:
    key, value = argument.split("=", 1)
    if key not in options:
        sys.exit(f"forge.py: {key}: unknown")
    options[key] = value


def checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(payload):
    udp = struct.pack("!HHHH", 40000, int(options["port"]), 8 + len(payload), 0) + payload
    ip = bytearray(struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
        socket.inet_aton(options["src"]), socket.inet_aton(options["dst"])))
    ip[10:12] = struct.pack("!H", checksum(bytes(ip)))
    tags = b"".join(struct.pack("!HH", 0x8100, int(vlan))
                    for vlan in options["vlan"].split(",") if vlan)
    return (bytes.fromhex(options["mac"].replace(":", "")) + bytes.fromhex("02000001010a")
            + tags + b"\x08\x00" + bytes(ip) + udp)


mesh = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(options["count"])):
    mesh.sendto(b"SS" + frame(f"{os.getpid()} {i}".encode()), (options["to"], 7124))
    if i % 50 == 49:
        time.sleep(0.002)  # The receiver's queue is not what is tested.
