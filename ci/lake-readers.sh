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

venv=.build/readers-venv
pins=(
  "pyiceberg[sql-sqlite,pyarrow]==0.11.1"
  "duckdb==1.5.5"
  "duckdb-extension-avro==1.5.5"
  "duckdb-extension-httpfs==1.5.5"
  "duckdb-extension-iceberg==1.5.5"
)
if [ "$(cat "$venv/pins" 2>/dev/null)" != "${pins[*]}" ]; then
  say "readers in $venv"
  command -v python3 >/dev/null || fail "there is no python3; on Debian: apt-get install python3-venv"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$(python3 --version) is too old; put Python 3.11 or newer first in PATH"
  python3 -c 'import ensurepip, venv' 2>/dev/null ||
    fail "python3 makes no virtual environments; on Debian: apt-get install python3-venv"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "${pins[@]}" ||
    fail "pip can't install the readers; see its message above, or set PIP_INDEX_URL to a mirror"
  echo "${pins[*]}" >"$venv/pins"
  echo ok
fi

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
