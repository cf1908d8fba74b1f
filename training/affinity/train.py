#!/usr/bin/env python3
"""Trains the affinity model: how well an effect fits a cause, from the links of the knowledge table.

    python3 training/affinity/train.py INPUTS --out models/affinity       train on all links
    python3 training/affinity/train.py INPUTS --hold 0.05                 figures on links held out

INPUTS is a file of `cargo run --release --example affinity_inputs`. Two tables of vectors, one for causes and one for
effects; a label's vector is the sum of its pieces'. The links of a batch are told from all other pairs of its labels, in
both directions, corrected for how often each label stands in the table. The seed is fixed. Needs
training/model/requirements.txt. About two and a half minutes on one core.
"""

import argparse
import collections
import json
import random
import time
from pathlib import Path

import numpy
import torch
from safetensors.numpy import save_file
from torch import nn

SEED = 2026
WIDTH = 64
BATCH = 512
EPOCHS = 10
RATE = 3e-3
# Pieces left out at random, and how often a synonym stands for the label.
DROP, SYNONYM = 0.2, 0.4
WEIGHT = {"obligate": 5.0, "very_frequent": 4.0, "frequent": 3.0, "occasional": 1.5, "very_rare": 0.5}


class Table(nn.Module):
    def __init__(self, buckets):
        super().__init__()
        self.rows = nn.EmbeddingBag(buckets, WIDTH, mode="sum")
        nn.init.normal_(self.rows.weight, std=0.05)

    def forward(self, labels):
        """Vectors of labels, each an array of pieces."""
        lengths = numpy.array([max(len(pieces), 1) for pieces in labels])
        offsets = numpy.concatenate([[0], numpy.cumsum([len(pieces) for pieces in labels])[:-1]])
        weights = numpy.repeat(1 / numpy.sqrt(lengths), [len(pieces) for pieces in labels]).astype(numpy.float32)
        pieces = torch.from_numpy(numpy.concatenate(labels))
        return torch.tanh(self.rows(pieces, torch.from_numpy(offsets), per_sample_weights=torch.from_numpy(weights)))


class Affinity(nn.Module):
    def __init__(self, buckets):
        super().__init__()
        self.cause, self.effect = Table(buckets), Table(buckets)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, causes, effects):
        """Scores, cause × effect."""
        return self.cause(causes) @ self.effect(effects).T * self.scale


def read(path):
    """Forms of each label, and the links with their weights; of a pair that stands twice the larger."""
    with open(path, encoding="utf-8") as file:
        buckets = json.loads(file.readline())["buckets"]
        forms, links = [], {}
        for record in map(json.loads, file):
            if "forms" in record:
                forms.append([numpy.array(pieces, dtype=numpy.int64) for pieces in record["forms"]])
            else:
                pair = record["cause"], record["effect"]
                links[pair] = max(links.get(pair, 0), WEIGHT[record["frequency"]])
    return buckets, forms, links


def train(buckets, forms, links, known):
    torch.manual_seed(SEED)
    rng, numbers = random.Random(SEED), numpy.random.default_rng(SEED)
    model = Affinity(buckets)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    pairs = list(links)
    weights = numpy.array([links[pair] for pair in pairs], dtype=numpy.float32)
    share = [collections.Counter(pair[end] for pair in pairs) for end in (0, 1)]
    effects_of = collections.defaultdict(set)
    for cause, effect in known:
        effects_of[cause].add(effect)
    steps = EPOCHS * (len(pairs) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.02, 1 - step / steps))

    def form(label):
        own = forms[label]
        pieces = own[0] if len(own) == 1 or rng.random() >= SYNONYM else rng.choice(own[1:])
        kept = pieces[numbers.random(len(pieces)) >= DROP]
        return kept if len(kept) else pieces

    began = time.time()
    for epoch in range(EPOCHS):
        order, total, count = numbers.permutation(len(pairs)), 0.0, 0
        for start in range(0, len(pairs) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            batch = [pairs[at] for at in chosen]
            scores = model([form(cause) for cause, _ in batch], [form(effect) for _, effect in batch])
            # Other pairs of the batch that are links as well are no counterexamples.
            columns = collections.defaultdict(list)
            for column, (_, effect) in enumerate(batch):
                columns[effect].append(column)
            true = numpy.zeros((BATCH, BATCH), dtype=bool)
            for row, (cause, _) in enumerate(batch):
                for effect in effects_of[cause] & columns.keys():
                    true[row, columns[effect]] = True
            numpy.fill_diagonal(true, False)
            scores = scores.masked_fill(torch.from_numpy(true), -1e4)
            chance = [torch.log(torch.tensor([share[end][pair[end]] / len(pairs) for pair in batch])) for end in (0, 1)]
            answers = torch.arange(BATCH)
            loss = nn.functional.cross_entropy(scores - chance[1], answers, reduction="none")
            loss = loss + nn.functional.cross_entropy((scores - chance[0][:, None]).T, answers, reduction="none")
            weight = torch.from_numpy(weights[chosen])
            loss = (loss * weight / weight.mean()).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total, count = total + loss.item(), count + 1
        print(f"epoch {epoch} loss {total / count:.3f} {time.time() - began:.0f} s", flush=True)
    return model


def judge(model, forms, held, causes):
    """How a held link's cause stands among all causes of the table, and among nine at random."""
    rng = random.Random(SEED)
    with torch.inference_mode():
        vectors = torch.cat([model.cause([forms[cause][0] for cause in causes[at : at + 2000]]) for at in range(0, len(causes), 2000)])
        place = {cause: row for row, cause in enumerate(causes)}
        held = rng.sample(held, min(3000, len(held)))
        scores = vectors @ model.effect([forms[effect][0] for _, effect in held]).T
        above = first = 0
        for column, (cause, _) in enumerate(held):
            own = scores[place[cause], column]
            above += (scores[:, column] < own).float().mean().item()
            first += bool((scores[rng.sample(range(len(causes)), 8), column] < own).all())
    print(f"{len(held)} held links: above {above / len(held):.4f} of all causes; first of nine {first / len(held):.3f}")


def save(model, folder):
    """8-bit rows with a scale each."""
    tensors = {"scale": model.scale.detach().numpy()}
    for name, table in (("cause", model.cause), ("effect", model.effect)):
        rows = table.rows.weight.detach().numpy()
        scale = numpy.maximum(numpy.abs(rows).max(1), 1e-8) / 127
        tensors[f"{name}.weight"] = numpy.round(rows / scale[:, None]).astype(numpy.int8)
        tensors[f"{name}.scale"] = scale.astype(numpy.float32)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--hold", type=float, default=0.0, help="share of links that are held out and judged")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    buckets, forms, links = read(arguments.inputs)
    order = sorted(links)
    random.Random(SEED).shuffle(order)
    held = order[: int(arguments.hold * len(order))]
    # A held label that no other link names keeps its pieces from its letters alone: that is the use.
    model = train(buckets, forms, {pair: links[pair] for pair in order[len(held) :]}, links)
    if held:
        judge(model, forms, held, sorted({cause for cause, _ in links}))
    if arguments.out:
        save(model, arguments.out)


if __name__ == "__main__":
    main()
