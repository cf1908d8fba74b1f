#!/usr/bin/env python3
"""Samples the knowledge base into annotated case reports, for the pre-training of the default model.

    python3 training/generate.py --seed 1 --count 10000 OUT.jsonl    one JSON line a report
    python3 training/generate.py --seed 1 --show 5                   a few as people read them, with marks and tree
    python3 training/generate.py --check                             300 reports through every check; exit 1 on a fault

A line is {"id", "text", "primary", "causal_tree", "mentions": [[start, end, code, node], ...]}: code points of the text,
the codes of training/README.md, and the line number (from 0) of the tree line or null. The same seed and dictionaries
give the same reports. Standard library only; about 4 ms a report.

A report is made in four steps: `Case` draws a primary disease, what caused it, what it caused, and the findings of each
from dictionaries/knowledge; `Writer` tells that case in the sentences of generator/plans.py, with marks around the mentions;
`print_old` wears the print down; `finish` cuts the marks out into offsets and drops what no sentence told.
"""

import argparse
import collections
import json
import random
import re
import sys
import unicodedata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from generator.case import Case  # noqa: E402
from generator.marks import END, MARK, MIDDLE, START, mark, segments  # noqa: E402
from generator.scan import print_old  # noqa: E402
from generator.world import World  # noqa: E402
from generator.writer import Style, Writer  # noqa: E402

CODES = {"d", "d-", "d?", "dx", "dp", "df", "dg", "ds", "e", "k", "v", "a", "m", "q", "r", "x", "c", "h"}
LENGTH_CHARS = (250, 900)


def finish(case, marked):
    """The text, its mentions and its tree; None if the report does not hold together."""
    told = {int(number) for _, number in ((found.group(1), found.group(2)) for found in MARK.finditer(marked))
        if number is not None}

    def prune(node):
        node.children = [child for child in node.children if prune(child)]
        return node.number in told or bool(node.children)

    roots = [root for root in case.roots if prune(root)]
    if case.primary.number not in told:
        return None
    lines, line_of = [], {}

    def lay(node, depth):
        line_of[node.number] = len(lines)
        lines.append("  " * depth + "-" + unicodedata.normalize("NFKC", node.label))
        for child in node.children:
            lay(child, depth + 1)

    for root in roots:
        while root.number not in told and len(root.children) == 1 and root is not case.primary:
            root = root.children[0]
        lay(root, 0)
    text, mentions = "", []
    for opening, words in segments(marked):
        if opening is not None:
            number = None if opening[1] is None else line_of.get(int(opening[1]))
            mentions.append([len(text), len(text) + len(words), opening[0], number])
        text += words
    return text, "\n".join(lines), mentions


def report(world, seed, at):
    """The report of a number: the same for the same seed and dictionaries."""
    attempt = 0
    while True:
        rng = random.Random(f"{seed}:{at}:{attempt}")
        attempt += 1
        style = Style(rng)
        size = rng.choice((6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20))
        if style.note:
            size += 2
        case = Case(world, rng, size)
        writer = Writer(case, style, rng)
        marked = writer.write()
        marked = tidy(marked)
        if style.one_sentence_a_line:
            marked = "".join(words.replace("。", "。\n") if opening is None else mark(opening[0], words, opening[1])
                for opening, words in segments(marked)).rstrip("\n")
        if style.old:
            marked = print_old(marked, rng)
        done = finish(case, marked)
        if done and LENGTH_CHARS[0] <= len(done[0]) <= LENGTH_CHARS[1]:
            text, tree, mentions = done
            return {"id": f"gen-{seed}-{at:06d}", "text": text,
                "primary": unicodedata.normalize("NFKC", case.primary_label), "causal_tree": tree,
                "mentions": mentions}


TIDY = [(re.compile(r"。([、，])"), r"。"), (re.compile("、、+"), "、"), (re.compile("。。+"), "。"), (re.compile("、。"), "。"),
    (re.compile(r"\n\n+"), "\n"), (re.compile("^、|(?<=\n)、"), "")]


def tidy(marked):
    for pattern, replacement in TIDY:
        marked = pattern.sub(replacement, marked)
    return marked.strip()


# What says that a finding is not there, in the rest of its sentence.
DENIED = re.compile("な[いくかしど]|なし|なり|無|ず|ない|ません|否|除|欠|陰性|乏し|免れ|前に診断|みていない|いない|異常|[(（][-−－][)）]|[-−－ー一][)）]")


