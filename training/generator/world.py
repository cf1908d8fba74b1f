"""The dictionaries, as the generator asks them."""

import collections
import re
from pathlib import Path

from . import plans

DICTIONARIES = Path(__file__).resolve().parents[2] / "dictionaries"
DOMAINS = ["card", "gihep", "hemonc", "inf", "neuro", "renendo", "resp", "rheuderm", "surg"]
SHARE = {"obligate": 0.97, "very_frequent": 0.8, "frequent": 0.45, "occasional": 0.14, "very_rare": 0.03}
DISEASES = {"disease", "syndrome", "pathology"}
SEEN_BY_EXAM = {"imaging", "ecg", "endoscopy", "pathology_finding", "physiology"}
NEVER = re.compile("新生児|胎児|乳児|未熟児|低出生|死亡|突然死|死産|周産期|仮死")
CLAUSE = re.compile("[がをにへず]..*[いるずたくむすうぬ]$|[すたる]$|せず$|まらない$|しない$|しい$|るい$|ゆい$|むい$|ている$|[うくぐつぶむ]$|が..|を[認呈触聴]")
ENGLISH = re.compile(r"[A-Za-z][a-z]+ [a-z]")


def table(path):
    """The rows of one .tsv table as dicts."""
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:] if line]


def tables(folder):
    return [(path.stem, row) for path in sorted((DICTIONARIES / folder).glob("*.tsv")) for row in table(path)]


def usable(words):
    """Whether a surface may stand in a Japanese sentence: not a long English phrase."""
    return 0 < len(words) <= 22 and not (ENGLISH.search(words) and len(words) > 14) and not CLAUSE.search(words)


def several(cell):
    return [words for words in (cell or "").split("|") if usable(words)]


BIGRAMS = {}


def bigrams(words):
    known = BIGRAMS.get(words)
    if known is None:
        known = BIGRAMS[words] = frozenset(words[i : i + 2] for i in range(len(words) - 1)) or frozenset(words)
    return known


def alike(left, right):
    """The Dice coefficient of the character bigrams, 1 where one contains the other."""
    if left in right or right in left:
        return 1.0
    a, b = bigrams(left), bigrams(right)
    return 2 * len(a & b) / (len(a) + len(b))


class World:
    """The dictionaries, as the generator asks them."""

    def __init__(self):
        self.names, self.kind, self.domain, self.parent = {}, {}, {}, {}
        for folder in ("diseases", "findings"):
            for stem, row in tables(folder):
                label = row["label"]
                self.names[label] = (several(row["synonyms"]), several(row["abbreviations"]))
                self.kind[label], self.domain[label], self.parent[label] = row["kind"], stem, row.get("parent", "")
        self.tests = {row["label"]: row for row in table(DICTIONARIES / "tests" / "tests.tsv")}
        for label, row in self.tests.items():
            self.names.setdefault(("k", label), (several(row["synonyms"]), several(row["abbreviations"])))
        self.ranges = collections.defaultdict(list)
        for row in table(DICTIONARIES / "tests" / "ranges.tsv"):
            self.ranges[row["test"]].append(row)
        for row in table(DICTIONARIES / "exams" / "exams.tsv"):
            self.names[("e", row["label"])] = (several(row["synonyms"]), several(row["abbreviations"]))
        self.drugs, self.class_of, self.drug_class = [], {}, collections.defaultdict(list)
        for row in table(DICTIONARIES / "drugs" / "drugs.tsv"):
            self.names[("m", row["label"])] = (several(row["synonyms"]), several(row["abbreviations"]))
            self.drugs.append(row["label"])
            self.class_of[row["label"]] = row["class"]
            self.drug_class[row["class"]].append(row["label"])
        self.medicines = [drug for name, members in self.drug_class.items()
            if name not in ("毒物", "粉塵", "喫煙", "薬効群", "依存性薬物", "健康食品", "消毒薬") for drug in members]
        self.treatments = []
        for row in table(DICTIONARIES / "treatments" / "treatments.tsv"):
            self.names[("r", row["label"])] = (several(row["synonyms"]), several(row["abbreviations"]))
            self.treatments.append(row["label"])
        self.surgery = [row["label"] for row in table(DICTIONARIES / "treatments" / "treatments.tsv")
            if row["class"] in ("surgery", "intervention")]
        self.organisms = [row["label"] for row in table(DICTIONARIES / "organisms" / "organisms.tsv")]
        self.sites = {row["label"] for row in table(DICTIONARIES / "sites" / "sites.tsv")}
        self.knowledge()

    def knowledge(self):
        self.effects, self.causes = collections.defaultdict(dict), collections.defaultdict(dict)
        self.exam_of = collections.defaultdict(set)
        for _, row in tables("knowledge"):
            cause, effect, share = row["cause"], row["effect"], SHARE[row["frequency"]]
            what = self.sort(effect)
            if what is None or self.sort(cause) is None or NEVER.search(cause) or NEVER.search(effect):
                continue
            if share > self.effects[cause].get(effect, (None, None, 0))[2]:
                self.effects[cause][effect] = (row["relation"], what, share)
                self.causes[effect][cause] = (row["relation"], share)
            if what == "exam":
                exam, finding = effect.split("=", 1)
                self.exam_of[finding].add(exam)
        self.exam_of = {finding: sorted(exams) for finding, exams in self.exam_of.items()}
        self.shows = collections.defaultdict(list)
        for cause, effects in self.effects.items():
            if self.kind.get(cause) in ("disease", "syndrome"):
                for effect, (_, what, share) in effects.items():
                    if what in ("symptom", "sign", "exam", "lab_state") and share >= 0.14:
                        self.shows[effect].append(cause)
        self.primaries, weights = [], []
        for label, kind in sorted(self.kind.items()):
            findings = sum(what not in DISEASES for _, what, _ in self.of(label).values())
            if kind in ("disease", "syndrome") and findings >= 4 and not NEVER.search(label):
                self.primaries.append(label)
                weights.append(8 + len(self.effects.get(label, ())) + len(self.causes.get(label, ())))
        self.primary_weights = weights
        self.known = [label for label, weight in zip(self.primaries, weights) if weight > 30]

    def of(self, label):
        """Effects of a condition: its own, and those of its more general concept where it has few."""
        own = self.effects.get(label, {})
        findings = sum(what not in DISEASES for _, what, _ in own.values())
        parent = self.parent.get(label)
        if findings >= 8 or not parent or parent not in self.effects:
            return own
        inherited = {effect: (relation, what, share * 0.5) for effect,
            (relation, what, share) in self.effects[parent].items() if what not in DISEASES}
        return {**inherited, **own}

    def sort(self, label):
        """What a label of the knowledge is: a kind, test, exam, site, exposure; None where it cannot be told."""
        if label.startswith("H:"):
            return "exposure"
        if label in self.kind:
            return self.kind[label]
        if "=" in label:
            return "exam"
        if "@" in label:
            return "site" if self.kind.get(label.split("@")[0]) in ("symptom", "sign", "imaging", None) else None
        if "/" in label:
            test, result = label.rsplit("/", 1)
            return "test" if test in self.tests and result in plans.RESULT_WORDS else None
        return None
