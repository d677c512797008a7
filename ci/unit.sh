#!/usr/bin/env bash
# The tests in the debug build, in two processes side by side; what failed is said again at the end.
#
# Simulations block the threads of a process's pool, for a minute at times. Suites that need a free
# one, or have time limits in real time, have a process of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
apart='EscapeTests|SimulationThreadsTests|LiveBackendTests|KafkaMock|KafkaFarewell|RedisFailure'

work=$(mktemp -d)
beside=
trap '[ -z "$beside" ] || kill "$beside" 2>/dev/null || true; rm -rf "$work"' EXIT

swift build --build-tests
echo "== $apart, meanwhile the others"
swift test --skip-build --ignore-lock --filter "$apart" >"$work/apart" 2>&1 &
beside=$!
code=0
swift test --skip-build --ignore-lock --skip "$apart" 2>&1 | tee "$work/others" || code=$?
wait "$beside" || code=$?
beside=
printf '\n== %s\n' "$apart"
cat "$work/apart"
[ "$code" -eq 0 ] && exit
printf '\n== failed; one test alone: swift test --filter SUITE/FUNCTION\n'
grep -h -A 6 ' recorded an issue at \|^error: ' "$work/apart" "$work/others" |
  grep -v '^[◇✔]' || true
exit "$code"
