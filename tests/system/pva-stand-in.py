#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for clients of PVAccess, of which Debian has none: it broadcasts searches as these do.

    pva-stand-in.py ADDRESS repeat TIMES SECONDS NAME...

searches for all NAMEs at once, TIMES, with SECONDS in between, from one socket, and

    pva-stand-in.py ADDRESS flood DATAGRAMS NAMES

sends so many DATAGRAMS, with NAMES names each that nobody has heard before, a thousand a second at
most, each from a port of its own.
"""

import os
import socket
import struct
import sys
import time

PORT = 5076


def search(names):
    """Returns a search for 'names'."""
    body = struct.pack("!IB3x16xHB4sH", 0x66696e64, 0, PORT, 1, b"\x03tcp", len(names))
    for name in map(os.fsencode, names):
        body += struct.pack("!IB", 0x12345678, len(name)) + name
    return struct.pack("!BBBBI", 0xca, 2, 0x80, 3, len(body)) + body


def open_socket():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return s


def repeat(times, seconds, *names):
    s = open_socket()
    for i in range(int(times)):
        if i:
            time.sleep(float(seconds))
        s.sendto(search(names), (address, PORT))


def flood(datagrams, names):
    for i in range(int(datagrams)):
        s = open_socket()
        s.sendto(search([f"FLOOD:{i}:{j}" for j in range(int(names))]), (address, PORT))
        s.close()
        time.sleep(0.001)


address = sys.argv[1]
{"repeat": repeat, "flood": flood}[sys.argv[2]](*sys.argv[3:])
