"""Progress bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shorei._errors import ShoreiError


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ShoreiError("progress needs tqdm: pip install 'shorei[progress]'", "missing-package") from None
    return tqdm


def bar(cases: Iterator[Any], total: int | None) -> Iterator[Any]:
    """The cases, with a bar that says how many are done, how fast, and how long it will take."""
    return iter(_tqdm()(cases, total=total, unit=" reports", smoothing=0.1))


class BatchBar:
    """A bar over the part of the input that is done."""

    def __init__(self) -> None:
        template = "{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]"
        self._bar = _tqdm()(total=100.0, bar_format=template)

    def __call__(self, reports: int, before: int, fraction: float) -> None:
        elapsed = self._bar.format_dict["elapsed"]
        rate = reports / elapsed if elapsed else 0.0
        self._bar.set_description_str(f"{reports + before:,} reports, {rate:,.0f}/s", refresh=False)
        self._bar.update(100.0 * fraction - self._bar.n)

    def close(self) -> None:
        self._bar.close()
