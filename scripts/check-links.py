#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check-links.py [FOLDER]: checks that every link in the Markdown documents leads somewhere.

A link to a file must name one that is there, and an anchor a heading of it, with the words that
GitHub makes of one. So must every mention of docs/NAME.md in sources, scripts and tests. Links to
other hosts are not looked at. Each that leads nowhere is a line, and then the status is 1.
"""

import pathlib
import re
import sys

top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
files = [path for place in top.iterdir() if place.name != "build" and not place.name.startswith(".")
         for path in ([place] if place.is_file() else sorted(place.rglob("*"))) if path.is_file()]


def prose(path):
    """Returns the document's lines by number, without those of its code blocks."""
    fence = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark = re.match(r" *(```+|~~~+)", line)
        if mark and not fence:
            fence = mark[1]
        elif fence:
            fence = None if mark and mark[1] == fence else fence
        else:
            yield number, line


def anchors(path):
    """Returns the anchors of a document's headings."""
    seen = {}
    for _, line in prose(path):
        heading = re.match(r"#{1,6} +(.*?)[ #]*$", line)
        if heading:
            words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            seen[anchor] = seen.get(anchor, -1) + 1
            yield f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor


def targets(path):
    """Returns the links of a document, and the line of each."""
    for number, line in prose(path):
        line = re.sub(r"`[^`]*`", "", line)
        for target in re.findall(r"\]\(([^)\s]+)\)", line) + re.findall(r'(?:src|href)="([^"]+)"', line):
            if not re.match(r"[a-z][a-z0-9+.-]*:", target):
                yield number, target


def wrong(path):
    """Returns what is wrong with the document's links, a string each."""
    for number, target in targets(path):
        name, _, anchor = target.partition("#")
        to = (path.parent / name).resolve() if name else path
        here = f"{path.relative_to(top)}:{number}: {target}"
        if not to.exists():
            yield f"{here}: no such file"
        elif anchor and anchor not in set(anchors(to)):
            yield f"{here}: no heading has this anchor"


def mentions(path):
    """Returns the documents that a source, a script or a test names, and that are not there."""
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, 1):
        for name in re.findall(r"\bdocs/[a-z-]+\.md\b", line):
            if not (top / name).exists():
                yield f"{path.relative_to(top)}:{number}: {name}: no such file"


problems = [problem for path in files
            for problem in (wrong(path) if path.suffix == ".md" else mentions(path))]
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(1 if problems else 0)
