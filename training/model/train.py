#!/usr/bin/env python3
"""Trains the transformer that reads the dictionaries' marks.

    train.py --corpus INPUTS --development INPUTS --reports TRAIN.jsonl --work DIR --step STEP …

Steps, in the order of make.sh: `generated` (pre-training on generated reports), `base` (the written corpus), `folds` (the
development reports, each fold's model without its own reports; prints the figures), `corpus-folds` (the same of the written
corpus), `final` (all). Weights between steps, and each model as a folder with the ids that it has not seen, go to DIR.

INPUTS are files of `cargo run --release --example model_inputs`, TRAIN.jsonl is JMED-LLM's training file. Seeds are
fixed. Needs requirements.txt.
"""

import argparse
import math
import random
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from transformers import BertConfig, BertModel

import data
from export import export

SEED = 2026
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WINDOW = 254
STRIDE = 127
FOLDS = 5
FOLDS = 5
CORPUS_FOLDS = 3


def config(vocabulary, marks, layers, hidden):
    return BertConfig(
        vocab_size=vocabulary, type_vocab_size=marks, hidden_size=hidden, num_hidden_layers=layers,
        num_attention_heads=hidden // 32, intermediate_size=4 * hidden, max_position_embeddings=WINDOW + 2,
        hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1, pad_token_id=0)


