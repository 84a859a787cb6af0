#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Says things in the mesh by hand, as docs/mesh-protocol.md has them.

    say.py hello|frame|bye|other [KEY=VALUE...] < FRAME

sends one datagram from this host to the mesh port of `to`. A frame is read from standard input.
Numbers are as Python writes them. A `hello` prints what it is answered, as far as the header and
the fixed part go, with `wait` seconds of patience.
"""

import socket
import struct
import sys

TYPES = {"frame": 1, "hello": 2, "bye": 3, "other": 200}

what = sys.argv[1]
options = {
    "to": "172.30.0.2",
    "source": "",
    "version": "1",
    "id": "0xa",
    "session": "0xb",
    "seq": "0",
    "more_header": "0",
    "min": "1",
    "max": "1",
    "answer": "1",
    "interval": "1000",
    "path": "7",
    "echo_path": "0",
    "echo_session": "0",
    "macs": "",
    "ports": "5076",
    "more_fixed": "0",
    "unknown_item": "0",
    "wait": "0",
}
for argument in sys.argv[2:]:
    key, value = argument.split("=", 1)
    if key not in options:
        sys.exit(f"say.py: {key}: unknown")
    options[key] = value


def number(key):
    return int(options[key], 0)


def item(kind, value):
    return struct.pack("!HH", kind, len(value)) + value


def hello():
    length = 64 + number("more_fixed")
    body = struct.pack(
        "!BBBBIQIIQQIIQQ", number("min"), number("max"), number("answer"), length,
        number("interval"), 1000, number("path"), number("echo_path"), number("echo_session"),
        0, 0, 0, 0, 0)
    body += bytes(number("more_fixed"))
    if number("unknown_item"):
        body += item(number("unknown_item"), b"what is to come")
    macs = [bytes.fromhex(mac.replace(":", "")) for mac in options["macs"].split(",") if mac]
    body += item(1, b"".join(macs))
    ports = [int(port) for port in options["ports"].split(",") if port]
    return body + item(2, b"".join(struct.pack("!H", port) for port in ports))


header = struct.pack(
    "!2sBBBBQQQ", b"SR", number("version"), TYPES[what], 30 + number("more_header"), 0,
    number("id"), number("session"), number("seq"))
header += bytes(number("more_header"))
body = {"hello": hello, "frame": sys.stdin.buffer.read}.get(what, bytes)()

mesh = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if options["source"]:
    mesh.bind((options["source"], 0 if not number("wait") else 7124))
elif number("wait"):
    mesh.bind(("", 7124))
mesh.sendto(header + body, (options["to"], 7124))
if number("wait"):
    mesh.settimeout(number("wait"))
    while True:
        answer = mesh.recv(65536)
        if answer[:2] == b"SR" and answer[3] == TYPES["hello"]:
            break
    relay, session, seq = struct.unpack("!QQQ", answer[6:30])
    path, echo_path = struct.unpack("!II", answer[46:54])
    print(f"id={relay:#x} session={session:#x} seq={seq} path={path} echo_path={echo_path}")
