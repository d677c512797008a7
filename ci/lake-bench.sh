#!/usr/bin/env bash
# The lake's speed and memory beside PyIceberg's, in one run on the local disk: ci/lake_bench.py
# measures both by turns, prints a table and fails when a target is clearly missed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ci/lake-venv.sh
. "$here/lake-venv.sh"

find_program "${1:?usage: ci/lake-bench.sh PATH-OF-REHEARSAL}"
make_python

# Not below /tmp, which may be memory.
mkdir -p .build
work=$(mktemp -d "$PWD/.build/lake-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$venv/bin/python" -B "$here/lake_bench.py" "$bin" "$work"
