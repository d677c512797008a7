#!/usr/bin/env bash
# Goldens on real servers: each scenario (all, unless some are named) on each set of backends, all
# against the same goldens; with --conformance the conformance suites before.
#
#   ci/live.sh PROGRAM [--conformance] [SCENARIO…]
#
# Starts its own servers unless REHEARSAL_SERVICES names a folder of `ci/services.sh start`.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=ci/lake-venv.sh
. ci/lake-venv.sh
find_program "${1:-.build/release/rehearsal}"
shift || true
conformance=
if [ "${1:-}" = --conformance ]; then
  conformance=yes
  shift
fi

work=$(mktemp -d)
cleanup() {
  rm -rf "$work"
  stop_services
}
trap cleanup EXIT
# shellcheck source=ci/live-backends.sh
. ci/live-backends.sh
start_services
write_backends "$work"
sets=(live sqlite postgres kafka redis s3)

say "servers"
"$bin" backends check "$work/live.yaml" || fail "a server isn't what it must be; see above"

say "a server that isn't there ends the run with exit code 4"
for server in 'features: redis' 'log: kafka' 'store: postgres' 'objects: s3'; do
  {
    echo "ports: { $server }"
    echo 'redis: { host: 127.0.0.1, port: 1, attempts: 2 }'
    echo 'kafka: { servers: "127.0.0.1:1", time_limit: 1s }'
    echo 'postgres: { conninfo: "host=127.0.0.1 port=1", attempts: 2 }'
    echo 's3: { endpoint: "http://127.0.0.1:1", bucket: none, attempts: 2 }'
  } >"$work/nowhere.yaml"
  code=0
  timeout 60 "$bin" run swarm --backends "$work/nowhere.yaml" >"$work/nowhere.txt" 2>&1 || code=$?
  [ "$code" -eq 4 ] || { cat "$work/nowhere.txt"; fail "$server: exit code $code, not 4"; }
  echo "$server: $(tail -1 "$work/nowhere.txt" | cut -c1-100)"
done

if [ -n "$conformance" ]; then
  say "conformance on real servers"
  swift test --filter 'ConformanceTests|LiveBackendTests'
fi
names=("$@")
if [ "${#names[@]}" -eq 0 ]; then
  for file in scenarios/*.yaml; do
    name=$(basename "$file" .yaml)
    names+=("$name")
  done
fi
failed=0
for set in "${sets[@]}"; do
  say "goldens on $set"
  "$bin" check "${names[@]}" --backends "$work/$set.yaml" >"$work/$set.txt" || failed=1
  # What failed is shown whole; the rest is in the table below.
  grep -v '^ok  ' "$work/$set.txt" || true
done

say "one run in memory and one on all servers: the same trace"
for name in viral-burst minors; do
  [[ " ${names[*]} " == *" $name "* ]] || continue
  memory=$("$bin" run "$name" --json | sed -nE 's/.*"fingerprint":"([^"]*)".*/\1/p')
  live=$("$bin" run "$name" --json --backends "$work/live.yaml" |
    sed -nE 's/.*"fingerprint":"([^"]*)".*/\1/p')
  echo "$name $memory $live"
  [ -n "$memory" ] && [ "$memory" = "$live" ] || { echo "FAIL $name: the traces differ"; failed=1; }
done

say "scenario × backends, seconds"
printf '%-28s' scenario
printf '%10s' "${sets[@]}"
echo
for name in "${names[@]}"; do
  printf '%-28s' "$name"
  for set in "${sets[@]}"; do
    awk -v name="$name" '$2 == name { printf "%10s", $1 == "ok" ? $3 : "FAIL"; found = 1 }
      END { if (!found) printf "%10s", "?" }' "$work/$set.txt"
  done
  echo
done
[ "$failed" -eq 0 ] || fail "not every golden holds on every set of backends; see above"
