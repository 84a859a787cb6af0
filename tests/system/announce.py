#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Announces a relay on a segment by hand, as docs/segment-protocol.md has it.

    announce.py [KEY=VALUE...]

sends `times` frames out of `card`, one each `every` ms. Numbers are as Python writes them. `cut`
takes that many bytes off the end, `more` puts that many there, `replace=OFFSET:HEX` writes over
what is there, `raw` is a whole frame in hexadecimal digits.
"""

import ipaddress
import socket
import struct
import sys
import time

options = {
    "card": "eth0",
    "mac": "02:00:00:00:0a:01",
    "version": "1",
    "state": "4",
    "reason": "1",
    "priority": "100",
    "id": "0xa",
    "session": "0xb",
    "hello": "200",
    "dead": "700",
    "age": "0",
    "address": "172.30.0.10",
    "ports": "5076",
    "n_ports": "",
    "cut": "0",
    "more": "0",
    "replace": "",
    "raw": "",
    "times": "1",
    "every": "200",
}
for argument in sys.argv[1:]:
    key, value = argument.split("=", 1)
    if key not in options:
        sys.exit(f"announce.py: {key}: unknown")
    options[key] = value


def number(key):
    return int(options[key], 0)


def announcement():
    ports = [int(port) for port in options["ports"].split(",") if port]
    address = ipaddress.ip_address(options["address"])
    if address.version == 4:
        address = ipaddress.ip_address(f"::ffff:{address}")
    frame = bytes.fromhex("03534e4f5701" + options["mac"].replace(":", ""))
    frame += struct.pack(
        "!H4sBBBBQQIIQ16sBBBB", 0x88b5, b"SNOW", number("version"), number("state"),
        number("reason"), number("priority"), number("id"), number("session"), number("hello"),
        number("dead"), number("age"), address.packed, 0,
        number("n_ports") if options["n_ports"] else len(ports), 0, 0)
    return frame + b"".join(struct.pack("!H", port) for port in ports)


frame = bytearray(bytes.fromhex(options["raw"]) if options["raw"] else announcement())
if number("cut"):
    del frame[-number("cut"):]
frame += bytes(number("more"))
if options["replace"]:
    offset, digits = options["replace"].split(":")
    offset, value = int(offset, 0), bytes.fromhex(digits)
    frame[offset:offset + len(value)] = value

card = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
card.bind((options["card"], 0))
for i in range(number("times")):
    if i:
        time.sleep(number("every") / 1000)
    card.send(frame)
