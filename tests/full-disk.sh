#!/usr/bin/env bash
# Fills a small disk by adding cases, by hand: it needs root for the mount.
#
#     cargo build --release --bin shorei --example generate_cases && sudo tests/full-disk.sh
#
# Every `add` that does not fit has to name the full disk, leave all committed cases, sound, and give
# back the room that it took; with more room the same `add` goes on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=$PWD/target/release/shorei
work=$(mktemp -d)
trap 'umount "$work/disk" 2>/dev/null || true; rm -r "$work"' EXIT
mkdir "$work/disk"
target/release/examples/generate_cases 200000 > "$work/many.jsonl"
head -5000 "$work/many.jsonl" > "$work/few.jsonl"

# Runs a command that has to fail for want of room.
full() {
    if said=$("$@" 2>&1); then
        echo "did not fail: $*"
        exit 1
    fi
    echo "$said"
    [[ $said == *"the disk is full"* ]]
}

# The index has so many cases, and every file of it is sound.
has() {
    info=$("$program" index info "$work/disk/cases.index" --check)
    echo "$info"
    [[ $info == "cases     $1"$'\n'*"every file is sound" ]]
}

echo "== one commit that does not fit"
mount -t tmpfs -o size=8m tmpfs "$work/disk"
"$program" index build "$work/disk/cases.index" "$work/few.jsonl"
full "$program" index add "$work/disk/cases.index" "$work/many.jsonl"
has 5000
echo "== with more room it goes on"
mount -o remount,size=200m "$work/disk"
"$program" index add "$work/disk/cases.index" "$work/many.jsonl"
has 200000
umount "$work/disk"

echo "== two commits of 50,000 that fit, and a third that does not"
mount -t tmpfs -o size=30m tmpfs "$work/disk"
full "$program" index build "$work/disk/cases.index" "$work/many.jsonl"
has 100000
umount "$work/disk"

echo "== no room for an empty index"
mount -t tmpfs -o size=64k tmpfs "$work/disk"
head -c 61440 /dev/zero > "$work/disk/rest"
full "$program" index build "$work/disk/cases.index" "$work/few.jsonl"
[[ ! -e $work/disk/cases.index ]]
echo "== all as it should be"
