"""`shorei.ray` on a local Ray. Skipped where Ray is not to be had."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

import shorei
import shorei.ray
from clusters import SECRET, TOO_LONG, expected, in_order

pytest.importorskip("ray.data", reason="Ray is not installed", exc_type=ImportError)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def logs() -> Iterator[Path]:
    # Ray makes sockets below it, and their paths may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="shorei-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def ray(logs: Path) -> Iterator[ModuleType]:
    # Nothing is to leave this machine.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # As Ray will do by itself, says the warning that is given without it.
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    import ray

    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=200 << 20, _temp_dir=str(logs))
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray
    ray.shutdown()


@pytest.mark.parametrize("level", ["case", "mention", "edge"])
def test_ray_gives_what_one_machine_gives(
    ray: ModuleType, nlp: shorei.Pipeline, reports: list[tuple[str, str]], level: shorei.ray.Level
) -> None:
    dataset = ray.data.from_items([{"id": id, "ward": 1, "text": text} for id, text in reports])
    cases = shorei.ray.structure(dataset, level=level, workers=1, batch_size=3)
    assert in_order(cases.take_all()) == expected(nlp, reports, level)


def test_names_numbers_and_nulls(ray: ModuleType, nlp: shorei.Pipeline) -> None:
    dataset = ray.data.from_items([{"番号": 7, "本文": "【診断】肺炎。"}, {"番号": 8, "本文": None}])
    cases = shorei.ray.structure(dataset, pipeline=nlp, text_column="本文", id_column="番号")
    assert [(row["id"], row["primary"]) for row in cases.take_all()] == [("7", "肺炎")], "a null gives no row"
    with pytest.raises(shorei.ShoreiValueError, match="no column `text` among 番号, 本文"):
        shorei.ray.structure(dataset, id_column="番号")
    with pytest.raises(shorei.ShoreiValueError, match="errors='x'"):
        shorei.ray.structure(dataset, text_column="本文", id_column="番号", errors="x")  # type: ignore[arg-type]


def test_no_log_and_no_exception_tells_of_a_report(
    ray: ModuleType, logs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dataset = ray.data.from_items([{"id": "a", "text": TOO_LONG}, {"id": "b", "text": "【診断】肺炎。"}])
    with pytest.raises(Exception, match="a: 1200000 bytes; a report may have at most") as caught:
        shorei.ray.structure(dataset, workers=1).take_all()
    assert SECRET not in f"{caught.value!r} {caught.value}"
    rest = shorei.ray.structure(dataset, workers=1, errors="skip")
    assert [row["id"] for row in rest.take_all()] == ["b"]
    assert SECRET not in "".join(capfd.readouterr())
    written = [path for path in cast(Path, logs).rglob("*") if path.is_file() and "logs" in path.parts]
    texts = [path.read_bytes() for path in written]
    assert any(b"1200000 bytes" in text for text in texts), "the logs were seen"
    assert not any(SECRET.encode() in text for text in texts)
