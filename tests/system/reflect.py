#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A loop made by hand: sends broadcasts back where they come from, with a MAC of its own.

    reflect.py CARD MAC PORT [COUNT]

What comes to CARD from MAC for UDP port PORT goes out of CARD again; COUNT of them, all unless given.
"""

import itertools
import socket
import struct
import sys

REFLECTOR = bytes.fromhex("0200000000ff")

card = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
card.bind((sys.argv[1], 0x0800))
source = bytes.fromhex(sys.argv[2].replace(":", ""))
port = int(sys.argv[3])
for sent in itertools.count():
    if len(sys.argv) > 4 and sent == int(sys.argv[4]):
        break
    while True:
        frame, where = card.recvfrom(65536)
        if (where[2] != socket.PACKET_OUTGOING and frame[:6] == b"\xff" * 6
                and frame[6:12] == source and frame[23] == socket.IPPROTO_UDP
                and struct.unpack_from("!H", frame, 14 + (frame[14] & 15) * 4 + 2)[0] == port):
            break
    card.send(frame[:6] + REFLECTOR + frame[12:])
