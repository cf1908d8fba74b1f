"""Makes the folders beside this file: small random token classifiers as Hugging Face saves them,
and what PyTorch says of some inputs (expected.json).

    python tests/encoder/make.py          # torch 2.15, transformers 5.23, tokenizers 0.23

Run it again only when a folder must change: the test itself needs no Python.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    BertConfig,
    BertForTokenClassification,
    DebertaV2Config,
    DebertaV2ForTokenClassification,
    RobertaConfig,
    RobertaForTokenClassification,
)
from transformers.models.bert_japanese.tokenization_bert_japanese import CharacterTokenizer, WordpieceTokenizer

HERE = Path(__file__).parent
LABELS = ["O", "B-d_positive", "I-d_positive", "B-d_negative", "I-d_negative"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CHARACTERS = list("肺炎熱咳血圧低下上昇を認めたはないの疑、。1234567890abcdefg")
PARTS = ["肺炎", "発熱", "##炎", "##症", "低", "##血", "##圧", "認め", "##た", "を", "は", "な", "##い", "egfr", "。"]
WORDS = ["肺炎", "低血圧", "を", "認めた", "。", "発熱", "は", "ない", "eGFR", "İ", "低血症候", "  "]


def inputs(vocabulary: int, types: int) -> list[dict]:
    """Texts of different lengths, one of them of a single token."""
    draw = torch.Generator().manual_seed(7)
    texts = []
    for length in (7, 1, 19, 12):
        ids = torch.randint(5, vocabulary, (length,), generator=draw).tolist()
        kinds = torch.randint(0, types, (length,), generator=draw).tolist() if types > 1 else []
        texts.append({"ids": ids, "types": kinds})
    return texts


def logits(model, heads: dict, texts: list[dict], first: int, last: int, pad: int) -> list:
    """Every head's logits, as one padded and masked batch."""
    longest = max(len(text["ids"]) for text in texts) + 2
    ids = torch.full((len(texts), longest), pad)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, text in enumerate(texts):
        length = len(text["ids"]) + 2
        ids[row, :length] = torch.tensor([first, *text["ids"], last])
        mask[row, :length] = 1
        if text["types"]:
            types[row, 1 : length - 1] = torch.tensor(text["types"])
    with torch.no_grad():
        states = model.base_model(ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        answers = [model.classifier(states)] + [states @ weight.T + bias for weight, bias in heads.values()]
    return [
        [[[round(x, 6) for x in token] for token in answer[row, 1 : len(text["ids"]) + 1].tolist()] for answer in answers]
        for row, text in enumerate(texts)
    ]


def make(name: str, model, dtype: torch.dtype, special: tuple[int, int, int], heads: dict | None = None, pickle: bool = False) -> Path:
    """Saves a model with its weights rounded to `dtype`, and what it says."""
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    model = model.eval().to(dtype).float()
    heads = {key: tuple(tensor.to(dtype).float() for tensor in parts) for key, parts in sorted((heads or {}).items())}
    texts = inputs(model.config.vocab_size, model.config.type_vocab_size)
    answers = logits(model, heads, texts, *special)
    config = model.config.to_dict()
    if heads:
        config["shorei"] = {"heads": {key: [f"{key}{i}" for i in range(len(bias))] for key, (_, bias) in heads.items()}}
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n")
    tensors = {key: tensor.to(dtype).contiguous() for key, tensor in model.state_dict().items() if tensor.is_floating_point()}
    for key, (weight, bias) in heads.items():
        tensors[f"heads.{key}.weight"], tensors[f"heads.{key}.bias"] = weight.to(dtype), bias.to(dtype)
    if pickle:
        torch.save(tensors, folder / "pytorch_model.bin")
    else:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    expected = [{**text, "heads": answer} for text, answer in zip(texts, answers)]
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")
    return folder


def seeded(build, config):
    torch.manual_seed(20)
    model = build(config)
    with torch.no_grad():
        for tensor in model.parameters():  # biases and norms start at 0 and 1, which would hide mistakes
            tensor.add_(torch.randn_like(tensor) * 0.05)
    return model


SIZES = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
    "initializer_range": 0.25,
    "id2label": dict(enumerate(LABELS)),
    "label2id": {label: i for i, label in enumerate(LABELS)},
}


