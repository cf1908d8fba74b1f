"""Marks in a text: START code#node MIDDLE words END. The three characters occur in no dictionary."""

import re

START, MIDDLE, END = "\x01", "\x02", "\x03"
MARK = re.compile(f"{START}([a-z]+[-?]?)(?:#(\\d+))?{MIDDLE}([^{START}{MIDDLE}{END}]*){END}")


def mark(code, words, number=None):
    return f"{START}{code}{'' if number is None else f'#{number}'}{MIDDLE}{words}{END}"


def segments(marked):
    """The marked text as (open mark or None, words): a mark's words stay together."""
    at = 0
    for found in MARK.finditer(marked):
        if found.start() > at:
            yield None, marked[at : found.start()]
        yield (found.group(1), found.group(2)), found.group(3)
        at = found.end()
    if at < len(marked):
        yield None, marked[at:]