def faults(record):
    """What is wrong with a record."""
    text, lines = record["text"], record["causal_tree"].split("\n")
    if not LENGTH_CHARS[0] <= len(text) <= LENGTH_CHARS[1]:
        yield f"{len(text)} characters"
    if re.search(f"[{START}{MIDDLE}{END}]", text):
        yield "a mark is left in the text"
    if re.search(r"\{\w+\}|None", text):
        yield "an unfilled slot"
    before = -1
    for line in lines:
        parts = re.fullmatch(r"((?:  )*)-(\S.*)", line)
        if not parts or len(parts.group(1)) // 2 > before + 1:
            yield f"no line of a tree: {line!r}"
            return
        before = len(parts.group(1)) // 2
        if parts.group(2) != unicodedata.normalize("NFKC", parts.group(2)):
            yield f"not NFKC: {line}"
    if not any(line.strip()[1:] == record["primary"] for line in lines):
        yield "the primary disease is no node"
    end = 0
    for start, stop, code, node in record["mentions"]:
        if code not in CODES:
            yield f"unknown code {code}"
        if not end <= start < stop <= len(text):
            yield f"mention {start}..{stop} {code} overlaps, is empty or lies outside"
        if text[start:stop] != text[start:stop].strip() or "\n" in text[start:stop]:
            yield f"mention {text[start:stop]!r} begins or ends in space"
        end = max(end, stop)
        if code == "d-" and not DENIED.search(re.split("[。．\n]|\\.(?![0-9０-９])", text[stop : stop + 160].replace("　", ""))[0]):
            yield f"nothing says that {text[start:stop]} is absent: {text[start - 10 : stop + 25]!r}"
        if node is not None:
            if not 0 <= node < len(lines):
                yield f"no line {node} in the tree"
            if code in ("d-", "dx", "df", "dg", "ds"):
                yield f"a mention of {lines[node].strip()} has the code {code}"
    if len(set(lines)) != len(lines):
        yield "two lines of the tree are the same"


def check(world, count):
    """Every check over `count` reports. The number of faults."""
    found, shares, texts, lengths = 0, collections.Counter(), set(), []
    for seed in (1, 2):
        for at in range(count // 2):
            record = report(world, seed, at)
            for fault in faults(record):
                found += 1
                print(f"{record['id']}: {fault}", file=sys.stderr)
            if record["text"] in texts:
                found += 1
                print(f"{record['id']}: the same text as another report", file=sys.stderr)
            texts.add(record["text"])
            lengths.append(len(record["text"]))
            shares.update(code for _, _, code, _ in record["mentions"])
    if report(world, 1, 0) != report(world, 1, 0):
        found += 1
        print("the same seed gives different reports", file=sys.stderr)
    total = sum(shares.values())
    for code in sorted(CODES - set(shares)):
        found += 1
        print(f"no mention has the code {code}", file=sys.stderr)
    print(f"{len(texts)} reports, {sum(lengths) / len(lengths):.0f} characters, {total / len(lengths):.1f} mentions each")
    print("  ".join(f"{code} {share / total:.1%}" for code, share in shares.most_common()))
    print(f"{found} faults")
    return found


def show(record):
    text, at = "", 0
    for start, stop, code, node in record["mentions"]:
        text += record["text"][at:start] + f"[{code}{'' if node is None else f'#{node}'}:{record['text'][start:stop]}]"
        at = stop
    print(f"### {record['id']}  primary: {record['primary']}\n{text}{record['text'][at:]}\n--- tree\n{record['causal_tree']}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, help="the .jsonl file to write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--show", type=int, metavar="N", help="print N reports with their marks and trees")
    parser.add_argument("--check", action="store_true", help="make 300 reports and check them")
    arguments = parser.parse_args()
    world = World()
    if arguments.check:
        return 1 if check(world, 300) else 0
    if arguments.show is not None:
        for at in range(arguments.show):
            show(report(world, arguments.seed, at))
        return 0
    if arguments.out is None:
        parser.error("give a file to write, --show N or --check")
    try:
        with arguments.out.open("w", encoding="utf-8") as out:
            for at in range(arguments.count):
                record = report(world, arguments.seed, at)
                out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
    except OSError as error:
        parser.error(f"{arguments.out} cannot be written ({error.strerror}): give a file in an existing folder")
    return 0


if __name__ == "__main__":
    sys.exit(main())
