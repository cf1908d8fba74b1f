#!/usr/bin/env python3
"""Trains the arranger's classifiers: which candidates are nodes, which is primary, what causes what.

    python3 training/arranger/train.py FEATURES… --out models/arranger       train on all reports
    python3 training/arranger/train.py FEATURES… --cross-validate 5          figures by cross-validation

FEATURES are files of `cargo run --release --example arranger_features -- GOLD REPORTS`. The first is the development
set that cross-validation splits by report; the others are only ever trained on. Seeds are fixed. Needs
requirements.txt.
"""

import argparse
import json
import random
from pathlib import Path

import lightgbm
import numpy

SEED = 2026
COMMON = dict(objective="binary", verbosity=-1, seed=SEED, deterministic=True, num_threads=1, force_row_wise=True)
KEEP = dict(COMMON, learning_rate=0.07, num_leaves=16, min_data_in_leaf=20, feature_fraction=0.5, bagging_fraction=0.8, bagging_freq=1, lambda_l2=5)
# One candidate is the primary disease, and one cause that of an effect: both are ranked.
PRIMARY = dict(COMMON, objective="lambdarank", learning_rate=0.1, num_leaves=8, min_data_in_leaf=15, feature_fraction=0.4, bagging_fraction=0.8, bagging_freq=1, lambda_l2=5)
CAUSE = dict(COMMON, objective="lambdarank", bagging_by_query=True, learning_rate=0.09, num_leaves=24, min_data_in_leaf=25, feature_fraction=0.4, bagging_fraction=0.8, bagging_freq=1, lambda_l2=5)
# Larger ones of the primary disease overfit: there is one of it a report.
ROUNDS = dict(keep=120, primary=60, cause=170)
PRIMARY_MODELS = 5
# As in src/arrange/attach.rs.
KEEP_FROM, KEEP_CAUSE_FROM, SAID, SAME, LATENT, PREPARES = 0.3, 0.03, 0.3, 0.25, 1.0, 0.75
CONTRAST = 1.4
LEAST_SHARE = 0.02
# As in src/arrange/fit.rs.
LOWEST_FIT, LEAST_KEEP = -20.0, 1e-3
PRIMARY_ROLES = {"Disease", "Pathology", "Symptom"}


class Report:
    def __init__(self, record, own, names):
        self.__dict__.update(record)
        self.own = own
        self.rows = numpy.array(self.rows, dtype=numpy.float32)
        self.causes = [pair[0] for pair in self.pairs]
        self.effects = [pair[1] for pair in self.pairs]
        self.pair_rows = numpy.array([pair[2] for pair in self.pairs], dtype=numpy.float32)
        del self.pairs
        self.kept = numpy.array([match is not None for match in self.match])
        self.primary_match = numpy.array([value is not None for value in self.is_primary])
        self.needs_effect = self.rows[:, names["candidate"].index("needs_effect")] > 0
        self.inferred = self.rows[:, names["candidate"].index("inferred")] > 0
        self.only_cause = self.needs_effect | self.inferred | numpy.array([role == "Exposure" for role in self.roles])
        self.at = {gold: index for index, gold in enumerate(self.match) if gold is not None}

    def cause_of(self, index):
        """The candidate that is the gold cause: the nearest ancestor that is a candidate; None is the case itself."""
        gold = self.parents[self.match[index]]
        while gold is not None:
            if gold in self.at:
                return self.at[gold]
            gold = self.parents[gold]
        return None


def read(paths):
    reports, names = [], None
    for number, path in enumerate(paths):
        with open(path, encoding="utf-8") as file:
            header = json.loads(file.readline())
            assert names in (None, header), f"{path}: other features than the first file; make it again"
            names = header
            reports += [Report(record, number == 0, names) for record in map(json.loads, file) if record["rows"]]
    return names, reports


def fit(parameters, rows, answers, weights, names, rounds, groups=None):
    data = lightgbm.Dataset(
        numpy.concatenate(rows), numpy.concatenate(answers), weight=numpy.concatenate(weights), group=groups, feature_name=names)
    return lightgbm.train(parameters, data, rounds)


