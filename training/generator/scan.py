"""The print of older journals, and what a scanner makes of it."""

import collections

from . import plans
from .marks import mark, segments

WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def print_old(marked, rng):
    """The print of older journals: full-width letters, other punctuation, and what a scanner takes for another character."""
    stops = rng.choice((("，", "．"), ("，", "．"), ("、", "。"), ("，", "。"), ("，", ".")))
    wide, small = rng.random() < 0.9, rng.random() < 0.7
    words_old = [pair for pair in plans.OLD_WORDS if rng.random() < 0.3]
    slips = rng.choice((0, 0, 0.002, 0.004, 0.008))
    spaced = rng.random() < 0.25
    parts = []
    for opening, words in segments(marked):
        for new, old in words_old:
            words = words.replace(new, old)
        if small:
            words = words.replace("mg/dL", "mg/dl").replace("g/dL", "g/dl").replace("μL", "μl").replace("/μl",
                rng.choice(("/μl", "/mm3"))).replace("U/L", "IU/l").replace("mEq/L", "mEq/l")
        if wide:
            words = words.translate(WIDE).replace(" ", "　" if spaced else "")
        words = words.replace("、", stops[0]).replace("。", stops[1]) if not opening else words.replace("、", stops[0])
        if slips:
            words = slip(words, rng, slips, bool(opening))
        parts.append(words if opening is None else mark(opening[0], words, opening[1]))
    return "".join(parts)


SLIP = collections.defaultdict(list)
for good, bad in plans.SLIPS:
    SLIP[good].append(bad)


def slip(words, rng, rate, marked):
    out = []
    for character in words:
        if rng.random() < rate * 8 and character in SLIP:
            out.append(rng.choice(SLIP[character]))
        elif rng.random() < rate / 6 and character not in "\n":
            out.append(character + ("　" if not marked else ""))
        else:
            out.append(character)
    return "".join(out) if not marked or "".join(out).strip() else words
