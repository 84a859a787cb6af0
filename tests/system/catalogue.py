#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the catalogue of log lines in docs/operating.md with what can be logged.

    catalogue.py sources          print a line for each kind of line of level INFO and above that the
                                  sources have: module, levels, words
    catalogue.py document         print the same of the document, for modules of the sources
    catalogue.py reasons WHAT     print the drop reasons of the `sources` or of the `document`
    catalogue.py unknown FILE...  print the lines of these logs that the document has not

What changes from line to line is a * in the words. In the document it is a word in capital letters,
of two letters at least; so such a word is a * in the sources as well.
"""

import glob
import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DOCUMENT = os.path.join(TOP, "docs", "operating.md")
LEVELS = ("INFO", "WARN", "ERR", "EMER")

# What logs, and which of its arguments is the format. ovs_fatal() does not log, but says it to the
# one who has started the program, as VLOG_FATAL() does besides.
CALL = re.compile(r"\b(VLOG_(?:FATAL|EMER|ERR|WARN|INFO|DBG)(?:_RL)?|VLOG(?:_RL)?|ovs_fatal)\(")


def read(name):
    with open(name, encoding="utf-8", errors="backslashreplace") as file:
        return file.read()


def sources():
    return sorted(glob.glob(os.path.join(TOP, "controller", "*.c")))


def arguments(text, at):
    """The arguments of the call whose parenthesis is open at `at`."""
    depth, found, current = 1, [], ""
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|.', text[at:], re.S):
        c = token.group()
        depth += (c in "([{") - (c in ")]}")
        if depth == 0:
            return found + [current.strip()]
        if c == "," and depth == 1:
            found.append(current.strip())
            current = ""
        else:
            current += c
    sys.exit("catalogue.py: a call without an end")


def words(text):
    """Has what changes be a *."""
    text = re.sub(r"\b[A-Z][A-Z]+(?![a-z])", "*", text)
    return re.sub(r"\*( ?\*)*", "*", text)


def format_words(format_):
    """The words of `format_`, a string in C, in pieces and with macros in between."""
    text = ""
    for piece in re.finditer(r'"((?:[^"\\]|\\.)*)"|(\w+)', format_):
        text += piece.group(1) if piece.group(2) is None else "\0"
    text = text.replace('\\"', '"')
    text = re.sub(r"%[-+ #0-9.*]*(?:[hljzt]*[diouxXcsp]|\0)", "*", text)
    return words(text.replace("\0", "*"))


def kinds_in_sources():
    kinds = set()
    for name in sources():
        text = re.sub(r"/\*.*?\*/", "", read(name), flags=re.S)
        module = re.search(r"^VLOG_DEFINE_THIS_MODULE\((\w+)\)", text, re.M)
        for call in CALL.finditer(text):
            macro, found = call.group(1), arguments(text, call.end())
            first = macro.endswith("_RL") + (macro in ("VLOG", "VLOG_RL")) + (macro == "ovs_fatal")
            if macro in ("VLOG", "VLOG_RL"):
                levels = re.findall(r"\bVLL_(\w+)", found[first - 1])
                if not levels:
                    sys.exit(f"{name}: which levels can {found[first - 1]} be?")
            else:
                level = re.sub(r"VLOG_|_RL", "", macro)
                levels = ["EMER" if level in ("FATAL", "ovs_fatal") else level]
            levels = [level for level in LEVELS if level in levels]
            said = format_words(found[first])
            if said == "*" and levels == ["EMER"]:
                continue  # A whole message, which has its place among those of the start.
            if levels:
                kinds.add((module.group(1) if module else "-", ", ".join(levels), said))
    return kinds


def rows():
    """The rows of the document's catalogue: where a line is from, its levels, its words."""
    return re.findall(r"^\| ([\w-]+)(?: ((?:[A-Z]+(?:, )?)+))? \| `(.+?)` \|[^|]*\|$", read(DOCUMENT),
                      re.M)


def own_modules():
    return {module for name in sources()
            for module in re.findall(r"^VLOG_DEFINE_THIS_MODULE\((\w+)\)", read(name), re.M)}


def kinds_in_document():
    own = own_modules() | {"-"}
    return {(module, levels, words(said)) for module, levels, said in rows()
            if module in own and levels}


def unknown(files):
    known = []
    for module, levels, said in rows():
        pattern = ".*".join(re.escape(piece) for piece in words(said).split("*"))
        known.append((module, levels.split(", "), re.compile(pattern)))
    for name in files:
        for line in read(name).splitlines():
            parts = re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+\|(\w+)(?:\([^)]*\))?\|(\w+)\|(.*)",
                                 line)
            if not parts or not any(
                    module in ("any", parts[1]) and (levels == [""] or parts[2] in levels)
                    and pattern.fullmatch(parts[3]) for module, levels, pattern in known):
                yield line


def reasons(what):
    if what == "document":
        text = read(DOCUMENT)
        text = text[text.index("## Some frames are lost"):]
        text = text[:text.index("\n## ")] if "\n## " in text else text
        return set(re.findall(r"^\| `(\w+)` \|", text, re.M))
    found = set()
    for name in ("counters.c", "frame.c"):
        found |= set(re.findall(r"case (?:DROP|FRAME)_\w+:\s*return \"(\w+)\"",
                                read(os.path.join(TOP, "controller", name))))
    return found - {"ok"}


def main(what, *more):
    if what == "unknown":
        lines = list(unknown(more))
    elif what == "reasons":
        lines = sorted(reasons(*more))
    else:
        kinds = {"sources": kinds_in_sources, "document": kinds_in_document}[what]()
        lines = [" | ".join(kind) for kind in sorted(kinds)]
    for line in lines:
        print(line)


main(*sys.argv[1:])
