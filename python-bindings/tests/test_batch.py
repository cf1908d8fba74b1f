from __future__ import annotations

import json
from pathlib import Path

import polars
import pytest

import shorei


@pytest.fixture
def source(tmp_path: Path, reports: list[tuple[str, str]]) -> Path:
    path = tmp_path / "reports.jsonl"
    lines = [json.dumps({"id": id, "text": text}, ensure_ascii=False) for id, text in reports]
    path.write_text("\n".join([*lines, '{"id": "bad"}']), encoding="utf-8")
    return path


def test_lines(nlp: shorei.Pipeline, source: Path, tmp_path: Path, reports: list[tuple[str, str]]) -> None:
    summary = shorei.batch(source, tmp_path / "cases.jsonl", pipeline=nlp)
    assert (summary.reports, summary.failed, summary.resumed_from) == (len(reports) + 1, 1, 0)
    lines = (tmp_path / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    assert [shorei.Case.from_json(line) for line in lines] == list(nlp.pipe(reports))
    errors = Path(summary.errors).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in errors] == ["bad"]
    with pytest.raises(shorei.ShoreiOSError, match="exists already"):
        shorei.batch(source, tmp_path / "cases.jsonl", pipeline=nlp)
    assert shorei.batch(source, tmp_path / "cases.jsonl", pipeline=nlp, resume=True).resumed_from == 9


def test_tables(nlp: shorei.Pipeline, source: Path, tmp_path: Path, reports: list[tuple[str, str]]) -> None:
    shorei.batch(source, str(tmp_path / "cases"), pipeline=nlp, n_threads=1)
    cases = list(nlp.pipe(reports))
    for level, name in [("case", "documents"), ("mention", "mentions"), ("edge", "edges")]:
        frame = polars.read_parquet(tmp_path / "cases" / name / "*.parquet")
        assert frame.equals(shorei.to_polars(cases, level=level))  # type: ignore[arg-type]


def test_progress_and_faults(
    nlp: shorei.Pipeline, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shorei.batch(source, tmp_path / "a.jsonl", pipeline=nlp, progress=True)
    told = capsys.readouterr().err
    assert "100%" in told and "9 reports" in told
    with pytest.raises(FileNotFoundError):
        shorei.batch(tmp_path / "none.jsonl", tmp_path / "b.jsonl", pipeline=nlp)
    with pytest.raises(shorei.ShoreiValueError, match="n_threads=0"):
        shorei.batch(source, tmp_path / "b.jsonl", pipeline=nlp, n_threads=0)
