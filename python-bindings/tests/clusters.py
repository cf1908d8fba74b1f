"""What the tests of Spark and Ray share."""

from __future__ import annotations

import shorei

#: Stands in the report that fails, and must be seen nowhere.
SECRET = "秘"

#: Beyond a report's length.
TOO_LONG = SECRET * 400_000


def expected(nlp: shorei.Pipeline, reports: list[tuple[str, str]], level: str) -> list[dict[str, object]]:
    """The rows that one machine gives."""
    frame = shorei.to_polars(nlp.pipe(reports), level=level)  # type: ignore[arg-type]
    return in_order(frame.to_dicts())


def in_order(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows in an order that does not depend on which worker was first."""
    return sorted(rows, key=lambda row: [str(row.get(key)) for key in ("id", "mention_id", "source_node", "target_node")])
