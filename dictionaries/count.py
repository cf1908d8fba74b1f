#!/usr/bin/env python3
"""Counts the rows of every dictionary and writes them into its SOURCE.toml.

    python3 dictionaries/count.py           refresh `rows` in each SOURCE.toml
    python3 dictionaries/count.py --check   change nothing; exit 1 where a count is out of date

Rows are the lines of a folder's .tsv files less their header lines. A folder without .tsv files
(ipadic) keeps the count that its SOURCE.toml has. Standard library only.
"""

import re
import sys
from pathlib import Path

ROWS = re.compile(r"^rows[ \t]*=[ \t]*(\d+)[ \t]*$", re.MULTILINE)


def rows_of(folder: Path):
    """The number of data rows in the folder's tables; None when it has no table."""
    tables = sorted(folder.glob("*.tsv"))
    if not tables:
        return None
    total = 0
    for table in tables:
        lines = table.read_text(encoding="utf-8").split("\n")
        total += sum(1 for line in lines[1:] if line.strip())
    return total


def main(arguments) -> int:
    if arguments not in ([], ["--check"]):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    check = arguments == ["--check"]
    faults = 0
    for folder in sorted(path for path in Path(__file__).resolve().parent.iterdir() if path.is_dir()):
        source = folder / "SOURCE.toml"
        name = f"{folder.name}/SOURCE.toml"
        rows = rows_of(folder)
        if not source.exists():
            if rows is not None:
                print(f"{name}: missing; write one, see README.md", file=sys.stderr)
                faults += 1
            continue
        text = source.read_text(encoding="utf-8")
        found = ROWS.search(text)
        if not found:
            print(f"{name}: no line `rows = NUMBER`; add one", file=sys.stderr)
            faults += 1
            continue
        old = int(found.group(1))
        if rows is None or rows == old:
            print(f"{old:>7}  {folder.name}")
        elif check:
            print(f"{name}: rows = {old}, but the tables have {rows}; run dictionaries/count.py", file=sys.stderr)
            faults += 1
        else:
            source.write_text(ROWS.sub(f"rows = {rows}", text, count=1), encoding="utf-8")
            print(f"{rows:>7}  {folder.name}  (was {old})")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
