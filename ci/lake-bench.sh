#!/usr/bin/env bash
# The lake's speed and memory beside PyIceberg's, in one run on the local disk: ci/lake_bench.py
# measures both by turns, prints a table and fails when a target is clearly missed.
set -euo pipefail
bin=${1:?usage: ci/lake-bench.sh PATH-OF-REHEARSAL}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '\n== %s\n' "$1"; }
fail() {
  echo "lake-bench: $1" >&2
  exit 1
}

[ -x "$bin" ] || fail "there is no program '$bin'; build it with: swift build -c release"
source "$here/readers-venv.sh"

# Not below /tmp, which may be memory.
mkdir -p .build
work=$(mktemp -d "$PWD/.build/lake-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$venv/bin/python" -B "$here/lake_bench.py" "$(realpath "$bin")" "$work"
