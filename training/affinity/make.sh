#!/bin/sh
# Links of dictionaries/knowledge -> figures on links held out -> models/affinity.
# PYTHON names the interpreter with training/model/requirements.txt, python3 by default.
set -eu
python=${PYTHON:-python3}
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo run --quiet --release --manifest-path "$root/Cargo.toml" --example affinity_inputs > "$work/inputs.jsonl"
train="$python $root/training/affinity/train.py $work/inputs.jsonl"
$train --hold 0.05
$train --out "$root/models/affinity"
