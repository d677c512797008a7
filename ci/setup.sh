#!/usr/bin/env bash
# Installs what the build needs and this machine lacks. Idempotent; says what it does; asks for
# root (sudo) only when something is missing and it isn't root already.
set -euo pipefail

fail() { printf 'setup: %s\n' "$1" >&2; exit 1; }

if ! command -v swift >/dev/null 2>&1; then
  fail "swift isn't on PATH. Install Swift 6.3 from https://www.swift.org/install/linux, then run this again."
fi
version=$(swift --version 2>&1 | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -1)
read -r major minor <<<"${version:-0 0}"
if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 2 ]; }; then
  fail "Swift $major.$minor is too old: 6.2 or later is needed (6.3 is what CI runs)."
fi

# What the toolchain's Foundation, the Swift packages and the program link against, and what the
# lake's independent readers (PyIceberg, DuckDB) are installed with.
packages=(
  git make libcurl4-openssl-dev libxml2-dev zlib1g-dev libsqlite3-dev libmimalloc-dev python3-venv
  libpq-dev librdkafka-dev libhiredis-dev libssl-dev
)
missing=()
for package in "${packages[@]}"; do
  if ! dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed'; then
    missing+=("$package")
  fi
done
# Arrow C++, for Parquet: no Debian package of it. Goes last, on every way out of this script.
arrow() { bash "$(dirname "$0")/arrow.sh"; }
if [ "${#missing[@]}" -eq 0 ]; then
  arrow
  exit 0
fi

command -v apt-get >/dev/null 2>&1 || fail "these packages are missing and there is no apt-get: ${missing[*]}"
run=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || fail "not root and no sudo; as root: apt-get install ${missing[*]}"
  run=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
arrow
