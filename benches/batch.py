#!/usr/bin/env python3
"""`shorei batch` over many reports: the rate with one thread and with two, the memory, and whether runs
that are killed again and again write the same bytes.

    cargo build --release
    python3 benches/batch.py target/release/shorei reports.jsonl

`reports.jsonl` has a record {"id", "text"} a line. Reports are made of it by repeating and varying:
other numbers, sentences left out, sentences of another report. Standard library only; needs
Unix.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path


def vary(reports: list[dict[str, str]], count: int, chance: random.Random, path: Path) -> None:
    """Writes `count` reports, no two of one report alike."""

    def other(number: re.Match[str]) -> str:
        digits = number[0]
        return digits if len(digits) > 4 else str(max(1, int(int(digits) * chance.uniform(0.8, 1.2))))

    def sentences(report: dict[str, str]) -> list[str]:
        return [sentence for sentence in re.split(r"(?<=。)", report["text"]) if sentence]

    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            report = reports[number % len(reports)]
            kept = [sentence for sentence in sentences(report) if chance.random() > 0.08]
            if chance.random() < 0.5:
                kept += sentences(chance.choice(reports))[: chance.randrange(1, 6)]
            text = re.sub(r"\d+", other, "".join(kept) or report["text"])
            file.write(json.dumps({"id": f"{report['id']}-{number:06}", "text": text}, ensure_ascii=False) + "\n")


def run(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, user seconds, and the most memory in MB of a run that ends well."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    assert process.stderr is not None
    told = process.stderr.read().decode()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, told
    return wall, usage.ru_utime, usage.ru_maxrss / 1e3


def digest(path: Path) -> str:
    """A checksum of a file, or of all files of a folder with their names."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    sums = []
    for file in files:
        with file.open("rb") as bytes_of:
            sums.append(f"{file.relative_to(path)} {hashlib.file_digest(bytes_of, 'sha256').hexdigest()}")
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("reports", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    reports = [json.loads(line) for line in arguments.reports.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory(prefix="shorei-batch-") as name:
        folder = Path(name)
        source = folder / "reports.jsonl"
        vary(reports, arguments.count, chance, source)
        print(f"{arguments.count} reports, {source.stat().st_size / 1e6:.1f} MB")
        walls: dict[int, list[float]] = {1: [], 2: []}
        for threads in [1, 2, 1, 2]:
            output = folder / f"{threads}.jsonl"
            output.unlink(missing_ok=True)
            command = [arguments.program, "batch", "--threads", str(threads), str(source), str(output)]
            wall, user, memory = run(command)
            walls[threads].append(wall)
            rate = arguments.count / wall
            print(f"{threads} threads: {wall:.1f} s, {rate:.0f} reports/s, {user:.1f} s of user time, {memory:.0f} MB")
        print(f"two threads against one: {min(walls[1]) / min(walls[2]):.2f}")
        for whole, killed in [("2.jsonl", "killed.jsonl"), ("whole", "killed")]:
            if not (folder / whole).exists():
                run([arguments.program, "batch", str(source), str(folder / whole)])
            command = [arguments.program, "batch", "--threads", "2", str(source), str(folder / killed)]
            times = 0
            for round in range(arguments.kills):
                process = subprocess.Popen(
                    command + (["--resume"] if round else []), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
                )
                time.sleep(chance.uniform(0.05, min(walls[2]) / arguments.kills * 1.6))
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    times += 1
                process.wait()
            run([*command, "--resume"])
            same = digest(folder / whole) == digest(folder / killed)
            print(f"{killed}: killed {times} times and resumed: {'the same bytes' if same else 'OTHER BYTES'}")
            assert same
        left = [file.name for file in folder.iterdir() if file.suffix in {".lock", ".partial", ".progress"}]
        assert not left, left


if __name__ == "__main__":
    main()