def words_to_pieces(tokenizer, vocabulary: list[str], lower: bool) -> list:
    return [[vocabulary.index(piece) for piece in tokenizer.tokenize(word.lower() if lower else word)] for word in WORDS]


def japanese(folder: Path, vocabulary: list[str], kind: str, tokenizer, lower: bool) -> None:
    """vocab.txt of a BertJapaneseTokenizer, and how its subword tokenizer cuts words."""
    (folder / "vocab.txt").write_text("".join(token + "\n" for token in vocabulary))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "BertJapaneseTokenizer",
                "word_tokenizer_type": "mecab",
                "subword_tokenizer_type": kind,
                "do_lower_case": lower,
                "cls_token": "[CLS]",
                "sep_token": "[SEP]",
                "unk_token": "[UNK]",
            },
            indent=1,
        )
        + "\n"
    )
    cut = words_to_pieces(tokenizer, vocabulary, lower)
    (folder / "words.json").write_text(json.dumps({"words": WORDS, "ids": cut}, ensure_ascii=False) + "\n")


def with_json(folder: Path, tokenizer: Tokenizer, text: str) -> None:
    """tokenizer.json, and how it cuts a text, in code points."""
    tokenizer.enable_truncation(4)  # as saved after training: must not shorten reports
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    tokenizer.no_truncation()
    cut = tokenizer.encode(text, add_special_tokens=False)
    (folder / "words.json").write_text(
        json.dumps({"text": text, "ids": cut.ids, "offsets": cut.offsets}, ensure_ascii=False) + "\n"
    )


def main() -> None:
    vocabulary = list(dict.fromkeys(SPECIAL + PARTS + CHARACTERS))
    config = BertConfig(vocab_size=len(vocabulary), type_vocab_size=2, **SIZES)
    folder = make("bert", seeded(BertForTokenClassification, config), torch.float32, (2, 3, 0))
    japanese(folder, vocabulary, "wordpiece", WordpieceTokenizer(vocabulary, unk_token="[UNK]"), lower=True)

    # As shorei's own: characters, token types for the lexicon's marks, further heads.
    vocabulary = SPECIAL + CHARACTERS
    config = BertConfig(vocab_size=len(vocabulary), type_vocab_size=7, hidden_act="gelu_new", **SIZES | {"num_hidden_layers": 1})
    model = seeded(BertForTokenClassification, config)
    heads = {"time": (torch.randn(2, 24), torch.randn(2)), "cause": (torch.randn(3, 24), torch.randn(3))}
    folder = make("character", model, torch.float16, (2, 3, 0), heads, pickle=True)
    japanese(folder, vocabulary, "character", CharacterTokenizer(vocabulary, unk_token="[UNK]"), lower=False)

    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] + CHARACTERS
    config = RobertaConfig(vocab_size=len(vocabulary), type_vocab_size=1, **SIZES)
    folder = make("roberta", seeded(RobertaForTokenClassification, config), torch.bfloat16, (0, 2, 1))
    tokenizer = Tokenizer(models.WordLevel({token: i for i, token in enumerate(vocabulary)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    with_json(folder, tokenizer, "肺炎の疑い、熱12度。")

    vocabulary = SPECIAL + ["▁", "肺炎", "低下"] + CHARACTERS
    config = DebertaV2Config(
        vocab_size=len(vocabulary),
        type_vocab_size=0,
        relative_attention=True,
        position_buckets=8,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        max_relative_positions=-1,
        conv_kernel_size=3,
        conv_act="gelu",
        **SIZES,
    )
    folder = make("deberta", seeded(DebertaV2ForTokenClassification, config), torch.float16, (2, 3, 0))
    tokenizer = Tokenizer(models.Unigram([(token, -float(i % 5)) for i, token in enumerate(vocabulary)], unk_id=1))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    with_json(folder, tokenizer, "肺炎 血圧低下を認めた。")

    config = DebertaV2Config(
        vocab_size=30,
        type_vocab_size=2,
        relative_attention=True,
        pos_att_type="p2c|c2p",
        embedding_size=8,
        **SIZES | {"hidden_size": 16, "num_hidden_layers": 1},
    )
    folder = make("deberta-own", seeded(DebertaV2ForTokenClassification, config), torch.float16, (2, 3, 0))
    (folder / "vocab.txt").write_text("".join(token + "\n" for token in SPECIAL))


if __name__ == "__main__":
    main()
