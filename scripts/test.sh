#!/usr/bin/env bash
# Installs what is needed, builds, and runs all tests: as users get the program, then under
# AddressSanitizer and UndefinedBehaviorSanitizer. Ends with 0 if all of them pass.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/test.sh [--quick | --tsan]
  (nothing)  format, then all tests of the builds `release` and `asan`
  --quick    format, then all tests of the build `release`
  --tsan     all tests of the build `tsan` (ThreadSanitizer, of CAF, too)
Builds lie in build/; ccache is used if it is there.
TEXT
}

presets=(release asan)
case "${1-}" in
  "") ;;
  --quick) presets=(release) ;;
  --tsan) presets=(tsan) ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
[ $# -le 1 ] || { usage >&2; exit 2; }

. "$(dirname "$0")/phases.sh"

phase "install dependencies" scripts/install-deps.sh
[ "${presets[0]}" = tsan ] || phase "check format" scripts/format.sh --check
[ "${presets[0]}" != tsan ] || phase "build CAF with ThreadSanitizer" scripts/tsan-caf.sh
for preset in "${presets[@]}"; do
  phase "$preset: configure" cmake --preset "$preset" --log-level=WARNING
  phase "$preset: build" cmake --build --preset "$preset" -j "$jobs"
  phase "$preset: test" ctest --preset "$preset" -j "$jobs"
done
phase_times
echo "test.sh: all tests pass (${presets[*]})"
