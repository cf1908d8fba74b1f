from __future__ import annotations

import copy
import html.parser
import json
import pickle

import networkx
import pytest

import shorei
from conftest import REPORT


def test_offsets_are_code_points(case: shorei.Case) -> None:
    assert case.text == REPORT and len(case.mentions) > 8
    for mention in case.mentions:
        assert case.text[mention.start : mention.end] == mention.text
    for section in case.sections:
        assert case.text[section.start : section.end] == section.text
    # As it was given, not as it was normalised, and after a character beyond the basic plane.
    assert "ＣＲＰ" in [mention.text for mention in case.mentions]


def test_mentions_say_what_is_asserted(case: shorei.Case) -> None:
    by_text = {mention.text: mention for mention in case.mentions}
    assert by_text["胸痛"].status == "absent" and not by_text["胸痛"].holds
    assert by_text["肺塞栓症"].status == "suspected"
    assert by_text["心筋梗塞"].experiencer == "family"
    assert by_text["2型糖尿病"].time == "past" and by_text["2型糖尿病"].section == "past_history"
    assert by_text["発熱"].holds and by_text["発熱"].section == "present_illness"
    sodium = by_text["Na"]
    assert sodium.value is not None
    assert (sodium.value.number, sodium.value.unit, sodium.value.direction) == (118.0, "mEq/L", "low")
    assert sodium.concept is not None and sodium.concept.kind == "test"
    assert by_text["発熱"].concept is not None and by_text["発熱"].concept.hpo == "HP:0001945"


def test_the_map_is_a_forest_with_evidence(case: shorei.Case) -> None:
    tree = case.map
    assert len(tree) == len(tree.nodes) and tree.to_tree() == case.tree == str(tree)
    assert {root.label for root in tree.roots} == {node.label for node in tree.nodes if node.parent is None}
    assert len(tree.edges) == len(tree.nodes) - len(tree.roots)
    for edge in tree.edges:
        assert edge.source in tree.nodes and edge.target.parent == edge.source
        assert edge.why and edge.kind
    assert tree.primary is not None and tree.primary.label == case.primary
    assert any("による" in why for edge in tree.edges for why in edge.why)
    sodium = next(node for node in tree.nodes if node.label == "Na/低下")
    assert [mention.text for mention in sodium.mentions][0] == "Na"


def test_networkx(case: shorei.Case) -> None:
    graph = case.map.to_networkx()
    assert networkx.is_forest(graph.to_undirected())
    labels = networkx.get_node_attributes(graph, "label")
    assert labels == {node.id: node.label for node in case.map.nodes}
    assert {(source, target) for source, target in graph.edges} == {
        (edge.source.id, edge.target.id) for edge in case.map.edges
    }
    assert all(data["why"] for _, _, data in graph.edges(data=True))
    assert [labels[node] for node, data in graph.nodes(data=True) if data["primary"]] == [case.primary]


def test_trees_are_parsed_and_faults_named() -> None:
    tree = shorei.CaseMap.parse("-肺癌\n  -SIADH\n    -Na/低下\n")
    assert tree.to_tree() == "-肺癌\n  -SIADH\n    -Na/低下\n"
    assert tree.nodes[2].parent == tree.nodes[1]
    assert "<svg" in tree.to_svg() and tree.to_dot().startswith("digraph")
    with pytest.raises(shorei.ShoreiValueError, match="line 2") as caught:
        shorei.CaseMap.parse("-肺癌\n   -SIADH\n")
    assert caught.value.code == "tree"


def test_json_goes_round(case: shorei.Case) -> None:
    again = shorei.Case.from_json(case.to_json())
    assert again == case and hash(again) == hash(case) and again.to_dict() == case.to_dict()
    assert json.loads(case.to_json())["mentions"][0]["start"] == case.mentions[0].start
    with pytest.raises(shorei.ShoreiValueError) as caught:
        shorei.Case.from_json("{}")
    assert caught.value.code == "case-json"
    record = case.to_dict()
    record["mentions"][0]["end"] = 10**6
    with pytest.raises(shorei.ShoreiValueError, match="1000000"):
        shorei.Case.from_json(json.dumps(record))


def test_everything_pickles_and_copies(case: shorei.Case, nlp: shorei.Pipeline) -> None:
    whole = [case, case.map, case.mentions[3], case.map.nodes[0], case.map.edges[0], case.relations[0]]
    concept = next(mention.concept for mention in case.mentions if mention.concept)
    value = next(mention.value for mention in case.mentions if mention.value)
    for one in [*whole, concept, value]:
        assert pickle.loads(pickle.dumps(one)) == one
        assert copy.deepcopy(one) == one
    section = pickle.loads(pickle.dumps(case.sections[1]))
    assert (section.kind, section.text) == (case.sections[1].kind, case.sections[1].text)
    again = pickle.loads(pickle.dumps(nlp))
    assert again(REPORT, id="症例1") == case
    assert len(pickle.dumps(nlp)) < 200, "configuration, not weights"
    assert "EGPA" in pickle.loads(pickle.dumps(nlp.lexicon))
    table = shorei.to_arrow([case], level="mention")
    assert pickle.loads(pickle.dumps(table)).to_pydict() == table.to_pydict()


class Markup(html.parser.HTMLParser):
    """The text and the classes of a piece of HTML; fails where tags do not match."""

    VOID = {"meta", "br", "path", "rect"}

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.classes: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(markup)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.classes += [value or "" for name, value in attrs if name == "class"]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_a_notebook_shows_the_case(case: shorei.Case) -> None:
    markup = case._repr_html_()
    seen = Markup(markup)
    assert "m disease absent" in seen.classes, "what is negated looks negated"
    assert {"svg", "title", "style"} <= seen.tags
    assert not {"script", "a", "html", "body", "link", "img"} & seen.tags
    assert "本文の手がかり「による」" in markup and "本文: " in markup, "evidence is in the tooltips"
    assert "prefers-color-scheme:dark" in markup and 'data-jp-theme-light="false"' in markup
    alone = Markup(case.map._repr_html_())
    assert "report" not in alone.classes and "svg" in alone.tags
    page = case.to_html()
    assert page.startswith("<!DOCTYPE html>") and "胸痛" in page


def test_what_the_report_says_is_no_markup(nlp: shorei.Pipeline) -> None:
    case = nlp("【主訴】発熱<script>alert(1)</script>&amp;", id="<b>")
    assert "<script" not in case._repr_html_() and "<b>" not in case._repr_html_()


def test_reprs_are_short(case: shorei.Case, nlp: shorei.Pipeline) -> None:
    for one in [case, case.map, case.mentions[0], case.map.nodes[0], case.map.edges[0], case.sections[0], nlp]:
        assert 5 < len(repr(one)) < 160
        assert REPORT not in repr(one)


def test_spacy(case: shorei.Case) -> None:
    doc = shorei.to_spacy(case)
    assert doc.text == case.text
    spans = doc.spans["shorei"]
    assert [span.text for span in spans] == [mention.text for mention in case.mentions]
    assert [span.label_ for span in spans] == [mention.kind for mention in case.mentions]
    assert [span.start_char for span in spans] == [mention.start for mention in case.mentions]
    assert doc.user_data["shorei"]["primary"] == case.primary
