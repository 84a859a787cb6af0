#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""mock-more.py PORT URL PEERS: gives on PORT of loopback what the relay at URL
gives, but that status.json has PEERS made-up peers, and searches for names
that nobody would choose who means well.

For how the page looks with more peers than a lab has, and what it does with
names that are an attack on it.
"""

import http.server
import json
import sys
import urllib.request

port, url, n_peers = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])

HOSTILE = [
    "<img src=x onerror=\"document.title='taken'\">",
    "<script>document.title = 'taken'</script>",
    "\"><svg onload=\"document.title='taken'\">",
    "javascript:document.title='taken'",
    "A:VERY:LONG:NAME:" + "X" * 200,
    "\u202eright to left\u0000\u001b[31m",
]


def peer(i):
    forwarder = i - i % 3 if i % 7 == 1 else i
    down = i % 20 == 19
    return {
        "name": HOSTILE[0] if i == 0 else f"relay-{i}.example.org",
        "source": "configured",
        "address": f"192.0.{2 + i // 250}.{i % 250}:7124",
        "format": "snowrelay", "transport": "udp", "tunnel": None,
        "state": "down" if down else "up",
        "reason": "it has left" if down else "it says hello",
        "role": None if down else "forwarding" if i == forwarder else "standby",
        "relay_id": f"{i + 1:016x}", "forwarder": f"{forwarder + 1:016x}",
        "up_since": None if down else "2026-01-01T00:00:00Z",
        "rx": 10, "tx": 20, "lost": 0, "tx_lost": 0,
        "rtt_us": 30000 if i % 11 == 5 else 200 + i,
    }


def more(status):
    if n_peers:
        status["peers"] = [peer(i) for i in range(n_peers)]
    status["searches"] = {
        "protocols": ["pva", "ca"], "names": len(HOSTILE), "forgotten": 2,
        "unanswered": len(HOSTILE), "datagrams": 9, "skipped": 0, "malformed": 0,
        "requests": {"pva": 72}, "repeated": {"pva": 60},
        "top": [{
            "name": name, "protocol": "pva", "count": 12, "rate": 0.5,
            "repeated": 10, "first": "2026-01-01T00:00:00Z",
            "last": "2026-01-01T00:00:09Z", "unanswered": True, "others": 0,
            "from": [{"address": "10.1.0.10", "ports": [5000], "count": 12,
                      "local": True}],
        } for name in HOSTILE],
    }
    return status


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with urllib.request.urlopen(url + self.path) as answer:
            body = answer.read()
            headers = answer.headers
        if self.path == "/status.json":
            body = json.dumps(more(json.loads(body))).encode()
        self.send_response(200)
        for name in ("Content-Type", "Content-Security-Policy"):
            self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
