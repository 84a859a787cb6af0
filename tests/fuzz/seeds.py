#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes inputs for the fuzz targets to begin with.

    seeds.py FOLDER

writes one file an input into FOLDER/TARGET, for each target that a function of this file stands
for: frames and datagrams of tests/captures, the examples of the documents, and what is derived from
them.  What the first bytes of an input mean is said in fuzz-TARGET.c.
"""

import json
import math
import pathlib
import re
import struct
import sys

top = pathlib.Path(__file__).parent.parent.parent
folder = pathlib.Path(sys.argv[1])


def packets(name):
    """Returns the Ethernet frames of a capture."""
    bytes_ = (top / "tests" / "captures" / name).read_bytes()
    magic, link = struct.unpack("<I16xI", bytes_[:24])
    assert magic == 0xa1b2c3d4 and link == 1, name
    at = 24
    while at < len(bytes_):
        length = struct.unpack_from("<I", bytes_, at + 8)[0]
        yield bytes_[at + 16:at + 16 + length]
        at += 16 + length


def payload(frame):
    """Returns the payload of the UDP datagram in an Ethernet frame."""
    header = (frame[14] & 15) * 4
    length = struct.unpack_from("!H", frame, 14 + header + 4)[0]
    return frame[14 + header + 8:14 + header + length]


def code_blocks(name, kind=""):
    """Returns the code blocks of a document, of which each line begins with as many spaces."""
    text = (top / name).read_text()
    return re.findall(rf"^ *```{kind}\n(.*?)^ *```$", text, re.M | re.S)


def hexadecimal(block):
    """Returns the bytes of a block with a remark behind each line."""
    pairs = re.findall(r"^((?:[0-9a-f]{2}(?: |$))+)", block, re.M)
    return bytes.fromhex("".join(pairs))


broadcasts = [frame for name in ("epics-client-segment.pcap", "epics-server-segment.pcap",
                                 "epics-offloaded-checksum.pcap")
              for frame in packets(name)]
datagrams = [payload(frame) for frame in packets("snowsignal-mesh.pcap")]
announcement_example = hexadecimal(code_blocks("docs/segment-protocol.md")[0])
hello_example = hexadecimal(next(block for block in code_blocks("docs/mesh-protocol.md")
                                 if block.startswith("53 52")))
WIRE_HEADER = 30
HELLO_FIXED = 64
assert hello_example[WIRE_HEADER + 3] == HELLO_FIXED and len(hello_example) == 123
assert len(announcement_example) == 76


def frame():
    for wishes in (b"\0", b"\3", b"\5"):
        for bytes_ in broadcasts:
            yield wishes + bytes_
    some = broadcasts[0]
    yield b"\0" + some[:12] + b"\x81\0\0\7" + some[12:]
    yield b"\3" + some[:20] + b"\x20\0" + some[22:]


def property_(type_, bytes_):
    length = 4 + len(bytes_)
    return struct.pack("!HH", type_, length) + bytes_ + bytes(-length % 8)


def message(type_, body, version=6):
    return struct.pack("!BBHI", version, type_, 8 + len(body), 1) + body


def packet_in(bytes_, kind, port=5076, more=b"", generation=b""):
    """A NXT_PACKET_IN2 with the frame, the table, the cookie and the userdata."""
    return message(4, struct.pack("!II", 0x2320, 30) + property_(0, bytes_) + property_(3, b"\0")
                   + property_(4, bytes(12)) + more
                   + property_(7, struct.pack("!BH", kind, port) + generation))


def metadata(*fields):
    """The pipeline's, with fields of Nicira's: number and value."""
    return property_(6, b"".join(struct.pack("!HBB", 1, number << 1, len(value)) + value
                                 for number, value in fields))


def punt():
    start = message(0, property_(1, bytes([0, 0, 0, 0x60])))
    all_ = [packet_in(bytes_, 1) for bytes_ in broadcasts[:12]]
    announced = packet_in(announcement_example, 3, 0)
    error = message(1, struct.pack("!HH", 1, 6) + bytes(65))
    for how in (b"\xff\0", b"\0\0", b"\5\1", b"\xff\x8e"):
        yield how + start + all_[0]
        yield how + start + announced
        yield how + start + b"".join(all_)
        yield how + start + all_[1] + error + all_[2] + message(2, b"are you there") + announced
    cut = packet_in(broadcasts[0][:40], 2, more=property_(1, bytes([0, 0, 1, 0])))
    yield b"\xff\0" + start + cut
    for more in (b"", b"\1\x13", b"\1\x13\xd4\0"):
        yield b"\xff\0" + start + packet_in(broadcasts[0], 1, more=property_(7, more))
    yield b"\xff\0" + message(0, b"", version=1)
    probe = b"\3SNOW\2" + b"\2" + bytes(5) + b"\x88\xb5SNOW\1\0" + bytes(range(8)) + bytes(32)
    ipv4 = metadata((16, bytes(7) + b"\7"), (31, bytes([192, 0, 2, 7])), (32, bytes([192, 0, 2, 1])))
    ipv6 = metadata((109, b"\xfd" + bytes(14) + b"\7"), (110, b"\xfd" + bytes(14) + b"\1"))
    for more in (ipv4, ipv6, b"", property_(6, b"\0\1\x3e\4\1")):
        yield b"\xff\0" + start + packet_in(probe, 4, 0, more)
        yield b"\xff\0" + start + packet_in(broadcasts[0], 5, more=more) + packet_in(broadcasts[1], 6)
    for kind in (1, 2, 7, 8):
        yield b"\xff\0" + start + packet_in(broadcasts[0], kind, generation=b"\0\7")


def announcements():
    """The example, in each state and from some relays."""
    for state in range(1, 7):
        for relay in range(3):
            bytes_ = bytearray(announcement_example)
            bytes_[11] = bytes_[29] = bytes_[37] = relay + 1
            bytes_[19] = state
            bytes_[21] = 100 + relay % 2
            yield bytes(bytes_)


def announcement():
    # Events, by their numbers in fuzz-announcement.c.
    comes, says, time, halts, in_place, online, configures, becomes, leaves = range(9)

    def said(bytes_, ms):
        return bytes([comes, ms // 10, len(bytes_)]) + bytes_

    start = bytes([100, 0])
    forwards = start + bytes([time, 100, in_place, time, 30])
    for bytes_ in announcements():
        yield start + said(bytes_, 0)
    yield start + b"".join(said(bytes_, 150) for bytes_ in announcements())
    yield forwards + b"".join(said(bytes_, 0) for bytes_ in announcements())
    yield forwards + bytes([leaves, time, 200, becomes, 7, configures, 7, 1])
    yield forwards + bytes([halts, 255, online, 0, time, 10, online, 1, time, 100])
    yield start + b"".join(bytes([says, 0, who, 1, 100]) for who in range(1, 100))
    for n in (64, 80):
        yield start + said(announcement_example[:71] + bytes([n, 0, 0]) + bytes(2 * n), 0)
    for age in (b"\x80" + bytes(7), b"\xff" * 8):
        yield start + said(announcement_example[:46] + age + announcement_example[54:], 0)


def hello():
    body = hello_example[WIRE_HEADER:]
    yield body
    yield body[:HELLO_FIXED]
    yield body + body[HELLO_FIXED:]
    for role in range(8):
        yield body[:-9] + bytes([role]) + body[-8:]
    for type_ in range(4):
        tunnel = struct.pack("!HHBBHIQ", 4, 16, type_, type_ & 1, 0, 0x534e4d, 0x1122334455667788)
        yield body + tunnel
        yield body + tunnel + struct.pack("!HHBB", 4, 2, 1, 1)
    yield body + struct.pack("!HH", 77, 3) + b"any"
    yield body[:3] + bytes([72]) + body[4:HELLO_FIXED] + bytes(8) + body[HELLO_FIXED:]


def hello_of(relay, flags=0):
    body = bytearray(hello_example)
    body[13] = body[21] = relay
    body[32] = flags
    return bytes(body)


def mesh():
    # Events, by their numbers in fuzz-mesh.c; the first 8 are datagrams.
    time, segment, crowd, configuration, forgotten, role, leaves = range(8, 15)

    def comes(bytes_, who=0, how=0, ms=25):
        return struct.pack("!BBBH", how, math.isqrt(ms), who, len(bytes_)) + bytes_

    header = hello_of(1)[:WIRE_HEADER]
    frames = [header[:3] + b"\1" + header[4:29] + bytes([seq]) + broadcasts[seq]
              for seq in range(6)]
    bye = header[:3] + b"\3" + header[4:]
    start = b"\0"
    for bytes_ in datagrams[:4] + [hello_of(1), hello_of(1, 1), frames[0], bye]:
        for who in (0, 3, 6, 7):
            yield start + comes(bytes_, who)
    met = start + comes(hello_of(1)) + comes(hello_of(2), 1, 1) + comes(hello_of(1, 1), 5)
    yield met
    yield met + b"".join(comes(bytes_) for bytes_ in frames) + comes(bye) + comes(frames[0])
    yield met + b"".join(comes(bytes_, who) for who, bytes_ in enumerate(datagrams[:4]))
    yield met + bytes([time, 70]) * 4 + comes(hello_of(1)) + comes(frames[1])
    yield met + bytes([segment, 3]) + comes(frames[1]) + comes(datagrams[0], 1)
    yield met + bytes([configuration, 1]) + comes(hello_of(3), 1) + bytes([configuration, 3])
    yield met + bytes([role, 4, forgotten, 0, time, 40, leaves]) + comes(frames[2])
    yield met + comes(hello_of(1, 1), how=1, ms=1) * 50 + comes(hello_of(1), how=4)
    yield start + bytes([crowd, 255, 0]) + comes(hello_of(4), 0) + bytes([time, 255])
    yield b"\3" + comes(hello_of(1), 8) + comes(datagrams[0], 8)


def sealed():
    # Events, by their numbers in fuzz-sealed.c; the first 16 are sealed datagrams.
    raw, broken, again, time, keys, leaves = range(16, 22)
    echoes, has_id, is_ours, is_hello = 1, 2, 4, 8

    def comes(stream, type_, bytes_=b"", how=0, key=0, ms=0):
        return struct.pack("!BBBBBH", how, math.isqrt(ms), stream, type_, key, len(bytes_)) + bytes_

    def says(stream, how=echoes, key=0, ms=0):
        return comes(stream, 2 | 0x80, b"", how | has_id | is_hello, key, ms)

    frame_ = comes(1, 1, broadcasts[0])
    met = b"\0" + says(1)
    yield b"\0" + says(1, 0) + says(1, 0, ms=400) + frame_
    yield met + frame_ + bytes([broken, 1, 200]) + comes(1, 1, broadcasts[1]) + comes(1, 3, how=has_id)
    yield met + says(9) + comes(9, 1, broadcasts[0]) + says(2 | 0x40) + bytes([again, 0, 3, again, 1, 1])
    yield met + bytes([keys, 1]) + comes(1, 1, broadcasts[1], key=1) + bytes([keys, 2]) + frame_
    yield met + bytes([time, 70]) * 4 + says(1) + bytes([again, 0, 0]) + frame_ + bytes([leaves]) + says(3)
    yield met + says(1, is_ours) + says(0x41, 0, ms=900) + says(5, key=2) + comes(1, 4, how=has_id)
    for bytes_ in datagrams[:2] + [hello_of(1)]:
        yield met + bytes([raw, 0, 0]) + struct.pack("!H", len(bytes_)) + bytes_


def config():
    for path in ("README.md", *sorted(p.relative_to(top) for p in top.glob("docs/*.md"))):
        for block in code_blocks(path, "json"):
            yield block.encode()
    yield b"{}"
    yield b'{"bridge": "a/b"}'
    for n in (64, 65):
        yield json.dumps({"relay": {"ports": list(range(1, 1 + n))}}).encode()
        yield json.dumps({"segment": {"local_macs": [f"02:00:00:00:01:{i:02x}" for i in range(n)]}}
                         ).encode()
    yield b'''{ "bridge": "br1", "id_base": 77, "relay": { "ports": [5076, 5064],
      "destination": "keep", "local_mac": "02:00:00:00:00:01", "max_pps": 500,
      "flow_priority": 30000,
      "forward": "resubmit(,10)" }, "segment": { "election": true, "priority": 7, "hello_ms": 100,
      "dead_ms": 500, "local_macs": ["02:00:00:00:00:02"] }, "mesh": { "address": "::",
      "port": 7125, "peers": ["a:1", "[fd00::1]:2", "192.0.2.1"],
      "accept": ["192.0.2.0/24", "fd00::1"],
      "discover": ["tasks.a", "_a._udp.b"], "relay_id": "00000000000000ab", "hello_ms": 500,
      "transport": "vxlan", "vni": 77 },
      "replicate": [] }'''
    yield b'''{ "replicate": [ { "name": "a", "port": 1, "from": ["10.0.0.0/8", "fd00::/8"],
      "destination": "10.0.0.1", "in_port": "eth1", "spread": "source",
      "to": [ { "port": 2 }, { "host": "b", "source": "keep" }, { "host": "10.0.0.3", "port": 4,
      "out_port": "eth2", "mac": "02:00:00:00:00:03" }, { "host": "c", "tunnel": "geneve" } ] },
      { "port": 1, "tunnel": "gre", "remote": "d", "to": [ { "port": 5 } ] } ] }'''


def name(text):
    labels = text.split(".") if text else []
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def names():
    def record(type_, value):
        return b"\xc0\x0c" + struct.pack("!HHIH", type_, 1, 60, len(value)) + value

    def answer(*records, flags=0x8580):
        body = struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + b"".join(records)
        return struct.pack("!H", len(body)) + body

    v4 = [record(1, bytes([192, 0, 2, i])) for i in range(4)]
    v6 = [record(28, bytes([0xfd] + [0] * 14 + [i])) for i in range(4)]
    srv = [record(33, struct.pack("!HHH", 0, 0, 7124 + i) + name(f"h{i}.example"))
           for i in range(3)]
    nowhere = [record(33, bytes(6) + name("h0.example")), record(33, bytes(4) + b"\1\1" + name(""))]
    alias = record(5, name("other.example")) + b"\5other\7example\0" + v4[0][2:]
    none = answer(flags=0x8583)
    for all_ in ([v4[0]], v4, v6, srv, srv + v4, [alias]):
        yield b"\1" + answer(*all_) * 8
        yield b"\x12" + (answer(*all_) + none) * 8
    yield b"\x02" + answer(*nowhere) + answer(*v4) + answer(*v6)
    yield b"\x1f" + (answer(*srv) + answer(*v4) + answer(*v6)) * 6
    yield b"\x22" + (answer(*srv[:1]) + none + answer(*v6) + answer(*v4)) * 6


def text():
    for line in ("relay-b", "relay-b:7125", "192.0.2.7", "192.0.2.7:7125", "2001:db8::7", "::",
                 "[2001:db8::7]:7125", "[2001:db8::7]", "10.0.0.0/8", "fd00::/8", "0.0.0.0/0",
                 "::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "_snowrelay._udp.example.org", "65535",
                 "a" * 63 + ".b", "fe80::1%eth0"):
        yield line.encode()


def searches():
    whole, from_mesh, elsewhere = 1, 2, 4

    def comes(bytes_, how=0, who=0, ms=0):
        return struct.pack("!BBH", how | who << 3, math.isqrt(ms), len(bytes_)) + bytes_

    def pva(*names, order=">"):
        asks = b"".join(struct.pack(f"{order}IB", 7, len(name_)) + name_ for name_ in names)
        body = struct.pack(f"{order}IB3x16xHBB3sH", 1, 0, 5076, 1, 3, b"tcp", len(names)) + asks
        return struct.pack(f"{order}BBBBI", 0xca, 2, 0x80 * (order == ">"), 3, len(body)) + body

    def ca(*names):
        asks = b""
        for name_ in names:
            size = len(name_) // 8 * 8 + 8
            asks += struct.pack("!HHHHII", 6, size, 5, 13, 1, 1) + name_.ljust(size, b"\0")
        return struct.pack("!HHHHII", 0, 0, 1, 13, 1, 0) + asks

    asked = [payload(bytes_) for bytes_ in broadcasts]
    for bytes_ in asked:
        yield comes(bytes_)
    for bytes_ in broadcasts[:12:3]:
        yield comes(bytes_, whole)
    yield b"".join(comes(bytes_, ms=200) for bytes_ in asked)
    tagged = struct.pack("!BBBBI16x", 0xca, 2, 0x80, 0x16, 16) + struct.pack("!BBBBI", 0xca, 2, 0x81, 2, 9)
    yield comes(tagged + pva(b"A:B", b"\x01\xff\\", order="<"))
    long = b"\xfe" + struct.pack("!I", 300) + bytes(range(1, 151)) * 2
    yield comes(pva(b"")[:3] + b"\3" + struct.pack("!I", 37 + len(long)) + pva(b"")[8:-1] + long)
    yield comes(ca(b"A:B", b"A:B.VAL", b"x" * 60))
    for bytes_ in (pva(b"A:B"), ca(b"A:B")):
        yield b"".join(comes(bytes_, ms=3000) for _ in range(12))
        yield b"".join(comes(bytes_, who=who, ms=1) for who in range(32)) * 3
        for how in (from_mesh, elsewhere):
            yield b"".join(comes(bytes_) + comes(bytes_, how, ms=10) + comes(bytes_, ms=400)
                           for _ in range(4))
    yield comes(pva(*[b"%d" % i for i in range(300)]))


for target in (frame, punt, announcement, hello, mesh, sealed, config, names, text, searches):
    into = folder / target.__name__
    into.mkdir(parents=True, exist_ok=True)
    for i, bytes_ in enumerate(target()):
        (into / f"seed-{i:03}").write_bytes(bytes_)
