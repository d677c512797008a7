#!/usr/bin/env bash
# Models trained by Rehearsal beside scikit-learn, on tables that PyIceberg wrote: coefficients,
# intercept and scaler to the last bit, onnxruntime's probabilities, and the speed on a million rows.
#
#   ci/model-parity.sh PROGRAM [ROWS]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=ci/lake-venv.sh
. ci/lake-venv.sh
find_program "${1:-.build/release/rehearsal}"
rows=${2:-1000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make_python

say "models beside scikit-learn"
"$venv/bin/python" -B ci/model_parity.py "$bin" "$work" "$rows"
