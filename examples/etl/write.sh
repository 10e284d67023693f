#!/bin/sh
# Writes the report that stands in the inputs of the vertex, as a whole or not at all: an attempt
# that comes again after a crash replaces the file by the same one. Tells how long it is.
set -eu
report="${EXAMPLE_DIR:?is where the report goes}/report.txt"
sed -e 's/^.*"in":"//' -e 's/",*\("job":.*\)*}$//' -e 's/\\n/\
/g' >"$report.$TROUPE_ATTEMPT"
mv "$report.$TROUPE_ATTEMPT" "$report"
printf '{"lines": %d, "bytes": %d}\n' "$(wc -l <"$report")" "$(wc -c <"$report")"