class Several:
    """The mean of models that differ by seed: one primary disease a report is little to learn from, so a single one wavers."""

    def __init__(self, models):
        self.models = models

    def predict(self, rows, **options):
        return sum(model.predict(rows, **options) for model in self.models) / len(self.models)

    def feature_name(self):
        return self.models[0].feature_name()

    def feature_importance(self, kind):
        return sum(model.feature_importance(kind) for model in self.models)

    def model_to_string(self):
        """All their trees as one model's, each leaf its share."""
        first, *others = [model.model_to_string() for model in self.models]
        head, _, rest = first.partition("Tree=")
        trees, end, tail = ("Tree=" + rest).partition("end of trees")
        for other in others:
            trees += "Tree=" + other.partition("Tree=")[2].partition("end of trees")[0]
        share = lambda line: "leaf_value=" + " ".join(f"{float(number) / len(self.models):.17g}" for number in line.removeprefix("leaf_value=").split(" "))
        lines = [share(line) if line.startswith("leaf_value=") else line for line in trees.split("\n")]
        return head + "\n".join(lines) + end + tail


def train_candidates(names, reports, weight):
    """The classifiers of candidates."""
    rows = [report.rows for report in reports]
    weights = [numpy.full(len(report.rows), weight(report)) for report in reports]
    keep = fit(KEEP, rows, [report.kept.astype(float) for report in reports], weights, names["candidate"], ROUNDS["keep"])
    chosen = [numpy.array([role in PRIMARY_ROLES for role in report.roles]) for report in reports]
    primary = Several([fit(
        dict(PRIMARY, seed=SEED + number),
        [report.rows[mask] for report, mask in zip(reports, chosen)],
        [report.primary_match[mask].astype(float) for report, mask in zip(reports, chosen)],
        [w[mask] for w, mask in zip(weights, chosen)],
        names["candidate"], ROUNDS["primary"], [int(mask.sum()) for mask in chosen if mask.any()]) for number in range(PRIMARY_MODELS)])
    return keep, primary


def stand(models, report):
    """keep, p_primary and is_primary of each candidate, as src/arrange/attach.rs works them out."""
    keep, primary = models
    kept = keep.predict(report.rows)
    score = primary.predict(report.rows, raw_score=True)
    score = numpy.where([role in PRIMARY_ROLES for role in report.roles] & ~report.inferred, score, -numpy.inf)
    share = numpy.zeros(len(score)) if numpy.isinf(score).all() else numpy.exp(score) / numpy.exp(score).sum()
    first = numpy.zeros(len(score))
    if share.sum() > 0:
        # What several names of one disease share is one disease's.
        mass = share.copy()
        for giver, taker in report.lends:
            if share[giver] >= LEAST_SHARE and share[taker] >= LEAST_SHARE:
                mass[taker] += share[giver]
        mass += share * 1e-9
        node = (kept >= KEEP_FROM) & ~report.needs_effect & (share > 0)
        first[int(numpy.argmax(numpy.where(node, mass, 0) if node.any() else mass))] = 1
    return numpy.stack([kept, share, first], axis=1)


def pair_rows(names, report, standing):
    """The pair rows with the columns filled in that only the classifiers of candidates know."""
    rows = report.pair_rows.copy()
    column = {name: index for index, name in enumerate(names["pair"])}
    effects = numpy.array(report.effects)
    causes = numpy.array([-1 if cause is None else cause for cause in report.causes])
    for number, name in enumerate(("keep", "p_primary", "is_primary")):
        rows[:, column[f"effect_{name}"]] = standing[effects, number]
        rows[:, column[f"cause_{name}"]] = numpy.where(causes < 0, 0, standing[causes, number])
    # How each pair stands against the other likely causes and the primary disease, as in src/arrange/features.rs.
    count, known_pair = len(standing), causes >= 0
    fit = numpy.full((count, count), LOWEST_FIT)
    fit[causes[known_pair], effects[known_pair]] = rows[known_pair, column["fit"]]
    knowledge = numpy.zeros((count, count))
    knowledge[causes[known_pair], effects[known_pair]] = rows[known_pair, column["knowledge"]]
    odds = numpy.where(fit > LOWEST_FIT, numpy.exp(numpy.minimum(fit, 30)) * (standing[:, :1] + LEAST_KEEP), 0)
    numpy.fill_diagonal(odds, 0)
    weighed = knowledge * standing[:, :1]
    primary = int(numpy.argmax(standing[:, 2])) if standing[:, 2].any() else None
    values = {
        "fit_share_kept": numpy.log(numpy.maximum(odds[causes, effects], 1e-300) / numpy.maximum(odds.sum(0)[effects], 1e-300)),
        "knowledge_share_kept": weighed[causes, effects] / (weighed.sum(0)[effects] + 0.05),
    }
    if primary is not None:
        values["fit_above_primary"] = fit[causes, effects] - fit[primary, effects]
        values["fit_primary_cause"] = fit[primary, causes]
        values["knowledge_primary_effect"] = knowledge[primary, effects]
        values["knowledge_primary_cause"] = knowledge[primary, causes]
    for name, value in values.items():
        rows[:, column[name]] = numpy.where(known_pair, value, 0)
    return rows


