from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import shorei
from conftest import REPORT, ROOT


def test_pipe_keeps_the_order_and_the_ids(nlp: shorei.Pipeline, reports: list[tuple[str, str]]) -> None:
    expected = [nlp(text, id=id) for id, text in reports] * 20
    assert list(nlp.pipe(reports * 20)) == expected
    assert list(nlp.pipe(reports * 20, n_threads=3)) == expected
    records = [{"id": id, "text": text} for id, text in reports]
    assert [case.id for case in nlp.pipe(records)] == [id for id, _ in reports]
    assert [case.id for case in nlp.pipe([text for _, text in reports])] == [""] * len(reports)
    assert list(nlp.pipe([])) == []


def test_pipe_reads_no_further_than_it_must(nlp: shorei.Pipeline) -> None:
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "【主訴】発熱"

    cases = nlp.pipe(texts(), n_threads=2)
    for _ in range(100):
        assert next(cases).primary is not None
    assert taken < 300, "an endless input is read as the cases are taken"


def test_memory_does_not_grow_with_the_input(nlp: shorei.Pipeline) -> None:
    tracemalloc.start()
    try:
        count = sum(1 for _ in nlp.pipe(("【主訴】発熱" + "。" * 500 for _ in range(3000)), n_threads=2))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 3000
    assert peak < 2_000_000, f"{peak} bytes of Python objects"


def test_a_report_that_fails(nlp: shorei.Pipeline) -> None:
    texts = [("1", "【主訴】発熱"), ("2", "秘" * 400_000), ("3", "【主訴】咳嗽")]
    cases = nlp.pipe(texts)
    assert next(cases).id == "1"
    with pytest.raises(shorei.ShoreiValueError, match="^2: ") as caught:
        next(cases)
    assert caught.value.code == "too-long" and "秘" not in str(caught.value)
    assert next(cases).id == "3", "the iterator goes on"
    with pytest.warns(UserWarning, match="left out: 2: "):
        assert [case.id for case in nlp.pipe(texts, errors="skip")] == ["1", "3"]
    with pytest.raises(ValueError, match="too-long|at most"):
        nlp("秘" * 400_000)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([1], "found int"),
        ([("a", 2)], "a string as text, found int"),
        ([{"text": "x"}], "without `id`"),
        ([("a", "b", "c")], "found tuple"),
        (["\ud800"], "surrogates"),
    ],
)
def test_what_is_no_report(nlp: shorei.Pipeline, texts: list[object], message: str) -> None:
    cases = nlp.pipe(["【主訴】発熱", *texts])  # type: ignore[arg-type]
    assert next(cases).text == "【主訴】発熱", "what stands before it is given first"
    with pytest.raises(shorei.ShoreiValueError, match=message):
        next(cases)


def test_arguments_without_meaning(nlp: shorei.Pipeline) -> None:
    with pytest.raises(shorei.ShoreiValueError, match="many texts"):
        nlp.pipe("【主訴】発熱")
    with pytest.raises(shorei.ShoreiValueError, match="n_threads=0"):
        nlp.pipe(["x"], n_threads=0)
    with pytest.raises(shorei.ShoreiValueError, match="expected \"raise\" or \"skip\""):
        nlp.pipe(["x"], errors="ignore")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        nlp(None)  # type: ignore[arg-type]


def test_errors_are_what_python_expects(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        shorei.Pipeline(dictionaries=[tmp_path / "none.pack"])
    assert isinstance(missing.value, shorei.ShoreiError) and missing.value.code == "io"
    assert "none.pack" in str(missing.value)
    (tmp_path / "bad.pack").write_bytes(b"no pack")
    with pytest.raises(shorei.ShoreiValueError, match="bad.pack"):
        shorei.Lexicon(dictionaries=[str(tmp_path / "bad.pack")])
    with pytest.raises(FileNotFoundError):
        shorei.Pipeline(arranger=tmp_path / "none")


def test_progress_bar(nlp: shorei.Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    cases = list(nlp.pipe(["【主訴】発熱"] * 50, progress=True))
    assert len(cases) == 50
    assert "50/50" in capsys.readouterr().err


def test_threads_share_a_pipeline(nlp: shorei.Pipeline, case: shorei.Case) -> None:
    with ThreadPoolExecutor(4) as pool:
        for other in pool.map(lambda _: nlp(REPORT, id="症例1"), range(32)):
            assert other == case


def test_the_interpreter_is_free_while_a_report_is_read(nlp: shorei.Pipeline) -> None:
    ticks = 0
    done = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not done.wait(0.001):
            ticks += 1

    thread = threading.Thread(target=count)
    thread.start()
    nlp((REPORT + "\n") * 300)
    done.set()
    thread.join()
    assert ticks > 20, "another thread ran while one long report was structured"


def _primary(text: str) -> str:
    return _nlp(text).primary


def _load(nlp: shorei.Pipeline) -> None:
    global _nlp
    _nlp = nlp


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes(nlp: shorei.Pipeline, case: shorei.Case, method: str) -> None:
    list(nlp.pipe([REPORT] * 10))  # Threads that a fork does not take along.
    context = multiprocessing.get_context(method)
    with context.Pool(2, _load, (nlp,)) as pool:
        assert pool.map(_primary, [REPORT] * 4) == [case.primary] * 4
        assert pool.apply(_pipe_in_a_child, (nlp,)) == [case.primary] * 8


def _pipe_in_a_child(nlp: shorei.Pipeline) -> list[str]:
    return [case.primary for case in nlp.pipe([REPORT] * 8, n_threads=2)]


def test_ctrl_c_ends_a_pipe() -> None:
    program = """
import itertools, os, signal, threading, shorei
nlp = shorei.Pipeline()
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    for case in nlp.pipe(itertools.repeat("【主訴】発熱。" * 3000)):
        pass
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout == "interrupted\n", done.stderr


def test_own_dictionaries(tmp_path: Path, pack: Path) -> None:
    nlp = shorei.Pipeline(dictionaries=[pack])
    mention = next(mention for mention in nlp("【診断】未知熱病と診断した。").mentions if mention.text == "未知熱病")
    assert mention.concept is not None and mention.concept.id.startswith("own:")
    assert "未知熱病" in shorei.Lexicon(dictionaries=[pack]) and "未知熱病" not in shorei.Lexicon()
    assert "own.pack" in repr(nlp)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    (folder / "own.csv").write_text("surface,label,kind,icd10\n未知熱病,未知熱病,disease,A99\n", encoding="utf-8")
    shorei.build_dictionary(folder / "own.csv", folder / "own.pack", format="generic")
    return folder / "own.pack"
