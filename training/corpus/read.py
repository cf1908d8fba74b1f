#!/usr/bin/env python3
"""Reads the written corpus (training/corpus/*.txt): checks it, and gives it as JSON lines.

    python3 training/corpus/read.py --check                        print every fault; exit 1 if there is one
    python3 training/corpus/read.py --reports OUT --gold OUT        {id, text} and {id, primary, causal_tree}

The format is described in training/README.md. Standard library only.
"""

import argparse
import json
import re
import sys
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARK = re.compile(r"\[([a-z]+[-?]?)(?:#(\d+))?:([^\[\]]+)\]")
LINE = re.compile(r"((?:  )*)-(.+?) \{(\d*)\}")
CODES = {"d", "d-", "d?", "dx", "dp", "df", "dg", "ds", "e", "k", "v", "a", "m", "q", "r", "x", "c", "h"}


def reports(folder=HERE):
    """(file, id, fields, marked text, tree lines) of every report, files in order."""
    for path in sorted(folder.glob("*.txt")):
        for block in re.split(r"(?m)^### ", path.read_text(encoding="utf-8"))[1:]:
            head, _, rest = block.partition("--- text\n")
            text, _, tree = rest.partition("--- tree\n")
            lines = head.split("\n")
            fields = dict(line.split(":", 1) for line in lines[1:] if ":" in line)
            fields = {name.strip(): value.strip() for name, value in fields.items()}
            yield path, lines[0].strip(), fields, text.rstrip("\n"), [line.rstrip() for line in tree.split("\n") if line.strip()]


def plain(text):
    """The report without its marks."""
    return MARK.sub(lambda mark: mark.group(3), text)


def mentions(text):
    """(start, end, code, node or None) of every mark, as code points of the plain text."""
    found, shift = [], 0
    for mark in MARK.finditer(text):
        start = mark.start() - shift
        end = start + len(mark.group(3))
        found.append((start, end, mark.group(1), int(mark.group(2)) if mark.group(2) else None))
        shift += len(mark.group(0)) - len(mark.group(3))
    return found


def faults(ids, id, fields, text, tree):
    if id in ids:
        yield "the id stands twice"
    for name in ("style", "specialty", "primary"):
        if not fields.get(name):
            yield f"no {name}"
    numbers = {}
    for mark in MARK.finditer(text):
        if mark.group(1) not in CODES:
            yield f"unknown code {mark.group(1)}"
        if mark.group(2):
            numbers.setdefault(int(mark.group(2)), []).append((mark.group(1), mark.group(3)))
    if re.search(r"\[[a-z]+[-?]?(#\d+)?:|#\d+:", plain(text)):
        yield "a broken mark"
    nodes, before, labels = {}, -1, set()
    for line in tree:
        parts = LINE.fullmatch(line)
        if not parts:
            yield f"no line of a tree: {line}"
            continue
        depth, label, number = len(parts.group(1)) // 2, parts.group(2), parts.group(3)
        if depth > before + 1:
            yield f"indented too far: {line}"
        before = depth
        labels.add(label)
        if label != unicodedata.normalize("NFKC", label):
            yield f"not NFKC: {label}"
        if number:
            if int(number) in nodes:
                yield f"the number {number} stands on two nodes"
            nodes[int(number)] = label
            if int(number) not in numbers:
                yield f"no mention of node {label} {{{number}}}"
    for number, marked in numbers.items():
        if number not in nodes:
            yield f"no node of mention {marked[0][1]} #{number}"
        elif any(code in ("d-", "dx", "df", "dg") for code, _ in marked):
            yield f"node {nodes[number]} has a mention that does not hold"
    if fields.get("primary") not in labels:
        yield f"the primary disease {fields.get('primary')} is no node"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--reports", type=Path)
    parser.add_argument("--gold", type=Path)
    arguments = parser.parse_args()
    ids, count = set(), 0
    texts, trees = [], []
    for path, id, fields, text, tree in reports():
        for fault in faults(ids, id, fields, text, tree):
            count += 1
            print(f"{path.name}: {id}: {fault}", file=sys.stderr)
        ids.add(id)
        texts.append({"id": id, "text": plain(text)})
        tree = "\n".join(re.sub(r" \{\d*\}$", "", line) for line in tree)
        trees.append({"id": id, "primary": fields.get("primary", ""), "causal_tree": tree})
    for target, records in ((arguments.reports, texts), (arguments.gold, trees)):
        if target:
            target.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    print(f"{len(ids)} reports, {count} faults")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
