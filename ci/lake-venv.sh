# Sourced by the checks: what they say, and the Python environments they run in.

say() { printf '\n== %s\n' "$1"; }
fail() {
  echo "$(basename "$0" .sh): $1" >&2
  exit 1
}

# What failed of `swift test`, once more, so that it stands at the end: FILE-OF-ITS-OUTPUT...
failures() {
  say "failed; one test alone: swift test --filter SUITE/FUNCTION"
  grep -h -A 6 ' recorded an issue at \|^error: ' "$@" | grep -v '^[◇✔]' || true
}

# Makes `bin`, the program's full path, of the first argument.
find_program() {
  [ -x "$1" ] || fail "there is no program '$1'; build it with: swift build -c release"
  bin=$(realpath "$1")
  [ -d scenarios ] || fail "no folder 'scenarios' is here; run this in the repository's folder"
}

# Makes a virtual environment of exactly these packages, unless it is there: FOLDER PIN...
make_venv() {
  local venv=$1
  shift
  [ "$(cat "$venv/pins" 2>/dev/null)" != "$*" ] || return 0
  say "packages in $venv"
  command -v python3 >/dev/null ||
    fail "there is no python3; on Debian: apt-get install python3-venv"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$(python3 --version) is too old; put Python 3.11 or newer first in PATH"
  python3 -c 'import ensurepip, venv' 2>/dev/null ||
    fail "python3 makes no virtual environments; on Debian: apt-get install python3-venv"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" ||
    fail "pip can't install the packages; see its message above, or set PIP_INDEX_URL to a mirror"
  echo "$*" >"$venv/pins"
  echo ok
}

# What reads a lake beside Rehearsal.
reader_pins=(
  "pyiceberg[sql-sqlite,pyarrow]==0.11.1"
  "duckdb==1.5.5"
  "duckdb-extension-avro==1.5.5"
  "duckdb-extension-httpfs==1.5.5"
  "duckdb-extension-iceberg==1.5.5"
)

# Those, and what learns beside Rehearsal, in one environment: most of both is PyIceberg and Arrow.
make_python() {
  venv=$PWD/.build/python-venv
  make_venv "$venv" "${reader_pins[@]}" scikit-learn==1.9.1 pandas==2.3.3 onnxruntime==1.32.0 \
    onnx==1.23.2
}
