from __future__ import annotations

import duckdb
import networkx
import pandas
import polars
import pyarrow
import pytest

import shorei


@pytest.fixture(scope="module")
def cases(nlp: shorei.Pipeline, reports: list[tuple[str, str]]) -> list[shorei.Case]:
    return list(nlp.pipe(reports))


def test_the_levels_hold_what_the_cases_hold(cases: list[shorei.Case]) -> None:
    frame = shorei.to_pandas(cases)
    assert frame.id.tolist() == [case.id for case in cases]
    assert frame.primary.tolist() == [case.primary for case in cases]
    assert frame.n_mentions.tolist() == [len(case.mentions) for case in cases]
    mentions = shorei.to_pandas(cases, level="mention")
    medspacy = "text start_char end_char label_ is_negated is_uncertain is_historical is_hypothetical is_family"
    assert set(medspacy.split()) | {"section_category"} <= set(mentions.columns)
    flat = [(case, mention) for case in cases for mention in case.mentions]
    assert len(mentions) == len(flat)
    for row, (case, mention) in zip(mentions.itertuples(), flat):
        assert (row.id, row.text, row.start_char, row.label_) == (case.id, mention.text, mention.start, mention.kind)
        assert case.text[row.start_char : row.end_char] == row.text
        assert row.is_negated == (mention.status == "absent")
        assert row.is_family == (mention.experiencer == "family")
    edges = shorei.to_pandas(cases, level="edge")
    assert len(edges) == sum(len(case.map.edges) for case in cases)
    graph = networkx.from_pandas_edgelist(edges, "source", "target", create_using=networkx.DiGraph)
    assert ("抗利尿ホルモン不適合分泌症候群", "低ナトリウム血症") in graph.edges


def test_polars_pandas_and_duckdb_say_the_same(cases: list[shorei.Case]) -> None:
    table = shorei.to_arrow(cases, level="mention")
    assert table.num_rows == len(table) == sum(len(case.mentions) for case in cases)
    arrow = pyarrow.table(table)
    assert arrow.column_names == table.column_names
    assert arrow.to_pydict() == table.to_pydict(), "also a second reading"
    assert shorei.to_polars(cases, level="mention").to_dict(as_series=False) == table.to_pydict()
    assert shorei.to_polars(table).shape == (table.num_rows, len(table.column_names))
    count = duckdb.sql("select count(*) from arrow where is_negated").limit(1).fetchall()
    assert count == [(sum(table.to_pydict()["is_negated"]),)]
    codes = arrow["icd10"].to_pylist()
    assert None in codes and any(codes), "no code is a null, not an empty string"


def test_an_empty_table_has_its_columns() -> None:
    for level in ("case", "mention", "edge"):
        frame = shorei.to_pandas([], level=level)
        assert len(frame) == 0 and "id" in frame.columns


@pytest.mark.parametrize(
    "column",
    [
        lambda texts: pyarrow.array(texts),
        lambda texts: pyarrow.chunked_array([texts[:3], texts[3:]]),
        lambda texts: pyarrow.array(texts, pyarrow.large_string()),
        lambda texts: polars.Series(texts),
        lambda texts: polars.Series(texts).to_frame("text"),
        lambda texts: pandas.Series(texts),
        lambda texts: pandas.DataFrame({"text": texts}),
        lambda texts: duckdb.sql("select unnest($texts) as text", params={"texts": texts}),
    ],
)
def test_columns_of_texts_come_in(
    nlp: shorei.Pipeline, reports: list[tuple[str, str]], cases: list[shorei.Case], column: object
) -> None:
    texts = [text for _, text in reports]
    table = nlp.table(column(texts), level="case").to_pydict()  # type: ignore[operator]
    assert table["id"] == [str(row) for row in range(len(texts))], "the row is the id where none is given"
    assert table["causal_tree"] == [case.tree for case in cases]


def test_ids_nulls_and_names(nlp: shorei.Pipeline) -> None:
    frame = polars.DataFrame({"番号": ["x", "y", "z"], "本文": ["【診断】肺炎。", None, "【診断】急性膵炎。"]})
    table = nlp.table(frame, text_column="本文", id_column="番号")
    assert table.to_pydict()["id"] == ["x", "z"], "a null gives no row"
    with pytest.raises(shorei.ShoreiValueError, match="no column `text` among 番号, 本文"):
        nlp.table(frame)
    with pytest.raises(shorei.ShoreiValueError, match="expected strings"):
        nlp.table(pyarrow.array([1, 2]))
    with pytest.raises(shorei.ShoreiValueError, match="no Arrow data"):
        nlp.table(["【診断】肺炎。"])  # type: ignore[arg-type]
    with pytest.raises(shorei.ShoreiValueError, match="expected \"case\""):
        nlp.table(frame, level="document")  # type: ignore[arg-type]
    long = polars.DataFrame({"text": ["秘" * 400_000, "【診断】肺炎。"]})
    with pytest.raises(shorei.ShoreiValueError) as caught:
        nlp.table(long)
    assert caught.value.code == "too-long" and "秘" not in str(caught.value)
    with pytest.warns(UserWarning, match="left out: 0: "):
        assert nlp.table(long, errors="skip").to_pydict()["id"] == ["1"]


def test_only_cases_make_tables(case: shorei.Case) -> None:
    assert len(shorei.to_arrow(case)) == 1
    with pytest.raises(shorei.ShoreiValueError, match="found str at place 1"):
        shorei.to_arrow([case, "x"])  # type: ignore[list-item]
