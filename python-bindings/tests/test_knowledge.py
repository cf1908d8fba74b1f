from __future__ import annotations

import math
from pathlib import Path

import pytest

import shorei


def test_lexicon(nlp: shorei.Pipeline) -> None:
    lexicon = nlp.lexicon
    assert len(lexicon) > 5000
    (sodium,) = {concept.label for concept in lexicon.lookup("低Na血症")}
    assert sodium == "低ナトリウム血症" and "低Na血症" in lexicon.synonyms(sodium)
    assert lexicon.lookup("ＥＧＰＡ") == lexicon.lookup("EGPA"), "full-width letters are the same term"
    assert lexicon.lookup("存在しない病名") == [] and "存在しない病名" not in lexicon
    assert lexicon.same_concept("しびれ@四肢", "しびれ@四肢") and not lexicon.same_concept("発熱", "咳嗽")
    assert [concept.label for concept in lexicon.ancestors("テント状T波")] == ["心電図異常"]


def test_links(nlp: shorei.Pipeline) -> None:
    effects = nlp.knowledge.effects("高カリウム血症")
    assert "テント状T波" in [link.effect for link in effects]
    assert [link.probability for link in effects] == sorted((link.probability for link in effects), reverse=True)
    assert nlp.knowledge.effects("K/上昇")[0].effect == effects[0].effect, "a state is its result"
    with pytest.raises(shorei.ShoreiValueError, match="存在しない病名") as caught:
        nlp.knowledge.causes("存在しない病名")
    assert caught.value.code == "unknown"


def test_ranking(nlp: shorei.Pipeline) -> None:
    case = nlp("【現病歴】発熱と頭痛、項部硬直があった。腹痛はない。")
    ranked = shorei.Knowledge().rank(case, ["片頭痛", "細菌性髄膜炎", "存在しない病名", "急性膵炎"])
    assert [one.query for one in ranked][0] == "細菌性髄膜炎"
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    assert ranked[-1].query == "存在しない病名" and ranked[-1].label is None and ranked[-1].score == -math.inf
    parts = {part.finding: part for part in ranked[0].contributions}
    assert parts["項部硬直"].log_ratio > 1 and parts["項部硬直"].present
    assert not parts["腹痛"].present
    pancreatitis = next(one for one in ranked if one.query == "急性膵炎")
    absent = next(part for part in pancreatitis.contributions if part.finding == "腹痛")
    assert absent.log_ratio < 0, "what is absent speaks against"
    everything = nlp.knowledge.rank(case, top=5)
    assert len(everything) == 5 and any("髄膜炎" in one.query for one in everything)
    given = nlp.knowledge.rank(present=["発熱", "頭痛", "項部硬直"], absent=["腹痛"], candidates=["細菌性髄膜炎"])
    assert given[0].score == pytest.approx(ranked[0].score)


def test_evaluation(nlp: shorei.Pipeline, case: shorei.Case, tmp_path: Path) -> None:
    perfect = shorei.evaluate([case], [case])
    assert (perfect.node_f1, perfect.edge_f1, perfect.path_f1, perfect.primary_accuracy) == (1, 1, 1, 1)
    gold = [
        {"id": "症例1", "primary": "抗利尿ホルモン不適合分泌症候群", "causal_tree": "-肺炎\n  -発熱\n  -皮疹\n"},
        {"id": "2", "primary": "肺炎", "causal_tree": "-肺炎\n"},
    ]
    scores = shorei.evaluate(gold, [case], lexicon=nlp.lexicon)
    told = scores.to_dict()
    assert told["missing_predicted"] == ["2"] and "皮疹" in told["cases"][0]["missed"]
    assert scores.node_f1 == told["node"]["micro"]["f1"] < 1
    assert "edge" in str(scores) and "2 cases" in repr(scores)
    path = tmp_path / "gold.jsonl"
    path.write_text(case.to_json(), encoding="utf-8")
    assert shorei.evaluate(path, str(path)).edge_f1 == 1
    with pytest.raises(FileNotFoundError):
        shorei.evaluate(tmp_path / "none.jsonl", [])
    with pytest.raises(shorei.ShoreiValueError, match="stands twice"):
        shorei.evaluate([case, case], [])
    with pytest.raises(shorei.ShoreiValueError, match="no `causal_tree`"):
        shorei.evaluate([{"id": "1"}], [])  # type: ignore[list-item]
