#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""meddle.py SOCKET COOKIE MASK RATE SECONDS: what somebody who is at odds with us does to our flows.

RATE times a second it has the switch behind the management socket SOCKET delete the flows with
COOKIE under MASK, or, every other time, make them drop what they match. Prints how many times it
did. One connection does all of it: a hundred processes of ovs-ofctl a second would take the CPUs
from what is tested.
"""

import socket
import struct
import sys
import time

HELLO, ECHO_REQUEST, ECHO_REPLY, FLOW_MOD = 0, 2, 3, 14
OPENFLOW_15 = 6
MODIFY, DELETE = 1, 3
ANY = 0xFFFFFFFF


def message(kind, body=b"", xid=1):
    return struct.pack("!BBHI", OPENFLOW_15, kind, 8 + len(body), xid) + body


def flow_mod(command, cookie, mask):
    """Without instructions, as this is, a flow drops what it matches."""
    body = struct.pack("!QQBBHHHIIIHH", cookie, mask, 0xFF, command, 0, 0, 0, ANY, ANY, ANY, 0, 0)
    return message(FLOW_MOD, body + struct.pack("!HH4x", 1, 4))


def answer(switch):
    """Reads what the switch has said, so that it does not wait for us, and answers its probes."""
    try:
        said = switch.recv(65536, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    if not said:
        sys.exit("the switch has closed the connection")
    while len(said) >= 8:
        _, kind, length, xid = struct.unpack("!BBHI", said[:8])
        if kind == ECHO_REQUEST:
            switch.sendall(message(ECHO_REPLY, said[8:length], xid))
        said = said[max(length, 8):]


def main():
    path, cookie, mask = sys.argv[1], int(sys.argv[2], 0), int(sys.argv[3], 0)
    rate, seconds = float(sys.argv[4]), float(sys.argv[5])

    switch = socket.socket(socket.AF_UNIX)
    switch.connect(path)
    switch.sendall(message(HELLO))
    start = time.monotonic()
    n = 0
    while n < rate * seconds:
        time.sleep(max(0.0, start + n / rate - time.monotonic()))
        answer(switch)
        switch.sendall(flow_mod((DELETE, MODIFY)[n % 2], cookie, mask))
        n += 1
    time.sleep(0.1)
    answer(switch)
    print(n)


main()
