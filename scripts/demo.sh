#!/usr/bin/env bash
# Installs what is needed, builds the program, and runs two real graphs: an astronomical workflow of
# 1,738 tasks, replayed a hundred times faster than it was recorded, and a word count over texts.
set -euo pipefail
. "$(dirname "$0")/phases.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
troupe=build/release/bin/troupe
recorded=examples/data/wfinstances/montage-chameleon-2mass-05d-001.json

build() {
  [ -f build/release/build.ninja ] || cmake --preset release --log-level=WARNING || return
  cmake --build --preset release -j "$jobs" --target troupe troupe-jq
}

montage() {
  "$troupe" graphs import --from wfformat "$recorded" --replay 100 --output "$work/montage.json" &&
    "$troupe" run "$work/montage.json" --data "$work/data" --max-parallel 8
}

phase "install dependencies" scripts/install-deps.sh
phase "build" build
phase "Montage: 1,738 tasks, at most 8 at once" montage
phase "count the words of four licences" "$troupe" run examples/wordcount/graph.json --data "$work/data"
phase "what has run" "$troupe" jobs list --data "$work/data"

cat <<'TEXT'

Try next:
  build/release/bin/troupe --help
  build/release/bin/troupe run examples/hello.json
  build/release/bin/troupe graphs render examples/build/graph.json
TEXT
