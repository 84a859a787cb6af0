#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""service-manager.py SOCKET MODE FILE: stands in for a service manager.

Listens on the Unix datagram socket SOCKET, abstract if it begins with "@", else
a file with the permissions MODE, and appends each message to FILE: a line for
each of its assignments, behind the pid of who sent it, as the kernel tells it.
"""

import os
import socket
import struct
import sys

name, mode, out = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind("\0" + name[1:] if name.startswith("@") else name)
if not name.startswith("@"):
    os.chmod(name, int(mode, 8))
with open(out, "w", buffering=1) as log:
    while True:
        message, ancillary, _, _ = s.recvmsg(4096, 64)
        pid = struct.unpack("3i", ancillary[0][2])[0]
        log.write("".join(f"{pid} {line}\n" for line in message.decode().split("\n")))
