#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# collect.py PORT FILE: receives UDP datagrams on PORT, IPv4 and IPv6, and writes a line to FILE for
# each: the address it came from, a blank, and the payload, as it is if it is plain ASCII text and
# else as "hex:" and its bytes. FILE is made when the socket listens. Runs until it is killed.

import socket
import sys

SO_RCVBUFFORCE = 33    # Linux's number; the module has no name for it.

port, path = sys.argv[1:]
receiver = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
receiver.bind(("::", int(port)))
with open(path, "w", encoding="ascii") as lines:
    while True:
        payload, source = receiver.recvfrom(65535)
        if payload.isascii() and payload.decode("ascii").isprintable():
            text = payload.decode("ascii")
        else:
            text = "hex:" + payload.hex()
        print(source[0].removeprefix("::ffff:"), text, file=lines, flush=True)
