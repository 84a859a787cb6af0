#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes frames by hand and sends them, as SnowSignal's datagrams to the mesh port of `to`, or as
packets of a tunnel to its switch.

    forge.py [KEY=VALUE...]

    to        where the relay is                      172.30.0.2
    count     how many, each with a payload of its own  1
    mac       the Ethernet destination                ff:ff:ff:ff:ff:ff
    from      the Ethernet source                     02:00:00:01:01:0a
    vlan      a VLAN id, for a tag; more than one with commas in between
    src, dst  the IP addresses                        10.1.0.10, 255.255.255.255
    port      the UDP destination port                5076
    type      an EtherType; `body`, in hexadecimal, follows it in place of IP
    body
    tunnel    vxlan or geneve, in place of SnowSignal
    vni       of the tunnel                           5459533
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
    "from": "02:00:00:01:01:0a",
    "vlan": "",
    "src": "10.1.0.10",
    "dst": "255.255.255.255",
    "port": "5076",
    "type": "",
    "body": "",
    "tunnel": "",
    "vni": "5459533",
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


def mac(key):
    return bytes.fromhex(options[key].replace(":", ""))


def ip_packet(payload):
    udp = struct.pack("!HHHH", 40000, int(options["port"]), 8 + len(payload), 0) + payload
    ip = bytearray(struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
        socket.inet_aton(options["src"]), socket.inet_aton(options["dst"])))
    ip[10:12] = struct.pack("!H", checksum(bytes(ip)))
    return b"\x08\x00" + bytes(ip) + udp


def frame(payload):
    tags = b"".join(struct.pack("!HH", 0x8100, int(vlan))
                    for vlan in options["vlan"].split(",") if vlan)
    if options["type"]:
        body = struct.pack("!H", int(options["type"], 0)) + bytes.fromhex(options["body"])
    else:
        body = ip_packet(payload)
    return mac("mac") + mac("from") + tags + body


# What goes before the frame, and to which port (RFC 7348, section 5; RFC 8926, section 3.4).
VNI = int(options["vni"]) << 8
before, to = {
    "": (b"SS", 7124),
    "vxlan": (struct.pack("!II", 0x08000000, VNI), 4789),
    "geneve": (struct.pack("!II", 0x00006558, VNI), 6081),
}[options["tunnel"]]

mesh = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(options["count"])):
    mesh.sendto(before + frame(f"{os.getpid()} {i}".encode()), (options["to"], to))
    if i % 50 == 49:
        time.sleep(0.002)  # The receiver's queue is not what is tested.
