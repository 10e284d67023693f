#!/usr/bin/env bash
# Formats every source that git knows. With --check it changes nothing and fails if one would change.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1-}" in
  "") act=(-i) ;;
  --check) act=(--dry-run -Werror) ;;
  *) echo "usage: scripts/format.sh [--check]" >&2; exit 2 ;;
esac

# A checkout may belong to another user than the one who looks at it.
git -c safe.directory='*' ls-files -z -- '*.cpp' '*.hpp' '*.c' '*.h' |
  while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
  xargs -0 -r clang-format-14 "${act[@]}" --
