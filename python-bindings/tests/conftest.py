from __future__ import annotations

from pathlib import Path

import pytest

import shorei

ROOT = Path(__file__).resolve().parents[2]

#: Invented, and small: every kind of mention that the tests ask for is in it.
REPORT = (
    "【症例】７２歳、男性。【主訴】𠮟責されるほどの呼吸困難。【既往歴】2型糖尿病。父に心筋梗塞。"
    "【現病歴】2日前から発熱と咳嗽があった。胸痛はない。肺塞栓症も疑われた。"
    "【検査】ＣＲＰ 12.3mg/dL、Na 118 mEq/L。胸部X線で右下肺野に浸潤影を認めた。"
    "【診断】肺炎によるSIADHと診断した。"
)


@pytest.fixture(scope="session")
def nlp() -> shorei.Pipeline:
    return shorei.Pipeline()


@pytest.fixture(scope="session")
def case(nlp: shorei.Pipeline) -> shorei.Case:
    return nlp(REPORT, id="症例1")


@pytest.fixture(scope="session")
def reports() -> list[tuple[str, str]]:
    folder = ROOT / "examples" / "reports"
    return [(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.txt"))]
