#!/usr/bin/env bash
# The tests in the debug build, in two processes side by side; what failed is said again at the end.
#
# Simulations block the threads of a process's pool, for a minute at times. Suites that need a free
# one, or have time limits in real time, have a process of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=ci/lake-venv.sh
. ci/lake-venv.sh
apart='EscapeTests|SimulationThreadsTests|LiveBackendTests|KafkaMock|KafkaFarewell|RedisFailure'

work=$(mktemp -d)
beside=
trap '[ -z "$beside" ] || kill "$beside" 2>/dev/null || true; rm -rf "$work"' EXIT

swift build --build-tests
say "$apart, meanwhile the others"
swift test --skip-build --ignore-lock --filter "$apart" >"$work/apart" 2>&1 &
beside=$!
code=0
swift test --skip-build --ignore-lock --skip "$apart" 2>&1 | tee "$work/others" || code=$?
wait "$beside" || code=$?
beside=
say "$apart"
cat "$work/apart"
# What wasn't played is said where it is read.
cat "$work/apart" "$work/others" >"$work/all"
grep '^➜.* skipped: ' "$work/all" || true
echo "skipped: $(grep -c '^➜.* skipped\.$' "$work/all" || true) tests that need servers (make test-live)"
[ "$code" -eq 0 ] && exit
failures "$work/apart" "$work/others"
exit "$code"
