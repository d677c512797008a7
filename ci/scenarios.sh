#!/usr/bin/env bash
# Whole scenarios with the release build: every golden, every scenario twice in two processes,
# 200 interleavings, outages of every service, crashes at every step of the jobs, seeds of the
# explorer, and a replay of a day's events that must give the day's own outputs again.
set -euo pipefail
bin=${1:?usage: ci/scenarios.sh PATH-OF-REHEARSAL}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '\n== %s\n' "$1"; }

# Two commands side by side, each an argument; what they say comes one after the other.
both() {
  local code=0
  bash -c "$2" >"$work/second" 2>&1 &
  local second=$!
  bash -c "$1" || code=$?
  wait "$second" || code=$?
  cat "$work/second"
  return "$code"
}

say "goldens"
"$bin" check --junit "$work/junit.xml"

say "two processes, byte for byte"
names=$("$bin" list | awk '{ print $1 }')
both "$bin check-determinism $(awk 'NR % 2' <<<"$names" | xargs)" \
  "$bin check-determinism $(awk 'NR % 2 == 0' <<<"$names" | xargs)"

say "a scenario that changes between two processes is told"
sed 's/^name: .*/name: moving/' scenarios/poison-records.yaml >"$work/moving.base"
cp "$work/moving.base" "$work/moving.yaml"
while :; do
  sed "s/^seed: .*/seed: $RANDOM/" "$work/moving.base" >"$work/moving.next"
  mv "$work/moving.next" "$work/moving.yaml"
  sleep 0.01
done &
moving=$!
code=0
"$bin" check-determinism "$work/moving.yaml" >"$work/moved" 2>&1 || code=$?
kill "$moving"
wait "$moving" 2>/dev/null || true
if [ "$code" -ne 1 ] || ! grep -q 'trace.jsonl line 1$' "$work/moved"; then
  echo "two processes that played two seeds weren't told apart ($code)" >&2
  exit 1
fi
echo ok

say "200 seeded interleavings"
both "$bin check-determinism viral-burst --schedules 200" \
  "$bin check-determinism normal-traffic --schedules 200"

say "each service away for an hour, other instances, batches and ticks"
"$bin" check-faults viral-burst normal-traffic --outages
if "$bin" check-faults lab-semantics --outages >"$work/outages" 2>&1 ||
  ! grep -q '^  scores row' "$work/outages"; then
  echo "an outage doesn't show under the lab's immediate scoring" >&2
  cat "$work/outages" >&2
  exit 1
fi

say "every operation of every job, crashed after and its reply lost"
both "$bin check-faults job-faults --kind crash" "$bin check-faults job-faults --kind lost-reply"

say "400 seeds of the explorer, ended in the middle and gone on with"
"$bin" explore swarm --seeds 400 --out "$work/explore" >/dev/null 2>"$work/killed" &
campaign=$!
sleep 4
kill -9 "$campaign"
wait "$campaign" 2>/dev/null || true
"$bin" explore swarm --seeds 400 --out "$work/explore" | tee "$work/explored"
if ! grep -Eq '400 seeds, [1-9][0-9]* played before' "$work/explored"; then
  echo "the campaign began anew" >&2
  exit 1
fi
if grep -q 'Fatal error' "$work/killed"; then
  echo "a worker crashed when its campaign was killed" >&2
  exit 1
fi

say "a lab's defect is found, made small, and red again"
mkdir -p "$work/lab"
sed -e 's/^name: .*/name: leaky/' -e 's/^policy: {/policy: { publish: direct,/' \
  scenarios/swarm.yaml >"$work/lab/leaky.yaml"
if "$bin" explore leaky --seeds 40 --scenarios "$work/lab" --out "$work/explore" >"$work/found"; then
  echo "the explorer found nothing" >&2
  exit 1
