"""What Spark and Ray share: a table of reports in, a table of their cases out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from shorei._errors import ShoreiError, ShoreiValueError
from shorei._shorei import Pipeline, to_arrow
from shorei._tables import Level

if TYPE_CHECKING:
    import pyarrow


class Options(NamedTuple):
    """How reports are structured. It travels to the workers, so it holds no weights and no text."""

    text_column: str
    id_column: str
    level: Level
    errors: Literal["raise", "skip"]
    n_threads: int


def checked(columns: list[str], options: Options) -> Options:
    """The options, if they can mean something for a table of these columns.

    What is wrong is said here, and not by a worker in the middle of the night.
    """
    for column, argument in [(options.text_column, "text_column"), (options.id_column, "id_column")]:
        if column not in columns:
            known = ", ".join(columns)
            message = f"no column `{column}` among {known}; name it with {argument}=, or make it: reports need an id"
            raise ShoreiValueError(message, "argument")
    if options.errors not in ("raise", "skip"):
        raise ShoreiValueError(f'errors={options.errors!r}: expected "raise" or "skip"', "argument")
    if options.n_threads < 1:
        raise ShoreiValueError(f"n_threads={options.n_threads}: expected at least 1", "argument")
    schema(options.level)
    return options


def schema(level: Level) -> pyarrow.Schema:
    """The columns of a level."""
    try:
        import pyarrow
    except ImportError:
        raise ShoreiError("Spark and Ray need pyarrow: pip install pyarrow", "missing-package") from None
    return pyarrow.schema(to_arrow([], level))


def structured(nlp: Pipeline, reports: pyarrow.Table, options: Options) -> pyarrow.Table:
    """The cases of a batch of reports."""
    import pyarrow

    ids = reports[options.id_column]
    if ids.null_count:
        message = f"{ids.null_count} reports without an id in `{options.id_column}`; every report needs one"
        raise ShoreiValueError(message, "argument")
    # An id may be a number.
    ids = ids.cast(pyarrow.string())
    texts = reports[options.text_column]
    table = pyarrow.table({options.id_column: ids, options.text_column: texts})
    cases = nlp.table(
        table,
        level=options.level,
        text_column=options.text_column,
        id_column=options.id_column,
        n_threads=options.n_threads,
        errors=options.errors,
    )
    return pyarrow.table(cases)
