#!/usr/bin/env bash
# Rehearsal's Iceberg tables read by PyIceberg and DuckDB, and theirs by Rehearsal: runs some
# scenarios and compares rows, snapshots, compaction and expiry with ci/lake_readers.py.
set -euo pipefail
bin=${1:?usage: ci/lake-readers.sh PATH-OF-REHEARSAL}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '\n== %s\n' "$1"; }
fail() {
  echo "lake-readers: $1" >&2
  exit 1
}

[ -x "$bin" ] || fail "there is no program '$bin'; build it with: swift build -c release"
bin=$(realpath "$bin")
[ -d scenarios ] || fail "there is no folder 'scenarios' here; run this in the repository's folder"

source "$here/readers-venv.sh"

say "scenarios"
for scenario in viral-burst minor-found-later; do
  "$bin" run "$scenario" --out "$work/$scenario" >/dev/null ||
    fail "'$bin run $scenario' failed; run it by hand in the repository's folder"
done
"$bin" run deleted-content --backends "sqlite:$work/deleted-content" >/dev/null ||
  fail "'$bin run deleted-content --backends sqlite:DIR' failed; run it by hand in the repository's folder"
echo ok

say "readers"
"$venv/bin/python" -B "$here/lake_readers.py" "$bin" "$work"/*/lake