fi
sed -n '/^FAIL/,$p' "$work/found"
for file in "$work"/lab/regressions/*.yaml; do
  if "$bin" run "$file" >/dev/null 2>&1; then
    echo "$file is green" >&2
    exit 1
  fi
done

say "another seed gives other traffic"
"$bin" run normal-traffic --out "$work/seed-a" >/dev/null
"$bin" run normal-traffic --seed 8 --out "$work/seed-b" >/dev/null
if cmp -s "$work/seed-a/events.jsonl" "$work/seed-b/events.jsonl"; then
  echo "two seeds gave the same events" >&2
  exit 1
fi
echo ok

say "a day's events, replayed"
"$bin" run day-of-traffic --out "$work/day" >/dev/null
"$bin" replay --events "$work/day/events.jsonl" --tables "$work/day/tables" \
  --scenario day-of-traffic --out "$work/again" >/dev/null
for file in triggers windows training_data skew; do
  cmp "$work/day/$file.csv" "$work/again/$file.csv"
done
# scored_at, the fifth column, is when the scorer got to a request: not part of what is replayed.
cmp <(cut -d, -f1-4,6- "$work/day/scores.csv") <(cut -d, -f1-4,6- "$work/again/scores.csv")
echo "ok: $(wc -l <"$work/day/events.jsonl") events"

say "explanations and divergences"
"$bin" why viral-burst --score hero,viral
"$bin" why "$work/seed-b" --row image-1,5m --json | python3 -c 'import json, sys; json.load(sys.stdin)'
"$bin" diverge "$work/day" "$work/day"

say "models compared, and features against the training set"
"$bin" run shadow-compare --out "$work/shadow" >/dev/null
"$bin" compare "$work/shadow" --limit 3
# By the planted truth, whatever the labels say.
"$bin" compare "$work/shadow" | awk '$1 == "planted" { found = 1; if ($5 <= $4 + 0.1) exit 1 }
  END { exit !found }' || { echo "the model ranks planted images no better" >&2; exit 1; }
"$bin" run lab-semantics --out "$work/lab-run" >/dev/null
"$bin" skew "$work/lab-run" --feature views_5min
if "$bin" skew "$work/lab-run" --max-smape 0.01 >/dev/null 2>&1; then
  echo "the lab's skew stays within a bound that it exceeds" >&2
  exit 1
fi

say "exit codes"
expect() {
  local want=$1 got=0
  shift
  "$@" >/dev/null 2>&1 || got=$?
  if [ "$got" -ne "$want" ]; then
    echo "expected exit $want, got $got: $*" >&2
    exit 1
  fi
}
printf 'name: cut\nabout: Cut off.\nduration: 1h\ntraffic:\n  - poisson: { rate: 3' >"$work/cut.yaml"
printf 'name: red\nabout: Fails.\nduration: 1m\nexpect:\n  - { count: events, at_least: 99999 }\n' >"$work/red.yaml"
printf '{"event_type": "view"\n' >"$work/bad.jsonl"
expect 0 "$bin" run poison-records
expect 0 bash -c "$bin run poison-records 2>&-"
# Files of 8 KiB at the most, as on a full disk.
expect 2 bash -c "trap '' XFSZ; ulimit -f 8; $bin run poison-records --out $work/full"
mkdir -p "$work/blocked/scores.csv"
expect 2 "$bin" run poison-records --out "$work/blocked"
cp -r golden "$work/golden"
echo rubbish >"$work/golden/poison-records/scores.csv"
expect 2 "$bin" check poison-records --golden "$work/golden"
expect 2 "$bin" bench --events 9999999999
expect 1 "$bin" run "$work/red.yaml"
expect 2 "$bin" run "$work/cut.yaml"
expect 2 "$bin" run no-such-scenario
expect 2 "$bin" check-determinism viral-burst --processes 1
expect 2 "$bin" check-determinism viral-burst --processes 3 --schedules 2
expect 2 "$bin" check-determinism viral-burst --schedules=-1
expect 2 "$bin" check-determinism viral-burst --schedules 0
expect 2 "$bin" check-faults viral-burst --outages --kind crash
expect 2 "$bin" explore swarm --seeds 9..3
expect 2 "$bin" explore swarm --seeds 99999999999
expect 2 "$bin" explore swarm --shard 1/0
expect 2 "$bin" explore swarm --minutes=-1
expect 2 "$bin" run viral-burst --no-such-flag
expect 1 "$bin" diverge "$work/seed-a" "$work/seed-b"
expect 2 "$bin" diverge "$work/seed-a" "$work/nowhere"
expect 2 "$bin" why viral-burst --score nobody,viral
expect 2 "$bin" skew "$work/nowhere"
expect 2 "$bin" compare "$work/shadow" --model v9
expect 2 "$bin" predict "$work/nowhere" --catalog "sqlite:$work/nowhere.db"
expect 2 "$bin" replay --events "$work/bad.jsonl"
expect 2 "$bin" replay --events "$work/nowhere.jsonl"
echo ok
