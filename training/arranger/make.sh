#!/bin/sh
# Features of the development gold and the corpus -> figures by cross-validation -> models/arranger.
#     training/arranger/make.sh REPORTS.jsonl
set -eu
reports=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$root/training/corpus/read.py" --check --reports "$work/reports.jsonl" --gold "$work/gold.jsonl"
features() {
    cargo run --quiet --release --manifest-path "$root/Cargo.toml" --example arranger_features -- "$1" "$2"
}
features "$root/training/gold/jmed-llm.jsonl" "$reports" > "$work/development.features"
features "$work/gold.jsonl" "$work/reports.jsonl" > "$work/corpus.features"
train="python3 $root/training/arranger/train.py $work/development.features $work/corpus.features"
$train --cross-validate 5
$train --out "$root/models/arranger"