def train_cause(names, reports, standings, weight):
    """Ranks the causes of each effect."""
    rows, answers, weights, groups = [], [], [], []
    for report, standing in zip(reports, standings):
        filled = pair_rows(names, report, standing)
        effects = numpy.array(report.effects)
        for effect in sorted(set(report.effects)):
            if not report.kept[effect]:
                continue
            at = numpy.flatnonzero(effects == effect)
            gold = report.cause_of(effect)
            rows.append(filled[at])
            answers.append(numpy.array([float(report.causes[number] == gold) for number in at]))
            weights.append(numpy.full(len(at), weight(report)))
            groups.append(len(at))
    return fit(CAUSE, rows, answers, weights, names["pair"], ROUNDS["cause"], groups)


def shares(effects, scores, chosen):
    """The softmax of the scores, times CONTRAST, over the chosen causes of each effect; 0 for the others."""
    scores = numpy.where(chosen, CONTRAST * scores, -numpy.inf)
    best = numpy.full(effects.max() + 1, -numpy.inf)
    numpy.maximum.at(best, effects, scores)
    odds = numpy.where(chosen, numpy.exp(scores - numpy.where(numpy.isinf(best), 0, best)[effects]), 0)
    total = numpy.zeros(len(best))
    numpy.add.at(total, effects, odds)
    return odds / numpy.maximum(total, 1e-300)[effects]


def train(names, reports, weight, folds=5):
    """All three; the pairs' classifier sees standings from models that have not seen the report."""
    standings = [None] * len(reports)
    order = list(range(len(reports)))
    random.Random(SEED).shuffle(order)
    for fold in range(folds):
        held = set(order[fold::folds])
        models = train_candidates(names, [report for index, report in enumerate(reports) if index not in held], weight)
        for index in held:
            standings[index] = stand(models, reports[index])
    keep, primary = train_candidates(names, reports, weight)
    return keep, primary, train_cause(names, reports, standings, weight)


def arborescence(scores, count):
    """Best parent of each of `count` nodes in scores[(parent or -1, node)], without circles."""
    import networkx
    graph = networkx.DiGraph()
    for (cause, effect), score in scores.items():
        graph.add_edge(cause, effect, weight=score)
    tree = networkx.maximum_spanning_arborescence(graph)
    return {effect: cause for cause, effect in tree.edges}


def judge(names, models, report):
    """Counts of a report: nodes matched, edges matched, gold, predicted, primary right."""
    keep, primary, cause = models
    standing = stand((keep, primary), report)
    known = report.pair_rows[:, names["pair"].index("knowledge")] > 0
    prepares = {cause_ for cause_, effect, knows in zip(report.causes, report.effects, known)
                if cause_ is not None and knows and standing[effect, 2] and report.needs_effect[cause_]}
    kept = [index for index, only_cause in enumerate(report.only_cause)
            if index in prepares or standing[index, 2] or report.inferred[index] or standing[index, 0] >= (KEEP_CAUSE_FROM if only_cause else KEEP_FROM)]
    inside = set(kept)
    chosen = numpy.array([effect in inside and (cause_ is None or cause_ in inside) for cause_, effect in zip(report.causes, report.effects)])
    probability = shares(numpy.array(report.effects), cause.predict(pair_rows(names, report, standing)), chosen)
    column = {name: report.pair_rows[:, index] for index, name in enumerate(names["pair"])}
    probability += SAID * column["cue"] + SAME * column["identity"] + LATENT * column["cause_inferred"] * (column["knowledge"] > 0)
    past = numpy.array([cause_ is not None and bool(report.needs_effect[cause_]) and report.roles[cause_] in ("Disease", "Exposure") for cause_ in report.causes])
    probability += PREPARES * (past & (column["knowledge"] > 0) & (standing[numpy.array(report.effects), 2] > 0))
    while True:
        inside = set(kept)
        scores = {}
        total = {}
        for cause_, effect, value in zip(report.causes, report.effects, probability):
            if effect in inside and (cause_ is None or cause_ in inside):
                scores[-1 if cause_ is None else cause_, effect] = value
                total[effect] = total.get(effect, 0) + value
        scores = {pair: value / total[pair[1]] for pair, value in scores.items()}
        parents = arborescence(scores, len(kept)) if scores else {}
        causes = {cause_ for effect, cause_ in parents.items() if cause_ >= 0 and (
            not report.needs_effect[cause_] or report.roles[cause_] == "Exposure" or report.roles[effect] in ("Disease", "Pathology"))}
        idle = {index for index in kept if report.only_cause[index] and index not in causes and not standing[index, 2]}
        if not idle:
            break
        kept = [index for index in kept if index not in idle]
    nodes = [index for index in kept if report.kept[index]]
    edges = 0
    for index in nodes:
        gold = report.parents[report.match[index]]
        mine = parents.get(index, -1)
        edges += (gold is None and mine == -1) or (gold is not None and mine >= 0 and report.match[mine] == gold)
    right = bool(standing[:, 2].any() and report.primary_match[int(numpy.argmax(standing[:, 2]))])
    return numpy.array([len(nodes), edges, len(report.gold), len(kept), right, 1])


