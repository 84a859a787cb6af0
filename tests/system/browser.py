#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""browser.py PORT FOLDER COMMAND [ARGUMENT...]: has a real Chromium do something.

A chromedriver has to listen on PORT of this host's loopback.  FOLDER is for
the browser's profile, and remembers its session between calls.

    start             begin
    go URL            load URL
    js SCRIPT         run SCRIPT, the body of a function, and print what it
                      returns, as it is if it is text, else as JSON
    window W H        make the window so large, in pixels
    scheme light|dark prefer this color scheme
    picture FILE [H]  write what the page, or its first H pixels, looks like to
                      FILE, a PNG
    log               print what the console has said since the last time, a
                      line each
    requests          print the URLs that were asked for since the last time
    end               end

Speaks the WebDriver protocol, of W3C, and needs nothing but Python.
"""

import base64
import json
import sys
import urllib.error
import urllib.request

PORT, FOLDER, COMMAND, *ARGUMENTS = sys.argv[1:]


def call(method, path, body=None):
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        sys.exit(f"browser.py: {COMMAND}: {error.read().decode()[:600]}")


def session(method, path, body=None):
    with open(f"{FOLDER}/session") as file:
        return call(method, f"/session/{file.read()}{path}", body)


def devtools(command, **params):
    return session("POST", "/goog/cdp/execute",
                   {"cmd": command, "params": params})


def start():
    options = {
        "binary": "/usr/bin/chromium",
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en-GB",
            f"--user-data-dir={FOLDER}/profile", "--window-size=1280,1000"],
    }
    made = call("POST", "/session", {"capabilities": {"alwaysMatch": {
        "browserName": "chrome", "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})
    with open(f"{FOLDER}/session", "w") as file:
        file.write(made["sessionId"])


def js(script):
    value = session("POST", "/execute/sync", {"script": script, "args": []})
    print(value if isinstance(value, str) else json.dumps(value))


def picture(name, height=None):
    size = devtools("Page.getLayoutMetrics")["cssContentSize"]
    if height:
        size["height"] = int(height)
    shot = devtools("Page.captureScreenshot", captureBeyondViewport=True,
                    clip={**size, "scale": 1})
    with open(name, "wb") as file:
        file.write(base64.b64decode(shot["data"]))


def log():
    for entry in session("POST", "/se/log", {"type": "browser"}):
        print(entry["level"], entry["message"])


def requests():
    for entry in session("POST", "/se/log", {"type": "performance"}):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            print(message["params"]["request"]["url"])


COMMANDS = {
    "start": start,
    "go": lambda url: session("POST", "/url", {"url": url}),
    "js": js,
    "window": lambda w, h: devtools(
        "Emulation.setDeviceMetricsOverride", width=int(w), height=int(h),
        deviceScaleFactor=1, mobile=False),
    "scheme": lambda value: devtools("Emulation.setEmulatedMedia", features=[
        {"name": "prefers-color-scheme", "value": value}]),
    "picture": picture,
    "log": log,
    "requests": requests,
    "end": lambda: session("DELETE", ""),
}

COMMANDS[COMMAND](*ARGUMENTS)
