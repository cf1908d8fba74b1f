"""A trained model as a Hugging Face folder: config.json, vocab.txt, tokenizer_config.json, model.safetensors (fp16), and
transitions.json, the log odds of one tag after another by head."""

import json

import torch
from safetensors.torch import save_file

import data

# A blank and a line end cannot stand alone on a line of vocab.txt; src/extract/reader.rs names them so.
NAMES = {" ": "[SP]", "\n": "[LF]"}


def export(model, words, marks, odds, folder):
    folder.mkdir(parents=True, exist_ok=True)
    config = model.bert.config.to_dict()
    config = {key: value for key, value in config.items() if key not in ("transformers_version", "_name_or_path", "dtype", "torch_dtype")}
    config["architectures"] = ["BertForTokenClassification"]
    config["shorei"] = {"heads": data.HEADS, "token_types": marks}
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "vocab.txt").write_text("".join(NAMES.get(word, word) + "\n" for word in words), encoding="utf-8")
    tokenizer = {"tokenizer_class": "BertJapaneseTokenizer", "do_lower_case": False, "word_tokenizer_type": "basic", "subword_tokenizer_type": "character"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=1) + "\n", encoding="utf-8")
    weights = {name: value.detach().to(torch.float16).contiguous() for name, value in model.state_dict().items() if "position_ids" not in name and "token_type_ids" not in name}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    rounded = {head: [[round(float(value), 4) for value in row] for row in matrix] for head, matrix in odds.items() if head != "mention"}
    (folder / "transitions.json").write_text(json.dumps(rounded) + "\n", encoding="utf-8")
