# Makes the Python environment with the other engines that read and write our lakes, and puts its
# folder into `venv`. For `source`, from a script that has `say` and `fail`.
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
