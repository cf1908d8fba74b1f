"""shorei (症例) turns Japanese case reports into case maps: causal graphs from underlying condition to
disease to finding. Offline, in milliseconds a report.

>>> import shorei
>>> nlp = shorei.Pipeline()
>>> case = nlp("【主訴】呼吸困難【現病歴】発熱と咳嗽があった。胸痛はない。【診断】肺炎と診断した。")
>>> print(case.tree, end="")
-肺炎
  -呼吸困難
  -発熱
  -咳嗽
>>> [mention.text for mention in case.mentions if mention.status == "absent"]
['胸痛']

Never use it for clinical decisions: its output has errors.
"""

from __future__ import annotations

from shorei._batch import BatchSummary, batch
from shorei._errors import ShoreiError, ShoreiFileNotFoundError, ShoreiOSError, ShoreiValueError
from shorei._shorei import (
    Case,
    CaseGraph,
    CaseIndex,
    CaseIterator,
    CaseMap,
    Concept,
    Contribution,
    Evaluation,
    IndexInfo,
    Knowledge,
    Lexicon,
    Link,
    Mention,
    Node,
    Pipeline,
    Ranking,
    Relation,
    SearchResult,
    Section,
    Table,
    Value,
    __version__,
    build_dictionary,
    evaluate,
    to_arrow,
)
from shorei._tables import to_pandas, to_polars, to_spacy

__all__ = [
    "BatchSummary",
    "Case",
    "CaseGraph",
    "CaseIndex",
    "CaseIterator",
    "CaseMap",
    "Concept",
    "Contribution",
    "Evaluation",
    "IndexInfo",
    "Knowledge",
    "Lexicon",
    "Link",
    "Mention",
    "Node",
    "Pipeline",
    "Ranking",
    "Relation",
    "SearchResult",
    "Section",
    "ShoreiError",
    "ShoreiFileNotFoundError",
    "ShoreiOSError",
    "ShoreiValueError",
    "Table",
    "Value",
    "__version__",
    "batch",
    "build_dictionary",
    "evaluate",
    "to_arrow",
    "to_pandas",
    "to_polars",
    "to_spacy",
]
