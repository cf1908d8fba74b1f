"""What the transformer learns from: characters with marks, and the labels of each head.

Inputs are files of `cargo run --release --example model_inputs`; the corpus's own marks come from training/corpus, the
positive diseases of JMED-LLM from its train.jsonl. A label of -100 is no label: the loss leaves it out.
"""

import json
import sys
from pathlib import Path

import numpy

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training" / "corpus"))
import read as corpus  # noqa: E402

CODES = ["d", "d-", "d?", "dx", "dp", "df", "dg", "ds", "e", "k", "v", "a", "m", "q", "r", "x", "c", "h"]
HEADS = {
    "mention": ["O"] + [f"{tag}-{code}" for code in CODES for tag in "BI"],
    "medtxt": ["O", "B-d_positive", "I-d_positive"],
    "node": ["O", "B-node", "I-node"],
    "primary": ["O", "primary"],
}


class Document:
    """A report: characters, marks, and for each head one label a character (None: the head has none)."""

    def __init__(self, id, text, marks, own):
        self.id, self.text, self.marks, self.own = id, text, numpy.array(marks, dtype=numpy.int64), own
        self.labels = {head: None for head in HEADS}

    def put(self, head, spans):
        """Labels of a head from (start, end, label) in characters of the text; later spans leave earlier ones be."""
        labels = numpy.zeros(len(self.text), dtype=numpy.int64)
        names = HEADS[head]
        for start, end, label in spans:
            if start >= end or labels[start:end].any():
                continue
            if head == "primary":
                labels[start:end] = 1
            else:
                labels[start:end] = names.index(f"I-{label}")
                labels[start] = names.index(f"B-{label}")
        self.labels[head] = labels


def read_inputs(path):
    """The marks' names, and the records by id."""
    with open(path, encoding="utf-8") as file:
        marks = json.loads(file.readline())["marks"]
        return marks, {record["id"]: record for record in map(json.loads, file)}


def folded(origin, count):
    """For each code point of the report the first character of the normalised text that comes from it or from later."""
    to = [len(origin)] * (count + 1)
    for at in range(len(origin) - 1, -1, -1):
        for point in range(origin[at][0], max(origin[at][1], origin[at][0] + 1)):
            if point <= count:
                to[point] = at
    for point in range(count - 1, -1, -1):
        to[point] = min(to[point], to[point + 1]) if to[point] == len(origin) else to[point]
    return to


def written(inputs):
    """Documents of the written corpus."""
    documents = []
    for _, id, fields, text, tree in corpus.reports():
        record = inputs[id]
        plain = corpus.plain(text)
        documents.append(of_corpus(id, record, plain, corpus.mentions(text), primary_number(fields["primary"], tree)))
    return documents


def primary_number(primary, tree):
    """The number of the tree's node that is the primary disease, or None."""
    for line in tree:
        match = corpus.LINE.fullmatch(line)
        if match and match.group(2) == primary:
            return int(match.group(3)) if match.group(3) else None
    return None


def of_corpus(id, record, plain, mentions, primary):
    document = Document(id, record["text"], record["marks"], own=False)
    to = folded(record["origin"], len(plain))
    spans = [(to[start], to[end], code, node) for start, end, code, node in mentions]
    document.put("mention", [(start, end, code) for start, end, code, _ in spans])
    document.put("node", [(start, end, "node") for start, end, code, node in spans if node is not None and code != "v"])
    if primary is not None:
        document.put("primary", [(start, end, "primary") for start, end, _, node in spans if node == primary])
    return document


def bigrams(words):
    return {words[at : at + 2] for at in range(len(words) - 1)}


def find_words(text, label):
    """Where a gold node that no candidate is may stand: the window most like its label's words, from Dice 0.7 up."""
    words = label.split("=")[-1].split("/")[0].split("@")[0].removeprefix("H:")
    at = text.find(words)
    if at >= 0:
        return at, at + len(words)
    wanted = bigrams(words)
    if len(wanted) < 3:
        return None
    best = (0.0, None)
    for start in range(len(text)):
        for end in range(start + max(2, len(words) - 3), min(len(text), start + len(words) + 4) + 1):
            window = text[start:end]
            if text[start] in "、。,. \n" or text[end - 1] in "、。,. \n":
                continue
            mine = bigrams(window)
            score = 2 * len(mine & wanted) / (len(mine) + len(wanted))
            if score > best[0]:
                best = (score, (start, end))
    return best[1] if best[0] >= 0.7 else None


def development(inputs, path):
    """Documents of JMED-LLM's training file; the gold trees' labels where `inputs` has them."""
    documents = []
    with open(path, encoding="utf-8") as file:
        for record in map(json.loads, file):
            given = inputs.get(record["id"])
            if given is None:
                continue
            document = Document(record["id"], given["text"], given["marks"], own=True)
            to = folded(given["origin"], len(record["text"]))
            document.put("medtxt", [(to[s], to[e], "d_positive") for s, e in occurrences(record["text"], record["positive_disease"])])
            if "nodes" in given:
                spans = [(start, end, "node") for start, end, _ in given["nodes"]]
                spans += [(*found, "node") for found in (find_words(given["text"], label) for label in given["unfound"]) if found]
                document.put("node", spans)
                document.put("primary", [(start, end, "primary") for start, end in given["primary"]])
            documents.append(document)
    return documents


def occurrences(text, words):
    """Every place of each of the words, longest first, without overlaps."""
    taken, spans = numpy.zeros(len(text), dtype=bool), []
    for word in sorted(set(words), key=lambda word: (-len(word), word)):
        at = text.find(word)
        while word and at >= 0:
            if not taken[at : at + len(word)].any():
                taken[at : at + len(word)] = True
                spans.append((at, at + len(word)))
            at = text.find(word, at + 1)
    return sorted(spans)


def generated(inputs, path):
    """Documents of training/generate.py's reports."""
    documents = []
    with open(path, encoding="utf-8") as file:
        for report in map(json.loads, file):
            tree = [line.strip().removeprefix("-") for line in report["causal_tree"].split("\n")]
            primary = tree.index(report["primary"]) if report["primary"] in tree else None
            documents.append(of_corpus(report["id"], inputs[report["id"]], report["text"], [tuple(m) for m in report["mentions"]], primary))
    return documents
