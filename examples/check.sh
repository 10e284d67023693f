#!/usr/bin/env bash
# Runs one example and compares what it gives: examples/check.sh TROUPE NAME
# expected/result.json is its result; every other file in expected/ is one that it writes into
# $EXAMPLE_DIR. Ends with 0 if all are the same.
set -euo pipefail
troupe=$(realpath "$1")
cd "$(dirname "$0")/.."
example=examples/$2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/files"
EXAMPLE_DIR=$work/files "$troupe" run "$example/graph.json" --data "$work/data" >"$work/files/result.json"
for expected in "$example"/expected/*; do
  diff -u "$expected" "$work/files/$(basename "$expected")"
done
echo "$2: as expected"
