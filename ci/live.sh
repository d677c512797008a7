#!/usr/bin/env bash
# Goldens on real servers: each scenario (all, unless some are named) on each set of backends, all
# against the same goldens; with --conformance the conformance suites before. With --minutes nothing
# is begun after so long, and the table says of what wasn't played that it wasn't.
#
#   ci/live.sh PROGRAM [--conformance] [--minutes M] [SCENARIO…]
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
until=
if [ "${1:-}" = --minutes ]; then
  until=$((${2:?--minutes needs a number} * 60))
  shift 2
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
# The two that take longest end two lanes at about one time; between them the short ones.
sets=(live sqlite s3 redis tls postgres kafka)

say "servers"
"$bin" backends check "$work/live.yaml" || fail "a server isn't what it must be; see above"

say "a server that isn't there ends the run with exit code 4"
for server in 'features: redis' 'log: kafka' 'store: postgres' 'objects: s3'; do
  {
    echo "ports: { $server }"
    echo 'redis: { host: 127.0.0.1, port: 1, attempts: 2 }'
    # Under TLS, which is set up before there is a connection.
    echo 'kafka: { servers: "127.0.0.1:1", time_limit: 1s, security_protocol: ssl }'
    echo 'postgres: { conninfo: "host=127.0.0.1 port=1", attempts: 2 }'
    echo 's3: { endpoint: "http://127.0.0.1:1", bucket: none, attempts: 2 }'
  } >"$work/nowhere.yaml"
  code=0
  timeout 60 "$bin" run swarm --backends "$work/nowhere.yaml" >"$work/nowhere.txt" 2>&1 || code=$?
  [ "$code" -eq 4 ] || { cat "$work/nowhere.txt"; fail "$server: exit code $code, not 4"; }
  echo "$server: $(tail -1 "$work/nowhere.txt" | cut -c1-100)"
done

say "an authority that signed neither PostgreSQL's nor S3's certificate is told"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
  -subj "/CN=another authority" -keyout "$work/other.key" -out "$work/other.pem" 2>/dev/null
for server in 'store: postgres' 'objects: s3'; do
  sed -e "s/^ports: .*/ports: { $server }/" -e "s|\${REHEARSAL_AUTHORITY}|$work/other.pem|" \
    "$work/tls.yaml" >"$work/stranger.yaml"
  code=0
  timeout 60 "$bin" run swarm --backends "$work/stranger.yaml" >"$work/stranger.txt" 2>&1 || code=$?
  { [ "$code" -eq 2 ] && grep -qi certificate "$work/stranger.txt"; } ||
    { cat "$work/stranger.txt"; fail "$server: exit code $code, not 2 for the certificate"; }
  echo "$server: $(tail -1 "$work/stranger.txt" | cut -c1-160)"
done

if [ -n "$conformance" ]; then
  say "conformance on real servers"
  swift test --filter 'ConformanceTests|LiveBackendTests' 2>&1 | tee "$work/conformance" || {
    failures "$work/conformance"
    exit 1
  }
fi
names=("$@")
if [ "${#names[@]}" -eq 0 ]; then
  # A day at 3,000 events an hour, and a night in steps of a second: last.
  slow=(day-of-traffic midnight-and-birthday)
  for file in scenarios/*.yaml; do
    name=$(basename "$file" .yaml)
    [[ " ${slow[*]} " == *" $name "* ]] || names+=("$name")
  done
  names+=("${slow[@]}")
fi
failed=0
# All scenarios on a set; what was said stays in a file per set.
play() {
  local name code=0
  for name in "${names[@]}"; do
    if [ -n "$until" ] && [ "$SECONDS" -ge "$until" ]; then
      echo "late $name -"
      continue
    fi
    timeout 1200 "$bin" check "$name" --backends "$work/$1.yaml" 2>&1 || code=1
  done >"$work/$1.txt"
  return "$code"
}
# Two sets at a time, since a run waits for servers most of its time.
say "goldens on ${sets[*]}"
running=0
for set in "${sets[@]}"; do
  play "$set" &
  running=$((running + 1))
  [ "$running" -eq 2 ] || continue
  wait -n || failed=1
  running=1
done
wait -n || failed=1
# What failed is shown whole; the rest is in the table below.
for set in "${sets[@]}"; do
  grep -Ev '^(ok|late) |^[0-9]+ passed, 0 failed$' "$work/$set.txt" | sed "s/^/$set: /" || true
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
    awk -v name="$name" '$2 == name && !found {
        printf "%10s", $1 == "ok" || $1 == "late" ? $3 : "FAIL"; found = 1 }
      END { if (!found) printf "%10s", "?" }' "$work/$set.txt"
  done
  echo
done
late=$(cat "$work"/*.txt | grep -c '^late ' || true)
[ "$late" -eq 0 ] || echo "-: not played, since the time was up ($late of them); all of it: make test-live"
[ "$failed" -eq 0 ] || fail "not every golden holds on every set of backends; see above"
