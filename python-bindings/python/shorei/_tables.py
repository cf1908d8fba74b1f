"""Cases as data frames, and as spaCy documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from shorei._errors import ShoreiError
from shorei._shorei import Case, Table, to_arrow

if TYPE_CHECKING:
    import pandas
    import polars
    import spacy.language
    import spacy.tokens

Level = Literal["case", "mention", "edge"]


def to_pandas(cases: Iterable[Case] | Table, level: Level = "case") -> pandas.DataFrame:
    """The cases as a pandas data frame: a row a case, a mention or an edge.

    A mention's columns carry medspaCy's names (``text``, ``start_char``, ``end_char``, ``label_``,
    ``is_negated``, …); ``id`` joins the levels; ``source`` and ``target`` of edges are what
    ``networkx.from_pandas_edgelist`` expects. Cells without a value are missing.

    >>> frame = shorei.to_pandas([nlp("【現病歴】発熱があり、胸痛はない。", id="1")], level="mention")
    >>> frame.loc[frame.is_negated, "text"].tolist()
    ['胸痛']
    """
    import pandas

    table = cases if isinstance(cases, Table) else to_arrow(cases, level)
    try:
        import pyarrow
    except ImportError:
        return pandas.DataFrame(table.to_pydict())
    return pyarrow.table(table).to_pandas()


def to_polars(cases: Iterable[Case] | Table, level: Level = "case") -> polars.DataFrame:
    """The cases as a polars data frame: a row a case, a mention or an edge.

    The columns are those of :func:`to_pandas`; no Python object is made for a row.

    >>> frame = shorei.to_polars([nlp("【診断】肺炎と診断した。", id="1")])
    >>> frame["primary"].to_list()
    ['肺炎']
    """
    import polars

    table = cases if isinstance(cases, Table) else to_arrow(cases, level)
    return polars.DataFrame(table)


def to_spacy(case: Case, nlp: spacy.language.Language | None = None) -> spacy.tokens.Doc:
    """The case as a spaCy document, with its mentions in ``doc.spans["shorei"]``.

    A token is a character, so that every mention is a span whatever tokenizer ``nlp`` has; only its
    vocabulary is used. A span's label is the mention's kind, its ``kb_id_`` the concept's id, and
    ``span.id`` the mention's number in the case.

    >>> doc = shorei.to_spacy(nlp("【現病歴】発熱があった。"))
    >>> [(span.text, span.label_) for span in doc.spans["shorei"]]
    [('発熱', 'disease')]
    """
    try:
        from spacy.tokens import Doc, Span, SpanGroup
        from spacy.vocab import Vocab
    except ImportError:
        raise ShoreiError("to_spacy needs spaCy: pip install 'shorei[spacy]'", "missing-package") from None
    characters = list(case.text)
    doc = Doc(nlp.vocab if nlp else Vocab(), words=characters, spaces=[False] * len(characters))
    spans = []
    for mention in case.mentions:
        concept = mention.concept.id if mention.concept else ""
        span = Span(doc, mention.start, mention.end, label=mention.kind, kb_id=concept, span_id=mention.id)
        spans.append(span)
    doc.spans["shorei"] = SpanGroup(doc, name="shorei", spans=spans)
    doc.user_data["shorei"] = {"id": case.id, "primary": case.primary, "causal_tree": case.tree}
    return doc

