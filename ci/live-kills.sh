#!/usr/bin/env bash
# Servers killed (SIGKILL) and started again in the middle of runs, again and again; the broker's
# stand-in is frozen instead (ci/services.sh says why). What comes of a run must be its golden, that
# is, what comes of it in memory, where nothing fails: nothing lost, nothing twice.
#
#   ci/live-kills.sh PROGRAM [SCENARIO…]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=ci/lake-venv.sh
. ci/lake-venv.sh
find_program "${1:-.build/release/rehearsal}"
shift || true
names=("$@")
[ "${#names[@]}" -gt 0 ] || names=(viral-burst rough-day)

work=$(mktemp -d)
services=$work/services
killer=
cleanup() {
  touch "$work/done"
  [ -z "$killer" ] || wait "$killer" || true
  bash ci/services.sh stop "$services"
  rm -rf "$work"
}
trap cleanup EXIT
bash ci/services.sh start "$services"
# shellcheck source=/dev/null
. "$services/env"
# shellcheck source=ci/live-backends.sh
. ci/live-backends.sh
write_backends "$work"

# As services would be set that must outlast a restart of some seconds.
sed -e 's/^\(postgres\|redis\|s3\): {/&  attempts: 40,/' "$work/live.yaml" >"$work/patient.yaml"

# Kills a server again and again until the file `done` is there, and notes each time: SERVER
kill_often() {
  while sleep 1.5; do
    [ ! -e "$work/done" ] || return 0
    bash ci/services.sh crash "$1" "$services" >/dev/null 2>&1 || echo "$1 didn't start again"
    echo "$1" >>"$work/kills"
  done
}

failed=0
for name in "${names[@]}"; do
  for server in postgres redis kafka s3; do
    : >"$work/kills"
    rm -f "$work/done"
    kill_often "$server" &
    killer=$!
    if "$bin" check "$name" --backends "$work/patient.yaml" >"$work/out" 2>&1; then result=ok; else
      result=FAIL failed=1
    fi
    touch "$work/done"
    wait "$killer"
    killer=
    kills=$(wc -l <"$work/kills")
    printf '%-4s %-20s %-9s %3d kills, %s\n' "$result" "$name" "$server" "$kills" \
      "$(awk -v name="$name" '$2 == name { print $3, $4 }' "$work/out")"
    [ "$result" = ok ] || cat "$work/out"
    [ "$kills" -gt 0 ] || { echo "FAIL $server wasn't killed once"; failed=1; }
  done
done
[ "$failed" -eq 0 ] || fail "a killed server changed what came of a run; see above"
