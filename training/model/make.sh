#!/bin/sh
# Corpora -> models/default and its arranger, with the figures by cross-validation. About an hour on two cores.
#     training/model/make.sh JMED-LLM-TRAIN.jsonl WORK
# PYTHON names the interpreter with both requirements.txt, python3 by default.
set -eu
reports=$1
work=$2
python=${PYTHON:-python3}
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$work"
example() {
    name=$1
    shift
    cargo run --quiet --release --manifest-path "$root/Cargo.toml" --example "$name" -- "$@"
}
step() {
    "$python" "$root/training/model/train.py" --corpus "$work/corpus.inputs" --development "$work/development.inputs" \
        --reports "$reports" --work "$work" --step "$@"
}
gold=$root/training/gold/jmed-llm.jsonl

# Inputs: characters with the marks of dictionaries and rules.
"$python" "$root/training/corpus/read.py" --check --reports "$work/corpus.jsonl" --gold "$work/corpus.gold"
"$python" "$root/training/generate.py" --seed 1 --count 4000 "$work/generated.jsonl"
example model_inputs "$reports" "$gold" > "$work/development.inputs"
example model_inputs "$work/corpus.jsonl" "$work/corpus.gold" > "$work/corpus.inputs"
example model_inputs "$work/generated.jsonl" > "$work/generated.inputs"

# The transformer: on generated, then on written reports, then on the development reports by folds and on all of them.
step generated --generated "$work/generated.inputs" "$work/generated.jsonl" --epochs 1 --rate 1e-3
step base --start generated.pt --epochs 8 --rate 7e-4
step folds --epochs 5 --rate 5e-4
step corpus-folds --epochs 6 --rate 7e-4
step final --epochs 5 --rate 5e-4
mkdir -p "$root/models/default"
cp "$work"/final/config.json "$work"/final/vocab.txt "$work"/final/tokenizer_config.json "$work"/final/model.safetensors \
    "$work"/final/transitions.json "$root/models/default/"

# The arranger learns from readings by models that have not seen the report.
for kind in fold corpus; do
    reports_of=$work/corpus.jsonl gold_of=$work/corpus.gold
    [ $kind = fold ] && reports_of=$reports gold_of=$gold
    : > "$work/$kind.features"
    for folder in "$work/$kind"[0-9]*; do
        grep -F -f "$folder/ids.txt" "$gold_of" > "$work/held.gold" || true
        example arranger_features "$work/held.gold" "$reports_of" "$folder" > "$work/held.features"
        [ -s "$work/$kind.features" ] && sed -i 1d "$work/held.features"
        cat "$work/held.features" >> "$work/$kind.features"
    done
done
train="$python $root/training/arranger/train.py $work/fold.features $work/corpus.features"
$train --cross-validate 5 --folds-out "$work/arranger" --folds-of "$work"
$train --out "$root/models/default/arranger"
