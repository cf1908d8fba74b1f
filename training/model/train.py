#!/usr/bin/env python3
"""Trains the transformer that reads the dictionaries' marks.

    train.py --corpus INPUTS --development INPUTS --reports TRAIN.jsonl --out models/default     train on everything
    train.py … --cross-validate 5 --folds-out DIR          figures by cross-validation; DIR/k.jsonl: what each fold's
                                                           model, which has not seen them, says of the fold's reports

INPUTS are files of `cargo run --release --example model_inputs`, TRAIN.jsonl is JMED-LLM's training file. Seeds are
fixed. Needs requirements.txt.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from transformers import BertConfig, BertModel

import data

SEED = 2026
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WINDOW = 510
STRIDE = 255


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
        for start in windows(len(ids)):
            # Every part of a report comes to stand at every position.
            shift = int(rng.integers(0, 60)) if len(ids) > WINDOW else 0
            span = slice(max(0, start - shift), max(0, start - shift) + WINDOW)
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


def fit(model, documents, vocabulary, epochs, rate, own_repeat=1, size=8, noise=0.05, seed=SEED, log=""):
    torch.manual_seed(seed)
    rng = numpy.random.default_rng(seed)
    documents = [document for document in documents for _ in range(own_repeat if document.own else 1)]
    steps = epochs * math.ceil(sum(len(windows(len(document.text))) for document in documents) / size)
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


def spans(matrix, labels):
    """(start, end, label) of the best tags: B- opens, I- of the same label goes on."""
    best, found = matrix.argmax(1), []
    for at, tag in enumerate(best):
        name = labels[tag]
        if name == "O":
            continue
        begins, _, label = name.partition("-")
        if begins == "I" and found and found[-1][1] == at and found[-1][2] == label:
            found[-1][1] = at + 1
        else:
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


def report_scores(documents, results):
    for own in (True, False):
        for head in ("medtxt", "mention", "node"):
            total = numpy.zeros(4)
            right = compared = 0
            for document, result in zip(documents, results):
                if document.own != own or document.labels[head] is None:
                    continue
                labels = data.HEADS[head]
                gold = spans(numpy.eye(len(labels))[document.labels[head]], labels)
                mine = spans(result[head], labels)
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
    parser.add_argument("--cross-validate", type=int, metavar="FOLDS")
    parser.add_argument("--only-folds", type=int, help="the first so many folds, for a quick look")
    parser.add_argument("--folds-out", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--start", type=Path, help="weights and vocabulary of pre-training")
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--own-repeat", type=int, default=2)
    parser.add_argument("--noise", type=float, default=0.05)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    marks, inputs = data.read_inputs(arguments.corpus)
    documents = data.written(inputs)
    _, inputs = data.read_inputs(arguments.development)
    documents += data.development(inputs, arguments.reports)
    start = torch.load(arguments.start, weights_only=True) if arguments.start else None
    words = start["vocabulary"] if start else vocabulary_of(documents)
    vocabulary = {c: index for index, c in enumerate(words)}
    print(f"{len(documents)} reports, {sum(len(document.text) for document in documents)} characters, {len(words)} in the vocabulary")

    def fresh():
        torch.manual_seed(SEED)
        model = Model(config(len(words), len(marks), arguments.layers, arguments.hidden))
        if start:
            model.load_state_dict(start["weights"], strict=False)
        return model

    if arguments.cross_validate:
        order = sorted(range(len(documents)), key=lambda index: (not documents[index].own, documents[index].id))
        own = [index for index in order if documents[index].own]
        rest = [index for index in order if not documents[index].own]
        random.Random(SEED).shuffle(own)
        random.Random(SEED).shuffle(rest)
        seen, said = [], []
        for fold in range(arguments.only_folds or arguments.cross_validate):
            held = set(own[fold :: arguments.cross_validate] + rest[fold :: arguments.cross_validate])
            model = fresh()
            fit(model, [document for index, document in enumerate(documents) if index not in held], vocabulary, arguments.epochs, arguments.rate,
                arguments.own_repeat, noise=arguments.noise, log=f"fold {fold}" if fold == 0 else "")
            mine = [documents[index] for index in sorted(held)]
            results = predict(model, mine, vocabulary)
            seen += mine
            said += results
            if arguments.folds_out:
                arguments.folds_out.mkdir(parents=True, exist_ok=True)
                torch.save({"weights": model.state_dict(), "vocabulary": words}, arguments.folds_out / f"{fold}.pt")
                (arguments.folds_out / f"{fold}.ids").write_text("\n".join(document.id for document in mine) + "\n", encoding="utf-8")
            print(f"fold {fold}", flush=True)
            report_scores(mine, results)
        print("all folds")
        report_scores(seen, said)


if __name__ == "__main__":
    main()