class Model(nn.Module):
    """A BERT and linear heads over its last hidden states."""

    def __init__(self, config):
        super().__init__()
        self.bert = BertModel(config, add_pooling_layer=False)
        # Attention to neighbours is there from the start: little text would not teach it.
        with torch.no_grad():
            size = config.hidden_size
            position = torch.arange(config.max_position_embeddings).unsqueeze(1)
            rate = torch.exp(torch.arange(0, size, 2) * (-math.log(10000.0) / size))
            table = self.bert.embeddings.position_embeddings.weight
            table[:, 0::2] = 0.02 * torch.sin(position * rate) * 1.4
            table[:, 1::2] = 0.02 * torch.cos(position * rate) * 1.4
        self.dropout = nn.Dropout(0.1)
        self.heads = nn.ModuleDict({name: nn.Linear(config.hidden_size, len(labels)) for name, labels in data.HEADS.items()})

    def forward(self, ids, types, mask):
        hidden = self.bert(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state
        hidden = self.dropout(hidden)
        return {name: head(hidden) for name, head in self.heads.items()}


def windows(length):
    """Starts of the windows that a text is read in."""
    if length <= WINDOW:
        return [0]
    return list(range(0, length - WINDOW, STRIDE)) + [length - WINDOW]


def encode(document, vocabulary):
    return numpy.array([vocabulary.get(c, 1) for c in document.text], dtype=numpy.int64)


def batch_of(items):
    """(ids, types, labels by head) of windows, padded; with [CLS] and [SEP]."""
    longest = max(len(ids) for ids, _, _ in items) + 2
    ids = torch.zeros(len(items), longest, dtype=torch.long)
    types = torch.zeros(len(items), longest, dtype=torch.long)
    mask = torch.zeros(len(items), longest, dtype=torch.long)
    labels = {head: torch.full((len(items), longest), -100, dtype=torch.long) for head in data.HEADS}
    for row, (chars, marks, own) in enumerate(items):
        n = len(chars)
        ids[row, 0], ids[row, n + 1] = 2, 3
        ids[row, 1 : n + 1] = torch.from_numpy(chars)
        types[row, 1 : n + 1] = torch.from_numpy(marks)
        mask[row, : n + 2] = 1
        for head, values in own.items():
            if values is not None:
                labels[head][row, 1 : n + 1] = torch.from_numpy(values)
    return ids, types, mask, labels


def batches(documents, vocabulary, size, rng, noise):
    """Windows of all documents, of like length together, in random order; characters hidden at random."""
    items = []
    for document in documents:
        ids = encode(document, vocabulary)
        # The cuts fall elsewhere in every epoch.
        first = int(rng.integers(WINDOW // 4, WINDOW + 1)) if len(ids) > WINDOW else WINDOW
        for start, end in zip([0, *range(first, len(ids), WINDOW)], [*range(first, len(ids), WINDOW), len(ids)]):
            span = slice(start, end)
            items.append((ids[span], document.marks[span], {head: None if values is None else values[span] for head, values in document.labels.items()}))
    items.sort(key=lambda item: len(item[0]) + rng.integers(0, 40))
    groups = [items[at : at + size] for at in range(0, len(items), size)]
    rng.shuffle(groups)
    for group in groups:
        ids, types, mask, labels = batch_of(group)
        hidden = (torch.rand(ids.shape) < noise) & (ids > 4)
        ids = torch.where(hidden, torch.ones_like(ids), ids)
        # A rule may miss: the model should not lean on marks alone.
        unmarked = (torch.rand(len(group), 1) < 0.5) & (torch.rand(ids.shape) < 0.1)
        types = torch.where(unmarked, torch.zeros_like(types), types)
        yield ids, types, mask, labels


WEIGHTS = {"mention": 1.0, "medtxt": 1.0, "node": 1.0, "primary": 0.5}


def fit(model, documents, vocabulary, epochs, rate, size=4, noise=0.05, seed=SEED, log=""):
    torch.manual_seed(seed)
    rng = numpy.random.default_rng(seed)
    steps = epochs * math.ceil(sum(math.ceil(len(document.text) / WINDOW + 0.3) for document in documents) / size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / (0.06 * steps + 1), max(0.0, (steps - step) / steps)))
    model.train()
    began = time.time()
    for epoch in range(epochs):
        total, count = {head: 0.0 for head in data.HEADS}, 0
        for ids, types, mask, labels in batches(documents, vocabulary, size, rng, noise):
            logits = model(ids, types, mask)
            loss = 0
            for head, values in labels.items():
                if (values >= 0).any():
                    part = nn.functional.cross_entropy(logits[head].flatten(0, 1), values.flatten(), ignore_index=-100)
                    loss = loss + WEIGHTS[head] * part
                    total[head] += part.item()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            count += 1
        if log:
            print(log, epoch, {head: round(value / max(count, 1), 4) for head, value in total.items()}, f"{time.time() - began:.0f} s", flush=True)


def predict(model, documents, vocabulary):
    """Probabilities by head, one matrix a document (characters × labels); overlapping windows are averaged."""
    model.eval()
    results = []
    with torch.inference_mode():
        for document in documents:
            ids = encode(document, vocabulary)
            sums = {head: numpy.zeros((len(ids), len(labels)), dtype=numpy.float32) for head, labels in data.HEADS.items()}
            counts = numpy.zeros((len(ids), 1), dtype=numpy.float32)
            for start in windows(len(ids)):
                span = slice(start, start + WINDOW)
                a, b, c, _ = batch_of([(ids[span], document.marks[span], {})])
                n = len(ids[span])
                for head, logits in model(a, b, c).items():
                    sums[head][span] += torch.softmax(logits[0, 1 : n + 1], -1).numpy()
                counts[span] += 1
            results.append({head: matrix / counts for head, matrix in sums.items()})
    return results


def transitions(documents, head):
    """Log odds of each label after each, from the labels of `documents`; the first row is of a text's start."""
    labels = data.HEADS[head]
    counts = numpy.full((len(labels) + 1, len(labels)), 0.1)
    for at, label in enumerate(labels):
        if label.startswith("I-"):
            allowed = {labels.index("B" + label[1:]) + 1, at + 1}
            for before in range(len(labels) + 1):
                if before not in allowed:
                    counts[before, at] = 1e-9
    for document in documents:
        values = document.labels[head]
        if values is not None and len(values):
            numpy.add.at(counts, (numpy.concatenate([[0], values[:-1] + 1]), values), 1)
    odds = counts / counts.sum(1, keepdims=True)
    share = counts[1:].sum(0) / counts[1:].sum()
    return numpy.log(odds) - numpy.log(share)


def spans(matrix, labels, odds):
    """(start, end, label) along the likeliest path of tags (Viterbi)."""
    if not len(matrix):
        return []
    scores = numpy.log(numpy.maximum(matrix, 1e-9))
    best = scores[0] + odds[0]
    back = numpy.zeros(matrix.shape, dtype=numpy.int64)
    for at in range(1, len(matrix)):
        total = best[:, None] + odds[1:]
        back[at] = total.argmax(0)
        best = total.max(0) + scores[at]
    tags = [int(best.argmax())]
    for at in range(len(matrix) - 1, 0, -1):
        tags.append(int(back[at, tags[-1]]))
    return runs([labels[tag] for tag in reversed(tags)])


def runs(names):
    """(start, end, label) of tags: B- opens, I- goes on."""
    found = []
    for at, name in enumerate(names):
        begins, _, label = name.partition("-")
        if begins == "I" and found and found[-1][1] == at and found[-1][2] == label:
            found[-1][1] = at + 1
        elif begins != "O":
            found.append([at, at + 1, label])
    return found


def overlap_scores(gold, predicted):
    """Exact matches, matches that overlap (each once), gold, predicted, of spans."""
    exact = len({tuple(span[:2]) for span in gold} & {tuple(span[:2]) for span in predicted})
    free, partial = [list(span) for span in gold], 0
    for start, end, *_ in predicted:
        for span in free:
            if span[0] < end and start < span[1]:
                partial += 1
                free.remove(span)
                break
    return numpy.array([exact, partial, len(gold), len(predicted)])


def f1(matched, gold, predicted):
    return 2 * matched / max(gold + predicted, 1)


def report_scores(documents, results, odds):
    for own in (True, False):
        for head in ("medtxt", "mention", "node"):
            total = numpy.zeros(4)
            right = compared = 0
            for document, result in zip(documents, results):
                if document.own != own or document.labels[head] is None:
                    continue
                labels = data.HEADS[head]
                gold = runs([labels[value] for value in document.labels[head]])
                mine = spans(result[head], labels, odds[head])
                total += overlap_scores(gold, mine)
                names = {tuple(span[:2]): span[2] for span in gold}
                for start, end, label in mine:
                    if names.get((start, end), "") and names[start, end].startswith("d") and label.startswith("d"):
                        compared += 1
                        right += names[start, end] == label
            if total[2]:
                print(f"{'development' if own else 'corpus':12s} {head:8s} exact F1 {f1(total[0], total[2], total[3]):.3f} overlap F1 {f1(total[1], total[2], total[3]):.3f} "
                      f"(P {total[1]/max(total[3],1):.3f} R {total[1]/total[2]:.3f})" + (f" status {right/max(compared,1):.3f}" if head == "mention" else ""), flush=True)
        hits = count = 0
        for document, result in zip(documents, results):
            if document.own == own and document.labels["primary"] is not None and document.labels["primary"].any():
                count += 1
                hits += document.labels["primary"][int(result["primary"][:, 1].argmax())] == 1
        if count:
            print(f"{'development' if own else 'corpus':12s} primary  best character {hits/count:.3f} of {count}", flush=True)


def vocabulary_of(documents):
    """Characters that stand twice in the texts."""
    counts = {}
    for document in documents:
        for c in document.text:
            counts[c] = counts.get(c, 0) + 1
    return SPECIAL + sorted(c for c, count in counts.items() if count >= 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--development", type=Path, required=True)
    parser.add_argument("--reports", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="weights between the steps, and what each fold's model says")
    parser.add_argument("--step", choices=["base", "folds", "corpus-folds", "final"], required=True)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    marks, inputs = data.read_inputs(arguments.corpus)
    written = data.written(inputs)
    _, inputs = data.read_inputs(arguments.development)
    own = data.development(inputs, arguments.reports)
    # The vocabulary is of the written corpus and the dictionaries' marks: no fold's reports speak in it.
    words = vocabulary_of(written)
    vocabulary = {c: index for index, c in enumerate(words)}

    def fresh(weights=None):
        torch.manual_seed(SEED)
        model = Model(config(len(words), len(marks), arguments.layers, arguments.hidden))
        if weights:
            model.load_state_dict(torch.load(arguments.work / weights, weights_only=True))
        return model

    if arguments.step == "base":
        model = fresh()
        fit(model, written, vocabulary, arguments.epochs, arguments.rate, log="base")
        torch.save(model.state_dict(), arguments.work / "base.pt")
        print("on reports that it was trained on:")
        report_scores(written[::8], predict(model, written[::8], vocabulary))
    if arguments.step == "folds":
        order = sorted(range(len(own)), key=lambda index: own[index].id)
        random.Random(SEED).shuffle(order)
        seen, said = [], []
        for fold in range(FOLDS):
            held = set(order[fold::FOLDS])
            model = fresh("base.pt")
            fit(model, [document for index, document in enumerate(own) if index not in held] + written[fold::FOLDS], vocabulary, arguments.epochs, arguments.rate, log=f"fold {fold}" if fold == 0 else "")
            torch.save(model.state_dict(), arguments.work / f"fold{fold}.pt")
            mine = [own[index] for index in sorted(held)]
            (arguments.work / f"fold{fold}.ids").write_text("".join(f"{document.id}\n" for document in mine), encoding="utf-8")
            seen += mine
            said += predict(model, mine, vocabulary)
            print(f"fold {fold}", flush=True)
        report_scores(seen, said)


if __name__ == "__main__":
    main()
