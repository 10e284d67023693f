#!/usr/bin/env bash
# Builds the core library of CAF once more, with ThreadSanitizer, into build/tsan-caf: through
# Debian's own one it sees no hand-over from actor to actor, so it would tell of races that are none
# or, with suppressions, of none at all. The source is Debian's. Does nothing if it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

to=$PWD/build/tsan-caf
soname=$(basename "$(readlink -f /usr/lib/*/libcaf_core.so)")
[ ! -e "$to/$soname" ] || exit 0

version=$(dpkg-query -W -f '${source:Upstream-Version}' libcaf-dev)
mkdir -p "$to/apt/parts" "$to/apt/lists/partial"
for list in /etc/apt/sources.list.d/*.sources; do
  [ ! -e "$list" ] || sed 's/^Types:.*/Types: deb-src/' "$list" >"$to/apt/parts/$(basename "$list")"
done
if [ -e /etc/apt/sources.list ]; then
  sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >"$to/apt/parts/sources.list"
fi
apt=(apt-get -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$to/apt/parts"
  -o "Dir::State::Lists=$to/apt/lists")
"${apt[@]}" update
(cd "$to" && "${apt[@]}" source --download-only --tar-only actor-framework)
mkdir -p "$to/source"
tar -xf "$to/actor-framework_$version.orig.tar.gz" -C "$to/source" --strip-components 1

cmake -S cmake/tsan-caf -B "$to" -G Ninja --log-level=WARNING \
  -D "CAF_SOURCE=$to/source" -D "CAF_SONAME=$soname" >/dev/null
cmake --build "$to" -j "$(nproc)"
