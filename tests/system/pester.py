#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""pester.py ADDRESS PORT KIND N SECONDS: is a bad client of a web server.

Makes N connections, and with each of them does what KIND says:

    idle      says nothing
    slow      says a byte of a request each second, and never comes to an end
    deaf      asks for much, again and again, and reads none of it
    garbage   says random bytes
    header    says a request with a header of a megabyte
    body      says a request with a body that never ends

until all are closed by the server, or SECONDS have gone by.  Says "ready" when
all are made and have begun, and at the end, a line each, how many were
connected, closed by the server, and answered with which status.
"""

import os
import random
import selectors
import socket
import sys
import time

address, port, kind, n, seconds = sys.argv[1:]
n, seconds = int(n), float(seconds)
FAMILY = socket.AF_INET6 if ":" in address else socket.AF_INET

random.seed(1)
SAYS = {
    "idle": b"",
    "slow": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
    "deaf": b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50,
    "garbage": bytes(random.randrange(256) for _ in range(3000)),
    "header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1000000,
    "body": b"POST / HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 99999999\r\n\r\n" + b"b" * 100000,
}[kind]


class Connection:
    def __init__(self):
        self.socket = socket.socket(FAMILY, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.left = SAYS
        self.heard = b""
        self.closed = self.connected = False
        try:
            self.socket.connect((address, int(port)))
        except BlockingIOError:
            pass

    def write(self):
        self.connected = True
        try:
            self.left = self.left[self.socket.send(self.left[:65536]):]
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True

    def read(self):
        try:
            heard = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        self.heard += heard[:100]
        self.closed = not heard


def main():
    end = time.monotonic() + seconds
    selector = selectors.DefaultSelector()
    connections = []
    for i in range(n):
        connections.append(Connection())
        if i % 50 == 49:
            time.sleep(0.05)  # So that the kernel's queue has room.
    reading = 0 if kind == "deaf" else selectors.EVENT_READ
    for c in connections:
        selector.register(c.socket, selectors.EVENT_WRITE | reading, c)
    open_ones = set(connections)
    said, next_byte = False, time.monotonic() + 1

    while open_ones and time.monotonic() < end:
        for key, events in selector.select(0.1):
            c = key.data
            if events & selectors.EVENT_READ:
                c.read()
            if events & selectors.EVENT_WRITE and not c.closed:
                c.write()
                if not c.left:
                    selector.modify(c.socket, selectors.EVENT_READ, c)
            if c.closed:
                selector.unregister(c.socket)
                open_ones.discard(c)
        if not said and all(c.connected or c.closed for c in connections):
            print("ready", flush=True)
            said = True
        if kind == "slow" and time.monotonic() > next_byte:
            next_byte += 1
            for c in open_ones:
                c.left += b"a"
                c.write()

    print("connected", sum(c.connected for c in connections))
    print("closed", sum(c.closed for c in connections))
    statuses = [c.heard.split()[1].decode("latin-1") for c in connections
                if c.heard.startswith(b"HTTP/1.1 ")]
    for status in sorted(set(statuses)):
        print(status, statuses.count(status))
    sys.stdout.flush()
    os._exit(0)  # Without a thousand farewells.


main()
