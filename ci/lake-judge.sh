#!/usr/bin/env bash
# Rehearsal's Iceberg tables before the format's own library: runs some scenarios, and lets Apache
# Iceberg for Java, in Spark, read and write their lakes. What is compared is in ci/lake_judge.py.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lake-venv.sh"
find_program "${1:?usage: ci/lake-judge.sh PATH-OF-REHEARSAL}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Installs Debian packages that are missing.
debian() {
  local run=()
  command -v apt-get >/dev/null || fail "$* is missing and there is no apt-get; install it by hand"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo; as root: apt-get install $*"
    run=(sudo)
  fi
  say "Debian packages $*"
  "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
    fail "apt-get update failed; see its message above"
  "${run[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
    fail "apt-get can't install $*; see its message above"
  echo ok
}

# The folder of a Java 17: Spark 3.5 isn't made for later ones.
find_java() {
  local home
  for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/*; do
    if grep -qs '^JAVA_VERSION="17\.' "$home/release" && [ -x "$home/bin/java" ]; then
      echo "$home"
      return
    fi
  done
}

JAVA_HOME=$(find_java)
if [ -z "$JAVA_HOME" ]; then
  debian openjdk-17-jre-headless
  JAVA_HOME=$(find_java)
  [ -n "$JAVA_HOME" ] || fail "there is no Java 17 in /usr/lib/jvm; set JAVA_HOME to one"
fi
export JAVA_HOME

sqlite=/usr/share/java/sqlite-jdbc.jar
[ -e "$sqlite" ] || debian libxerial-sqlite-jdbc-java
[ -e "$sqlite" ] || fail "libxerial-sqlite-jdbc-java is installed, but there is no $sqlite"

venv=.build/judge-venv
# Of the jar's package, 1.0.3 lacks classes.
make_venv "$venv" "${reader_pins[@]}" pyspark==3.5.9 snowpark-connect-deps-iceberg==1.0.2
iceberg=$("$venv/bin/python" -c '
from importlib.util import find_spec
from pathlib import Path
[folder] = find_spec("snowpark_connect_deps_iceberg").submodule_search_locations
[jar] = Path(folder).glob("jars/iceberg-spark-runtime-3.5_2.12-*.jar")
print(jar)') || fail "$venv lacks the jar of Iceberg for Spark; remove the folder and try again"

say "scenarios"
for scenario in concurrent-commits erasure minor-found-later; do
  "$bin" run "$scenario" --out "$work/read/$scenario" >/dev/null ||
    fail "'$bin run $scenario' failed; run it by hand in the repository's folder"
done
"$bin" run deleted-content --backends "sqlite:$work/read/deleted-content" >/dev/null ||
  fail "'$bin run deleted-content --backends sqlite:DIR' failed; run it by hand in this folder"
"$bin" run viral-burst --out "$work/written" >/dev/null
echo ok

say "judge"
mkdir "$work/spark"
"$venv/bin/python" -B "$here/lake_judge.py" \
  "$bin" "$iceberg:$sqlite" "$work/spark" "$work/written/lake" "$work"/read/*/lake
