# shellcheck shell=bash
# For the other scripts: each step is announced, timed, and named if it fails. Source it.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
jobs=$(nproc)
phase_log=""

# phase NAME COMMAND...: runs a command; ends the script if it fails.
phase() {
  local name=$1 begin=$SECONDS status=0
  shift
  echo
  echo "== $name"
  "$@" || status=$?
  phase_log+=$(printf '%5d s  %s' $((SECONDS - begin)) "$name")$'\n'
  [ "$status" -eq 0 ] && return
  echo "$(basename "$0"): failed: $name (exit code $status)" >&2
  exit "$status"
}

# What each phase took.
phase_times() { printf '\n%s' "$phase_log"; }
