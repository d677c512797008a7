#!/usr/bin/env bash
# The C boundary (libpq, librdkafka, hiredis, libcurl, SQLite, Arrow, zlib) under AddressSanitizer and
# LeakSanitizer: the conformance suites, the adapters' own and the lake's, on real servers.
#
#   ci/sanitize.sh
#
# Starts its own servers unless REHEARSAL_SERVICES names a folder of `ci/services.sh start`. Builds in
# .build/asan: some minutes, once.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=ci/lake-venv.sh
. ci/lake-venv.sh
# shellcheck source=ci/live-backends.sh
. ci/live-backends.sh
trap stop_services EXIT

say "building with AddressSanitizer"
swift build --build-tests --sanitize=address --scratch-path .build/asan
start_services
say "suites under AddressSanitizer and LeakSanitizer"
export ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1"
export LSAN_OPTIONS="suppressions=$PWD/ci/leaks.txt:print_suppressions=1"
swift test --skip-build --sanitize=address --scratch-path .build/asan \
  --filter 'ConformanceTests|LiveBackendTests|LakehouseTests'
