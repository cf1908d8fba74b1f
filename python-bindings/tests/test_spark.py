"""`shorei.spark` on a local PySpark. Skipped where PySpark or Java is not to be had."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import shorei
import shorei.spark
from clusters import SECRET, TOO_LONG, expected, in_order

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytest.importorskip("pyspark", reason="PySpark is not installed")
if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
    pytest.skip("PySpark needs Java (17 or later), and there is none", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spark") / "log.txt"


@contextlib.contextmanager
def written_to(path: Path) -> Iterator[None]:
    """What processes that start here say goes to a file."""
    kept = [os.dup(1), os.dup(2)]
    with path.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        for place, old in enumerate(kept, 1):
            os.dup2(old, place)
            os.close(old)


@pytest.fixture(scope="module")
def spark(log: Path) -> Iterator[SparkSession]:
    from pyspark.sql import SparkSession

    # The workers' Python is this one, and not the first of the path.
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.memory": "1g",
    }
    builder = SparkSession.builder.master("local[2]").appName("shorei")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with written_to(log):
        session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.mark.parametrize("level", ["case", "mention", "edge"])
def test_spark_gives_what_one_machine_gives(
    spark: SparkSession, nlp: shorei.Pipeline, reports: list[tuple[str, str]], level: shorei.spark.Level
) -> None:
    frame = spark.createDataFrame([(id, 1, text) for id, text in reports], "id string, ward int, text string")
    cases = shorei.spark.structure(frame.repartition(3), pipeline=nlp, level=level)
    assert cases.columns == shorei.to_arrow([], level).column_names
    rows = [row.asDict() for row in cases.collect()]
    assert in_order(rows) == expected(nlp, reports, level)


def test_names_numbers_nulls_and_packs(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("surface,kind\n未知熱病,disease\n", encoding="utf-8")
    shorei.build_dictionary(tmp_path / "own.csv", tmp_path / "own.pack")
    nlp = shorei.Pipeline(dictionaries=[tmp_path / "own.pack"])
    frame = spark.createDataFrame([(7, "【診断】未知熱病と診断した。"), (8, None)], "`番号` long, `本文` string")
    cases = shorei.spark.structure(frame, pipeline=nlp, text_column="本文", id_column="番号")
    assert [(row.id, row.primary) for row in cases.collect()] == [("7", "未知熱病")], "a null gives no row"
    with pytest.raises(shorei.ShoreiValueError, match="no column `text` among 番号, 本文"):
        shorei.spark.structure(frame, id_column="番号")
    with pytest.raises(shorei.ShoreiValueError, match='expected "case"'):
        shorei.spark.structure(frame, text_column="本文", id_column="番号", level="x")  # type: ignore[arg-type]


def test_no_log_and_no_exception_tells_of_a_report(
    spark: SparkSession, nlp: shorei.Pipeline, log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spark.sparkContext.setLogLevel("INFO")
    frame = spark.createDataFrame([("a", TOO_LONG), ("b", "【診断】肺炎。")], "id string, text string")
    with pytest.raises(Exception, match="a: 1200000 bytes; a report may have at most") as caught:
        shorei.spark.structure(frame, pipeline=nlp).collect()
    assert SECRET not in f"{caught.value!r} {caught.value}"
    rest = shorei.spark.structure(frame, pipeline=nlp, errors="skip")
    assert [row.id for row in rest.collect()] == ["b"]
    assert [row.id for row in frame.join(rest, "id", "left_anti").collect()] == ["a"]
    nameless = spark.createDataFrame([(None, TOO_LONG)], "id string, text string")
    with pytest.raises(Exception, match="1 reports without an id"):
        shorei.spark.structure(nameless, pipeline=nlp).collect()
    spark.sparkContext.setLogLevel("WARN")
    told = log.read_text(encoding="utf-8")
    assert "1200000 bytes" in told and "left out: a: " in told, "the log was seen"
    assert SECRET not in told + "".join(capfd.readouterr())


def test_shorei_does_not_need_it() -> None:
    program = "import sys, shorei; sys.exit(any(name in sys.modules for name in ('pyspark', 'ray', 'pyarrow', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