def show(what, counts):
    nodes, edges, gold, predicted, right, cases = counts
    print(f"{what:12s} node P {nodes/predicted:.3f} R {nodes/gold:.3f} F1 {2*nodes/(gold+predicted):.3f}  "
          f"edge F1 {2*edges/(gold+predicted):.3f}  primary {right/cases:.3f}  ({int(cases)} reports)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", nargs="+", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cross-validate", type=int, metavar="FOLDS")
    parser.add_argument("--folds-out", type=Path, help="with --cross-validate: each fold's models and its reports' ids")
    parser.add_argument("--folds-of", type=Path, help="the transformer's work folder: its folds, so that nothing has seen the held-out reports")
    parser.add_argument("--own-weight", type=float, default=2.0, help="weight of a report of the first file; others weigh 1")
    parser.add_argument("--importance", action="store_true")
    arguments = parser.parse_args()
    names, reports = read(arguments.features)
    weight = lambda report: arguments.own_weight if report.own else 1.0
    own = [report for report in reports if report.own]
    show("all kept", sum(numpy.array([report.kept.sum(), 0, len(report.gold), len(report.rows), report.primary_match.any(), 1]) for report in own))
    if arguments.cross_validate:
        order = sorted(range(len(own)), key=lambda index: own[index].id)
        random.Random(SEED).shuffle(order)
        total = 0
        for fold in range(arguments.cross_validate):
            held = [own[index] for index in order[fold::arguments.cross_validate]]
            if arguments.folds_of:
                ids = set((arguments.folds_of / f"fold{fold}" / "ids.txt").read_text(encoding="utf-8").split())
                held = [report for report in own if report.id in ids]
            ids = {report.id for report in held}
            models = train(names, [report for report in reports if not (report.own and report.id in ids)], weight)
            total = total + sum(judge(names, models, report) for report in held)
            if arguments.folds_out:
                folder = arguments.folds_out / str(fold)
                save(models, folder)
                (folder / "ids.txt").write_text("\n".join(sorted(ids)) + "\n", encoding="utf-8")
        show("cross-valid.", total)
    if arguments.out:
        models = train(names, reports, weight)
        save(models, arguments.out)
        if arguments.importance:
            for name, model in zip(("keep", "primary", "cause"), models):
                gains = sorted(zip(model.feature_importance("gain"), model.feature_name()), reverse=True)[:25]
                print(name, ", ".join(f"{feature} {gain:.0f}" for gain, feature in gains))


def save(models, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in zip(("keep", "primary", "cause"), models):
        text = model.model_to_string()
        # What a tree needs to be walked; the rest (gains, counts, parameters) is dropped.
        wanted = ("tree", "version", "num_class", "num_tree_per_iteration", "max_feature_idx", "objective", "feature_names",
                  "Tree=", "num_leaves", "num_cat", "split_feature", "threshold", "decision_type", "left_child", "right_child",
                  "leaf_value", "end of trees")
        lines = [line for line in text.split("\n") if line == "" or line.startswith(wanted) and not line.startswith(("tree_sizes", "[tree"))]
        kept, blank = [], False
        for line in lines:
            if line == "" and blank:
                continue
            blank = line == ""
            kept.append(shorten(line))
            if line.startswith("end of trees"):
                break
        (folder / f"{name}.txt").write_text("\n".join(kept) + "\n", encoding="utf-8")


def shorten(line):
    """Numbers of thresholds and leaves to seven digits: more than a 32-bit float holds."""
    key, _, value = line.partition("=")
    if key not in ("threshold", "leaf_value"):
        return line
    return key + "=" + " ".join(f"{float(number):.7g}" for number in value.split(" "))


if __name__ == "__main__":
    main()
