#!/bin/sh
# Gets a header from a mirror that answers only when it is asked for the third time.
set -eu
tries=$(($(cat "$EXAMPLE_DIR/tries" 2>/dev/null || echo 0) + 1))
echo "$tries" >"$EXAMPLE_DIR/tries"
if [ "$tries" -lt 3 ]; then
  echo "the mirror is busy" >&2
  exit 75
fi
echo '#define VERSION "version 3"' >"$EXAMPLE_DIR/version.h"
echo "{\"tries\": $tries}"
