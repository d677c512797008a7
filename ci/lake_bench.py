"""Measure Rehearsal's lake beside PyIceberg.

Usage: lake_bench.py REHEARSAL FOLDER

Both append the same million rows to a table partitioned by day and read them again, by turns and
several times, each time in a process of its own, which warms up on a small table first; then both
make many small commits, and both stream ten million rows. The table has the medians of the rounds;
exit code 1 when a target is missed by more than a fifth.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from pyiceberg.catalog.sql import SqlCatalog

ROUNDS = 5
ROWS = 1_000_000
APPENDS = 10
COMMITS = 1000
# PyIceberg's commits take ever longer: a fifth of them is enough to see it.
PEER_COMMITS = 200
MARGIN = 1.2


def catalog(folder):
    """Open the catalog of a folder's lake."""
    folder.mkdir(parents=True, exist_ok=True)
    where = f"sqlite:///{folder}/catalog.db"
    return SqlCatalog("rehearsal", uri=where, warehouse=f"file://{folder}")


class Peer:
    """PyIceberg, with a lake of its own beside Rehearsal's, from which it has its rows."""

    def __init__(self, folder, source):
        self.catalog = catalog(folder)
        self.source = catalog(source).load_table("bench.windows")
        self.catalog.create_namespace_if_not_exists("bench")
        self.laps = []
        self.processor = 0
        self.rows = 0

    def table(self, name):
        """Return a table of Rehearsal's columns and partitions, new or not."""
        schema, spec = self.source.schema(), self.source.spec()
        make = self.catalog.create_table_if_not_exists
        return make(f"bench.{name}", schema, partition_spec=spec)

    def lap(self, body, *arguments):
        """Measure one call, and return its result."""
        wall, processor = time.perf_counter(), time.process_time()
        result = body(*arguments)
        self.laps.append(time.perf_counter() - wall)
        self.processor += time.process_time() - processor
        return result

    def warm_up(self):
        """Let modules load and threads start, as Rehearsal does with a small commit."""
        table = self.table("warm_up")
        table.append(self.source.scan(limit=100).to_arrow())
        table.scan().to_arrow()

    def append(self, count):
        """Append all rows in one commit."""
        rows, table = self.source.scan().to_arrow(), self.table("windows")
        self.lap(table.append, rows)
        self.rows = len(rows)

    def scan(self, count):
        """Read the table at once."""
        read = self.lap(lambda: self.catalog.load_table("bench.windows").scan().to_arrow())
        self.rows = len(read)

    def stream(self, count):
        """Read Rehearsal's table batch by batch."""
        batches = self.source.scan().to_arrow_batch_reader
        self.rows = self.lap(lambda: sum(batch.num_rows for batch in batches()))

    def commits(self, count):
        """Make small commits."""
        rows, table = self.source.scan(limit=count * 100).to_arrow(), self.table("commits")
        for start in range(0, count * 100, 100):
            self.lap(table.append, rows.slice(start, 100))
        self.rows = len(rows)

    def measured(self):
        """Return what Rehearsal prints of a step."""
        laps = sorted(self.laps)
        return {
            "rows": self.rows,
            "seconds": sum(laps),
            "cpu_seconds": self.processor,
            "p50_ms": 1000 * median(laps),
            "first_100_ms": 1000 * median(self.laps[:100]),
            "last_100_ms": 1000 * median(self.laps[-100:]),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def run(*command):
    """Return the last object that a command prints."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"lake_bench: {' '.join(map(str, command))}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


class Comparison:
    """The lines of the table, and whether all targets are met."""

    def __init__(self):
        self.missed = []
        self.line("", "Rehearsal", "PyIceberg", "target")

    def line(self, what, ours, theirs, target, verdict=""):
        """Print a line."""
        print(f"{what:<34}{ours:>11}{theirs:>11}  {target:<20}{verdict}".rstrip(), flush=True)

    def plain(self, what, ours, theirs):
        """Print numbers without a target."""
        self.line(what, f"{ours:.2f}", "" if theirs is None else f"{theirs:.2f}", "")

    def target(self, what, ours, theirs, limit, text):
        """Print numbers with a target, and whether it is met."""
        verdict = "ok" if ours <= limit else "close" if ours <= limit * MARGIN else "MISSED"
        if verdict == "MISSED":
            self.missed.append(what)
        theirs = "" if theirs is None else f"{theirs:.2f}"
        self.line(what, f"{ours:.2f}", theirs, text, verdict)


def in_rounds(rehearsal, folder):
    """Return what both need for appends and scans, by turns: lists of measurements by step."""
    ours, theirs = {"append": [], "scan": []}, {"append": [], "scan": []}
    for number in range(ROUNDS):
        own, other = folder / f"rehearsal-{number}", folder / f"pyiceberg-{number}"
        for step in ours:
            steps = ("commits", step, "--commits", 1, "--format", "json")
            ours[step].append(run(rehearsal, "lake", "bench", own, *steps))
            theirs[step].append(run(sys.executable, "-B", __file__, step, other, own, ROWS))
    return ours, theirs


def main(rehearsal, folder):
    """Measure, print the table and return the exit code."""
    folder = Path(folder)
    table = Comparison()
    ours, theirs = in_rounds(rehearsal, folder)
    for step in ours:
        def middle(side, key):
            return median(measured[key] for measured in side[step])
        pair = middle(ours, "seconds"), middle(theirs, "seconds")
        table.target(f"{step} of {ROWS:,} rows, s", *pair, pair[1], "≤ PyIceberg")
        table.plain("  processor, s", middle(ours, "cpu_seconds"), middle(theirs, "cpu_seconds"))
        table.plain("  peak, MB", middle(ours, "peak_mb"), middle(theirs, "peak_mb"))
    own, other = folder / "rehearsal-0", folder / "pyiceberg-0"
    options = ("--commits", COMMITS, "--format", "json")
    us = run(rehearsal, "lake", "bench", own, "commits", *options)
    them = run(sys.executable, "-B", __file__, "commits", other, own, PEER_COMMITS)
    print(f"{COMMITS} commits of 100 rows; PyIceberg: {PEER_COMMITS}")
    table.target("  p50, ms", us["p50_ms"], them["p50_ms"], 15, "< 15")
    growth = [side["last_100_ms"] / side["first_100_ms"] for side in (us, them)]
    table.target("  last hundred / first hundred", *growth, 2, "≤ 2")
    processor = us["cpu_seconds"] * 1000 / COMMITS, them["cpu_seconds"] * 1000 / PEER_COMMITS
    table.plain("  processor, ms", *processor)
    table.plain("  peak, MB", us["peak_mb"], them["peak_mb"])
    more = ("append", "--appends", APPENDS - 1, "--format", "json")
    run(rehearsal, "lake", "bench", own, *more)
    us = run(rehearsal, "lake", "bench", own, "stream", "--format", "json")
    them = run(sys.executable, "-B", __file__, "stream", other, own, 0)
    if not us["rows"] == them["rows"] == APPENDS * ROWS:
        sys.exit(f"lake_bench: {us['rows']} and {them['rows']} rows of {APPENDS * ROWS}")
    table.plain(f"stream of {APPENDS * ROWS:,} rows, s", us["seconds"], them["seconds"])
    table.target("  peak, MB", us["peak_mb"], them["peak_mb"], 300, "< 300")
    if table.missed:
        print(f"lake_bench: missed: {', '.join(what.strip() for what in table.missed)}")
    return 1 if table.missed else 0


if __name__ == "__main__":
    if len(sys.argv) == 3:
        sys.exit(main(*sys.argv[1:]))
    if len(sys.argv) != 5:
        sys.exit("usage: lake_bench.py REHEARSAL FOLDER")
    peer = Peer(Path(sys.argv[2]), Path(sys.argv[3]))
    peer.warm_up()
    getattr(peer, sys.argv[1])(int(sys.argv[4]))
    print(json.dumps(peer.measured()))
