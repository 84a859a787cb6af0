#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client of Channel Access that looks for process variables: libca of EPICS Base, which Debian has.

    ca-search.py SECONDS NAME...

waits so long for servers that have the NAMEs, and prints those that were found.  Where it asks is
for EPICS_CA_ADDR_LIST to say.
"""

import ctypes
import sys

# What cadef.h says.
ENABLE_PREEMPTIVE_CALLBACK = 1
NORMAL = 1
CONNECTED = 2

ca = ctypes.CDLL("libca.so.4.13.5")
ca.ca_pend_event.argtypes = [ctypes.c_double]
ca.ca_state.argtypes = [ctypes.c_void_p]

assert ca.ca_context_create(ENABLE_PREEMPTIVE_CALLBACK) == NORMAL
channels = {}
for name in sys.argv[2:]:
    channel = ctypes.c_void_p()
    assert ca.ca_create_channel(name.encode(), None, None, 0, ctypes.byref(channel)) == NORMAL
    channels[name] = channel
ca.ca_pend_event(float(sys.argv[1]))
for name, channel in channels.items():
    if ca.ca_state(channel) == CONNECTED:
        print(name)
