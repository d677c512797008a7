#!/usr/bin/env bash
# The stream consumer and the risk scorer on real servers beside the lab's, in one run on the same
# events: `rehearsal bench` records them and drains them, then ci/lab_services.py does as the lab's
# services do, prints a table and fails when ours are less than 20 times as fast.
#
#   ci/live-bench.sh PROGRAM [EVENTS]
#
# Starts its own servers unless REHEARSAL_SERVICES names a folder of `ci/services.sh start`.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=ci/lake-venv.sh
. ci/lake-venv.sh
find_program "${1:?usage: ci/live-bench.sh PROGRAM [EVENTS]}"
events=${2:-20000}
venv=$PWD/.build/lab-venv
# crc32c and lz4 in C, as kafka-python is used where speed matters.
make_venv "$venv" kafka-python==3.0.12 redis==8.1.0 psycopg2-binary==2.9.13 crc32c==2.9.post0 \
  lz4==4.4.5

work=$(mktemp -d)
prefix=
cleanup() {
  [ -z "$prefix" ] || "$bin" backends clean "$work/bench.yaml" --prefix "$prefix" >/dev/null || true
  rm -rf "$work"
  stop_services
}
trap cleanup EXIT
# shellcheck source=ci/live-backends.sh
. ci/live-backends.sh
start_services
write_backends "$work"
say "$events events; load $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) cores"
"$bin" bench --backends "$work/bench.yaml" --events "$events" --keep --json >"$work/ours.json"
prefix=$(sed -nE 's/.*"prefix":"([^"]*)".*/\1/p' "$work/ours.json")
[ -n "$prefix" ] || fail "rehearsal bench named no prefix: $(cat "$work/ours.json")"
"$venv/bin/python" -B ci/lab_services.py "$work/ours.json"
