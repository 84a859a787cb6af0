#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Takes examples out of the documents, README.md and docs/*.md, for tests to try.

    documents.py configurations FOLDER
        writes each block marked `json` to FOLDER/NAME.md:LINE. Such a block is a whole
        configuration; other JSON has another mark, such as `json status`, or none.
    documents.py commands
        prints NAME.md:LINE, a tab, and a command of snowrelayd, for each in a block marked `sh`,
        without sudo and what is before the program's name; for `ovs-setup.sh up` what is after its
        `--`.
    documents.py block DOCUMENT MARK
        prints the first block of a document with this mark.
"""

import pathlib
import re
import sys

top = pathlib.Path(__file__).parent.parent.parent


def blocks(path):
    """Returns the mark, the number of the first line, and the text of each block of code."""
    fence = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark = re.match(r"( *)```(.*)$", line)
        if fence is None and mark:
            fence, first, lines = mark, number + 1, []
        elif fence is not None and mark and not mark[2]:
            yield fence[2].strip(), first, "\n".join(lines) + "\n"
            fence = None
        elif fence is not None:
            lines.append(line.removeprefix(fence[1]))


def marked(mark):
    """Returns the name, the number of the first line, and the text of each block with this mark."""
    for path in [top / "README.md", *sorted(top.glob("docs/*.md"))]:
        for its, first, text in blocks(path):
            if its == mark:
                yield path.name, first, text


def commands():
    """Returns the document, the line and the command of each example."""
    for name, first, text in marked("sh"):
        # A line that goes on is one with the next, and keeps its number.
        text = re.sub(r"\\\n *(.*)", r"\1\n", text)
        for number, line in enumerate(text.splitlines(), first):
            line = re.sub(r"\s+#\s.*", "", line)
            words = re.match(r"(?:sudo )?((?:[A-Z_]+=\S* )*)(?:\S*/)?snowrelayd( .*)?$", line)
            after = re.match(r"(?:sudo )?\S*ovs-setup.sh up .*? -- (.*)", line)
            if words:
                yield name, number, f"{words[1]}snowrelayd{words[2] or ''}"
            elif after:
                yield name, number, f"snowrelayd {after[1]}"


if sys.argv[1] == "configurations":
    for name, first, text in marked("json"):
        (pathlib.Path(sys.argv[2]) / f"{name}:{first}").write_text(text)
elif sys.argv[1] == "commands":
    for name, number, command in commands():
        print(f"{name}:{number}\t{command}")
else:
    print(next(text for mark, _, text in blocks(top / sys.argv[2]) if mark == sys.argv[3]), end="")
