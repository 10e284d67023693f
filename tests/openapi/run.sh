#!/usr/bin/env bash
# Runs the tests of what the node promises in schemas, by tools of others: run.sh SOURCE BUILD PART.
# Their packages are those of package-lock.json; they go to the build directory.
set -euo pipefail

source=$1
build=$2
part=$3
work=$build/tests/openapi
shim=$build/tests/libtroupe_fault_shim.so

mkdir -p "$work"
cp "$source"/tests/openapi/*.{mjs,ts,json} "$work"
cd "$work"

skipped=77 # As CTest knows it.
reach_s=30

# With TROUPE_NEED_NPM set, a test that cannot be run has failed.
skip() {
  echo "${TROUPE_NEED_NPM:+TROUPE_NEED_NPM is set, and }$1"
  exit "$([ "${TROUPE_NEED_NPM-}" ] && echo 1 || echo $skipped)"
}

packages() {
  cmp -s package-lock.json node_modules/.installed && return
  timeout $reach_s npm ping >/dev/null 2>&1 || skip "the npm registry cannot be reached from here"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed
}

[ "$part" = packages ] || [ -f node_modules/.installed ] || skip "the packages were not got"

case $part in
packages) packages ;;
page) node check.mjs "$build/bin/troupe" "$shim" "$build/bin/troupe-load-host" "$source/docs/openapi.json" ;;
client)
  node_modules/.bin/openapi-typescript "$source/docs/openapi.json" -o api.d.ts
  node_modules/.bin/tsc
  node round_trip.mjs "$build/bin/troupe" "$shim"
  ;;
config)
  "$build/bin/config_tests" "schema and parser agree about every value at every place"
  node config.mjs "$source/docs/config.schema.json" "$source/configs/node.json" \
    "$build/tests/config_corpus.ndjson"
  ;;
esac
