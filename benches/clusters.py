#!/usr/bin/env python3
"""Reports a second through `shorei.spark` and `shorei.ray`, with one worker and with two.

    python3 benches/clusters.py reports.jsonl [spark|ray]

`reports.jsonl` has a record {"id", "text"} a line. Workers are started, and their pipelines loaded,
before the clock is: what is measured is the work. Needs the package with its extras `spark` and
`ray`, and Java for Spark. On a machine with two processors the engine's own work takes part of what
the second worker would have.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

ROUNDS = 3


def spark_rates(path: Path, count: int, workers: int) -> list[float]:
    import shorei.spark
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master(f"local[{workers}]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    reports = session.read.json(str(path)).repartition(8).cache()
    assert reports.count() == count
    rates = []
    for round in range(ROUNDS + 1):
        begun = time.monotonic()
        assert shorei.spark.structure(reports).agg({"n_nodes": "sum"}).collect()[0][0] > count
        rates.append(count / (time.monotonic() - begun))
    session.stop()
    return rates[1:]


def ray_rates(path: Path, count: int, workers: int) -> list[float]:
    import ray
    import shorei.ray

    ray.init(num_cpus=workers, include_dashboard=False, object_store_memory=500 << 20, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    lines = path.read_text(encoding="utf-8").splitlines()
    rates = []
    # The time from the first batch that is done to the last: actors load before it.
    for _ in range(ROUNDS):
        reports = ray.data.from_items([json.loads(line) for line in lines], override_num_blocks=8).materialize()
        done, marks = 0, []
        for batch in shorei.ray.structure(reports, workers=workers, batch_size=256).iter_batches(
            batch_size=None, batch_format="pyarrow", prefetch_batches=0
        ):
            done += batch.num_rows
            marks.append((time.monotonic(), done))
        assert done == count
        (first, before), (last, after) = marks[workers - 1], marks[-1]
        rates.append((after - before) / (last - first))
    ray.shutdown()
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", type=Path)
    parser.add_argument("engine", nargs="?", choices=["spark", "ray"])
    arguments = parser.parse_args()
    count = sum(1 for _ in arguments.reports.open(encoding="utf-8"))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    for engine in [arguments.engine] if arguments.engine else ["spark", "ray"]:
        best = []
        for workers in [1, 2]:
            rates = (spark_rates if engine == "spark" else ray_rates)(arguments.reports.absolute(), count, workers)
            best.append(max(rates))
            told = ", ".join(f"{rate:.0f}" for rate in rates)
            print(f"{engine}, {workers} workers, {count} reports: {told} reports/s", flush=True)
        print(f"{engine}, two workers against one: {best[1] / best[0]:.2f}", flush=True)


if __name__ == "__main__":
    main()
