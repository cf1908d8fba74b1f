"""Many reports, from file to file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from shorei._progress import BatchBar
from shorei._shorei import Pipeline, _run_batch

if TYPE_CHECKING:
    from pathlib import Path


class BatchSummary(NamedTuple):
    """What :func:`batch` did."""

    reports: int
    """Reports done, by this run and those before it."""
    failed: int
    """Those of them that failed; they are listed in ``errors``."""
    resumed_from: int
    """Reports done by the runs before."""
    errors: Path
    """The path of the errors file; it is there when a report failed."""


def batch(
    input: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    pipeline: Pipeline | None = None,
    n_threads: int | None = None,
    resume: bool = False,
    progress: bool = False,
    id_field: str = "id",
    text_field: str = "text",
) -> BatchSummary:
    """Structures the reports of a file or folder, from file to file; the same as ``shorei batch``.

    ``input`` is ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet`` (with the fields ``id_field`` and
    ``text_field``) or a folder of ``.txt`` files. ``output`` is a ``.jsonl`` file of cases, or a
    folder that gets the Parquet tables ``documents``, ``mentions`` and ``edges``. Memory does not
    depend on the number of reports, and the order is that of the input. A report that fails is
    listed in the errors file, and the others go on. A run that was killed goes on with ``resume``,
    and its output is the same to the byte.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "reports.jsonl").write_text('{"id": "1", "text": "【診断】肺炎と診断した。"}\\n', encoding="utf-8")
    >>> summary = shorei.batch(folder / "reports.jsonl", folder / "cases.jsonl")
    >>> summary.reports, summary.failed
    (1, 0)
    """
    bar = BatchBar() if progress else None
    try:
        done = _run_batch(
            pipeline or Pipeline(),
            os.fspath(input),
            os.fspath(output),
            n_threads=n_threads,
            resume=resume,
            observe=bar,
            id_field=id_field,
            text_field=text_field,
        )
        if bar:
            bar(done[0] - done[2], done[2], 1.0)
    finally:
        if bar:
            bar.close()
    return BatchSummary(*done)
