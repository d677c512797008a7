#!/usr/bin/env bash
# Rehearsal's Iceberg tables read by PyIceberg and DuckDB, and theirs by Rehearsal: runs some
# scenarios and compares rows, snapshots, compaction and expiry with ci/lake_readers.py.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lake-venv.sh"
find_program "${1:?usage: ci/lake-readers.sh PATH-OF-REHEARSAL}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make_python

say "scenarios"
for scenario in viral-burst minor-found-later schema-evolution; do
  "$bin" run "$scenario" --out "$work/$scenario" >/dev/null ||
    fail "'$bin run $scenario' failed; run it by hand in the repository's folder"
done
"$bin" run deleted-content --backends "sqlite:$work/deleted-content" >/dev/null ||
  fail "'$bin run deleted-content --backends sqlite:DIR' failed; run it by hand in this folder"
echo ok

say "readers"
"$venv/bin/python" -B "$here/lake_readers.py" "$bin" "$work"/*/lake
