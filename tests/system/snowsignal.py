#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A node that behaves like one of SnowSignal's on its segment, made by hand.

    snowsignal.py CARD PEER...

What is broadcast on CARD to UDP port 5076, and does not come from CARD's own MAC, goes to port 7124
of each PEER as `SS` and the frame, from a port of no meaning; what comes to port 7124 goes out of
CARD with its MAC.
"""

import select
import socket
import struct
import sys

MESH_PORT, BROADCAST_PORT = 7124, 5076

card = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
card.bind((sys.argv[1], 0x0800))
mac = card.getsockname()[4]
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("", MESH_PORT))


def is_relayed(frame):
    header = (frame[14] & 15) * 4
    return (frame[:6] == b"\xff" * 6 and frame[6:12] != mac and frame[23] == socket.IPPROTO_UDP
            and struct.unpack_from("!H", frame, 14 + header + 2)[0] == BROADCAST_PORT)


while True:
    for ready in select.select([card, receiver], [], [])[0]:
        if ready is card:
            frame, where = card.recvfrom(65536)
            if where[2] != socket.PACKET_OUTGOING and is_relayed(frame):
                for peer in sys.argv[2:]:
                    sender.sendto(b"SS" + frame, (peer, MESH_PORT))
        else:
            datagram = receiver.recv(65536)
            if datagram[:2] == b"SS":
                card.send(datagram[2:8] + mac + datagram[14:])
