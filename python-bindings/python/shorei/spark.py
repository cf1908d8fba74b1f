"""Reports in a Spark data frame → cases in a Spark data frame.

>>> import shorei.spark
>>> cases = shorei.spark.structure(reports)                    # doctest: +SKIP
>>> cases.write.parquet("cases")                               # doctest: +SKIP

The texts cross from Spark to shorei and back as Arrow tables; no Python object is made for a row.
shorei has to be installed on every worker. A worker loads its pipeline once, in about a quarter of a
second and 150 MB, and keeps it for all tasks that it gets (``spark.python.worker.reuse``, on by
default).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from shorei._engines import Options, checked, schema, structured
from shorei._shorei import Pipeline
from shorei._tables import Level

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame

__all__ = ["structure"]

#: Spark's names for the types that the tables have.
_TYPES = {"string": "string", "int64": "bigint", "double": "double", "bool": "boolean"}


class _Structurer:
    """What the workers run. It travels as the pipeline's configuration."""

    def __init__(self, pipeline: Pipeline, options: Options) -> None:
        self.pipeline = pipeline
        self.options = options

    def __call__(self, batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        for batch in batches:
            yield from structured(self.pipeline, pyarrow.table(batch), self.options).to_batches()


def structure(
    reports: DataFrame,
    *,
    pipeline: Pipeline | None = None,
    text_column: str = "text",
    id_column: str = "id",
    level: Level = "case",
    errors: Literal["raise", "skip"] = "raise",
    n_threads: int = 1,
) -> DataFrame:
    """The cases, mentions or edges of a data frame of reports.

    ``reports`` has a column of texts and one of ids (strings or numbers); other columns stay behind,
    and ``id`` joins them again. ``level`` is ``"case"``, ``"mention"`` or ``"edge"``, with the columns
    of :func:`shorei.to_pandas`. Nothing runs before an action asks for rows, and what is asked for
    twice runs twice: write the result, or cache it.

    A report that cannot be structured (one over 1 MiB) fails the job, with its id and without its
    text; with ``errors="skip"`` it is left out, with a warning in the worker's log. A null text gives
    no row either way. ``reports.join(cases, "id", "left_anti")`` lists what was left out.
    ``n_threads`` is for tasks with more than one processor (``spark.task.cpus``).
    """
    options = Options(text_column, id_column, level, errors, n_threads)
    checked(reports.columns, options)
    columns = ", ".join(f"`{field.name}` {_TYPES[str(field.type)]}" for field in schema(level))
    wanted = reports.select(id_column, text_column)
    return wanted.mapInArrow(_Structurer(pipeline or Pipeline(), options), columns)
