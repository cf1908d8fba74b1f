from __future__ import annotations

import json
import math
import multiprocessing
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest

import shorei
from conftest import REPORT
from test_case import Markup


@pytest.fixture(scope="module")
def index(
    nlp: shorei.Pipeline, reports: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> shorei.CaseIndex:
    index = shorei.CaseIndex.create(tmp_path_factory.mktemp("index") / "cases.index", pipeline=nlp)
    assert index.add(nlp.pipe(reports)) == len(reports)
    return index


def test_cases_come_in_and_go(nlp: shorei.Pipeline, case: shorei.Case, tmp_path: Path) -> None:
    index = shorei.CaseIndex.create(tmp_path / "cases.index", pipeline=nlp)
    assert len(index) == 0 and index.add([]) == 0
    assert index.add(case) == 1 and index.add([case]) == 1 and len(index) == 1, "one id, one case"
    assert case.id in index and index.get(case.id) == case and index.get("other") is None
    record = {"id": "2", "primary": "急性虫垂炎", "causal_tree": "-急性虫垂炎\n  -右下腹部痛\n", "sex": "F", "age": 20}
    assert index.add(record) == 1  # type: ignore[arg-type]
    again = index.get("2")
    assert again is not None and (again.tree, again.text) == (record["causal_tree"], "")
    info = index.info()
    assert (info.cases, info.diseases, info.without_primary) == (2, 2, 0) and info.bytes > 1000
    assert index.damaged() == []
    assert index.remove(["2", "2", "other"]) == 1 and "2" not in index and index.remove("2") == 0
    other = shorei.CaseIndex.open(str(tmp_path / "cases.index"))
    assert len(other) == 1 and index.path == tmp_path / "cases.index"
    index.add(record)  # type: ignore[arg-type]
    assert len(other) == 1
    other.refresh()
    assert len(other) == 2 and "2 cases" in repr(other)


def test_what_fails_leaves_the_index_as_it_was(nlp: shorei.Pipeline, case: shorei.Case, tmp_path: Path) -> None:
    index = shorei.CaseIndex.create(tmp_path / "cases.index", pipeline=nlp)

    def cases() -> Iterator[shorei.Case]:
        yield case
        raise RuntimeError("the source dried up")

    with pytest.raises(RuntimeError, match="dried up"):
        index.add(cases())
    with pytest.raises(shorei.ShoreiValueError, match="place 1: `id` is empty"):
        index.add([case, nlp(REPORT)])
    with pytest.raises(shorei.ShoreiValueError, match="found str"):
        index.add([case, "秘密の本文"])  # type: ignore[list-item]
    with pytest.raises(shorei.ShoreiValueError, match="invalid type") as caught:
        index.add({"id": "1", "mentions": "秘密の本文"})  # type: ignore[typeddict-unknown-key]
    assert "秘" not in str(caught.value)
    assert len(index) == 0 and index.info().cases == 0
    with pytest.raises(OSError, match="exists already"):
        shorei.CaseIndex.create(tmp_path / "cases.index", pipeline=nlp)
    with pytest.raises(FileNotFoundError, match="no case index"):
        shorei.CaseIndex.open(tmp_path / "none", pipeline=nlp)
    with pytest.raises(OSError, match="no case index") as told:
        shorei.CaseIndex.open(tmp_path, pipeline=nlp)
    assert isinstance(told.value, shorei.ShoreiError) and told.value.code == "index"


def test_search_ranks_diseases_and_cases(index: shorei.CaseIndex, nlp: shorei.Pipeline) -> None:
    found = index.search("低ナトリウム血症 倦怠感 -発熱", limit=5)
    assert (found.present, found.absent, found.unknown) == (["低ナトリウム血症", "倦怠感"], ["発熱"], [])
    assert found.n_ranked > 5 and found.n_cases == len(index) and found.like is None
    diseases = found.to_pandas()
    assert diseases["rank"].tolist() == [1, 2, 3, 4, 5]
    assert diseases["score"].is_monotonic_decreasing
    findings = found.to_polars("finding")
    assert len(findings) == 15 and set(findings["finding"]) == {"低ナトリウム血症", "倦怠感", "発熱"}
    first = findings.filter(findings["rank"] == 1)
    # What speaks against a disease counts a little less than what speaks for it.
    counted = sum(ratio if ratio > 0 else 0.7 * ratio for ratio in first["log_ratio"])
    assert math.isclose(counted, diseases["score"][0], abs_tol=1e-9)
    said = [name for name, ratio in first.select("finding", "log_ratio").rows() if ratio >= 0.2]
    assert set(said) == {name.lstrip("-") for name in diseases["findings"][0]}
    cases = found.to_arrow("case").to_pydict()
    assert "siadh" in cases["id"] and "低ナトリウム血症" in cases["findings"][0]
    assert cases["causal_tree"][0].startswith("-")
    text = index.search("3日前からの発熱、血小板減少、腹痛はない")
    assert text.present == ["発熱", "血小板/低下"] and text.absent == ["腹痛"]
    asked = index.search(nlp("【現病歴】発熱があった。血小板減少を認めた。腹痛はない。"))
    assert set(asked.present) == set(text.present)
    with pytest.raises(shorei.ShoreiValueError, match="unknown") as caught:
        index.search("colour:赤")
    assert caught.value.code == "query"
    with pytest.raises(shorei.ShoreiValueError, match="a text or a case"):
        index.search(1)  # type: ignore[arg-type]
    with pytest.raises(shorei.ShoreiValueError, match='expected "disease"'):
        found.to_arrow("edge")  # type: ignore[arg-type]


def test_the_like_of_a_case(index: shorei.CaseIndex) -> None:
    found = index.like("siadh", limit=3)
    assert found.like == "siadh" and "siadh" not in found.to_arrow("case").to_pydict()["id"]
    assert found.n_cases == len(index) - 1
    # Its own diagnosis is hidden from what ranks diseases.
    case = index.get("siadh")
    assert case is not None and case.primary not in found.present
    with pytest.raises(KeyError, match="other"):
        index.like("other")


def test_a_notebook_shows_what_was_found(index: shorei.CaseIndex) -> None:
    markup = index.search("低ナトリウム血症 倦怠感 -発熱 謎症候群@手<b")._repr_html_()
    seen = Markup(markup)
    assert {"table", "thead", "style"} <= seen.tags and not {"script", "a", "b", "img", "link"} & seen.tags
    for word in ["順位", "疾患", "症例", "診療科", "所見", "chip none", "辞書にない語"]:
        assert word in markup
    assert re.search(r'title="\+\d+\.\d: この疾患の \d+ %、全体の', markup), "what a finding says is in its tooltip"
    assert "prefers-color-scheme:dark" in markup
    like = index.like("siadh")._repr_html_()
    assert "siadh</strong>" in like and like.index("類似度") < like.index("得点"), "cases first"
    assert len(repr(index.search("発熱"))) < 100


def test_all_maps_make_a_graph(tmp_path: Path) -> None:
    index = shorei.CaseIndex.create(tmp_path / "graph.index")
    tree = "-肺炎\n  -発熱\n  -<咳>\n"
    index.add({"id": f"c{n}", "primary": "肺炎", "causal_tree": tree if n else "-肺炎\n  -発熱\n"} for n in range(3))
    graph = index.aggregate(support=2)
    assert (graph.cases, len(graph)) == (3, 2)
    assert graph.to_pandas()[["cause", "effect", "cases"]].values.tolist()[0] == ["肺炎", "発熱", 3]
    support = graph.to_polars()["support"].to_list()[0]
    assert len(support) == 2 and set(support) < {"c0", "c1", "c2"}
    links = graph.to_networkx()
    assert links.edges["肺炎", "発熱"]["lift"] == pytest.approx(1) and links.nodes["発熱"]["cases"] == 3
    read = networkx.parse_graphml(graph.to_graphml())
    labels = networkx.get_node_attributes(read, "label")
    assert {(labels[a], labels[b]) for a, b in read.edges} == set(links.edges)
    assert graph.to_tsv().startswith("cause\trelation\teffect")
    assert len(index.aggregate(min_cases=3)) == 1


def _first(index: shorei.CaseIndex) -> list[object]:
    return index.search("発熱", limit=3).to_arrow().to_pydict()["disease"]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_ask_it(index: shorei.CaseIndex, method: str) -> None:
    expected = _first(index)
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply_async(_first, (index,)).get(60) == expected
    assert len(pickle.dumps(index)) < 500


def test_the_command_line_s_index_is_the_same(index: shorei.CaseIndex, nlp: shorei.Pipeline) -> None:
    mark = json.loads((index.path / "shorei-index.json").read_text(encoding="utf-8"))
    assert mark["format"] == index.info().format
    again = shorei.CaseIndex.open(index.path, pipeline=nlp)
    assert again.search("発熱").to_arrow().to_pydict() == index.search("発熱").to_arrow().to_pydict()
