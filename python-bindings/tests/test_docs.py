"""The examples of the docstrings, and that there is a docstring for everything public."""

from __future__ import annotations

import doctest
import inspect
import types

import pytest

import shorei
import shorei._errors


def documented() -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = [("shorei", shorei)]
    for name in shorei.__all__:
        item = getattr(shorei, name)
        if name == "__version__":
            continue
        found.append((name, item))
        if not inspect.isclass(item):
            continue
        for member, value in vars(item).items():
            if not member.startswith("_"):
                value = value.__func__ if isinstance(value, staticmethod | classmethod) else value
                found.append((f"{name}.{member}", value))
    return found


@pytest.mark.parametrize(("name", "item"), documented(), ids=[name for name, _ in documented()])
def test_everything_is_documented(name: str, item: object) -> None:
    if isinstance(item, types.MemberDescriptorType) or (name.startswith("Shorei") and name.endswith((".code", ".args"))):
        pytest.skip("a plain attribute")
    assert inspect.getdoc(item), f"{name} has no docstring"


@pytest.mark.parametrize(("name", "item"), documented(), ids=[name for name, _ in documented()])
def test_examples(name: str, item: object, nlp: shorei.Pipeline) -> None:
    text = inspect.getdoc(item) or ""
    globs = {"shorei": shorei, "nlp": nlp}
    test = doctest.DocTestParser().get_doctest(text, globs, name, None, None)
    if not test.examples:
        pytest.skip("no example")
    out: list[str] = []
    failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=out.append).failed
    assert failed == 0, "".join(out)


def test_every_class_has_an_example() -> None:
    without = {"ShoreiOSError", "ShoreiFileNotFoundError", "ShoreiValueError", "BatchSummary", "CaseIterator"}
    pointing = {"Contribution", "Ranking", "Evaluation", "IndexInfo"}
    for name in set(shorei.__all__) - without - pointing - {"__version__"}:
        assert ">>>" in (inspect.getdoc(getattr(shorei, name)) or ""), name
    for name in pointing:
        assert "See " in (inspect.getdoc(getattr(shorei, name)) or ""), name
