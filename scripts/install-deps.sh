#!/usr/bin/env bash
# Installs everything that building, testing and running Troupe needs, on a bare Debian 12.
# Safe to run again: what is there already is left alone. Needs root, or sudo.
set -euo pipefail

packages=(
  # building
  g++ make cmake ninja-build ccache pkg-config git ca-certificates
  # checks: formatting, fuzzing
  clang-format-14 clang-14 libclang-rt-14-dev
  # libraries
  libcaf-dev liblmdb-dev nlohmann-json3-dev prometheus-cpp-dev catch2
  libcli11-dev libspdlog-dev libfmt-dev libssl-dev libjq-dev libboost1.81-dev
  libcurl4-openssl-dev libjemalloc-dev
  # tests: promtool, what the pages show with curl, completion by each shell, and small disks
  prometheus curl zsh fish e2fsprogs mount
)

# For tests of what schemas promise. A Node.js that is there already (18 or later), from wherever it
# came, is used as it is.
command -v node >/dev/null 2>&1 || packages+=(nodejs)
command -v npm >/dev/null 2>&1 || packages+=(npm)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done

if [ ${#missing[@]} -eq 0 ]; then
  echo "install-deps: all ${#packages[@]} packages are there"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || {
    echo "install-deps: needs root to install: ${missing[*]}" >&2
    echo "install-deps: run it as root, or install sudo" >&2
    exit 1
  }
  as_root=(sudo)
fi

echo "install-deps: installing ${#missing[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  echo "install-deps: apt-get failed; the lines above say why" >&2
  exit 1
fi
echo "install-deps: done"
