"""Judge Rehearsal's Iceberg lakes by Apache Iceberg's Java library, in Spark.

Usage: lake_judge.py REHEARSAL CLASSPATH SCRATCH WRITTEN LAKE [LAKE ...]

Spark reads each lake: rows, time travel and metadata tables must agree with Rehearsal, before and
after Rehearsal compacts and expires. Into the lake WRITTEN Spark writes what the format has, and
Rehearsal reads it and commits on top (lake_stories.py). The lakes are changed. One line per group
of checks, with the failed ones below it; the last line counts them; exit code 1 after a failure.
With STORIES="rows zeros" in the environment, only these stories are told.
"""

import json
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from lake_engines import Difference, expect
from lake_spark import SparkLake, start_spark
from lake_stories import Stories

# Failures of Rehearsal that are known, by group and check: what the message must hold, and the
# reason. One that doesn't fail any more is a failure: its entry must go.
KNOWN = {}

# What a commit of rows changes in a table's metadata; statistics go with their snapshots, and the
# schema and the specification are there once more in version 1 only.
CHANGING = {
    "current-snapshot-id", "format-version", "last-sequence-number", "last-updated-ms",
    "metadata-log", "partition-spec", "partition-statistics", "refs", "schema", "snapshot-log",
    "snapshots", "statistics",
}

# The lakes that Rehearsal compacts and expires; it takes longer than reading.
MAINTAINED = ("minor-found-later",)
FAR = "2100-01-01T00:00:00Z"


class Report:
    """Counts checks, and prints a line for each group of them."""

    def __init__(self):
        self.passed = self.failed = self.known = 0
        self.title, self.lines = "", []

    @contextmanager
    def group(self, title):
        """Name the checks within, and print their line in the end."""
        self.title, self.lines = title, []
        counts, start = (self.passed, self.failed, self.known), time.monotonic()
        try:
            yield
        except Exception as error:
            self.failed += 1
            self.lines.append(f"  between checks: {describe(error)}")
        after = (self.passed, self.failed, self.known)
        passed, failed, known = (now - before for now, before in zip(after, counts))
        verdict = "FAILED" if failed else "ok"
        parts = [f"{passed} passed"] + [f"{failed} failed"] * (failed > 0)
        parts += [f"{known} known to fail"] * (known > 0)
        print(f"{verdict} {title}: {', '.join(parts)}, {time.monotonic() - start:.0f} s")
        print("".join(f"{line}\n" for line in self.lines), end="", flush=True)

    def check(self, what, body, *arguments):
        """Run one check; go on after a failure. Return what it returned, if it passed."""
        sign, reason = KNOWN.get(f"{self.title}: {what}", (None, None))
        try:
            result = body(*arguments)
        except Exception as error:
            text = describe(error)
            if reason is None or sign not in text:
                self.failed += 1
                self.lines.append(f"  {what}: {text}")
            else:
                self.known += 1
                self.lines.append(f"  {what}: known to fail: {reason}")
            return None
        if reason is None:
            self.passed += 1
        else:
            self.failed += 1
            self.lines.append(f"  {what}: fails no more; take it out of KNOWN")
        return result


def describe(error):
    """Return an error's kind and the beginning of its text: Spark's go on with plans and stacks."""
    cause = getattr(error, "java_exception", None)
    # A Java error says least at the top.
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    text = " ".join(str(error if cause is None else cause.toString()).split())
    limit = 1200 if isinstance(error, Difference) else 500
    return f"{type(error).__name__}: {text[:limit]}"


class Judged(SparkLake):
    """A lake with what must hold of each of its tables."""

    def __init__(self, spark, rehearsal, folder, report):
        super().__init__(spark, rehearsal, folder)
        self.report, self.check = report, report.check

    def snapshots(self, name):
        """Expect the same snapshots from both; return what Rehearsal lists."""
        columns = "snapshot_id, parent_id, operation"
        table = f"rehearsal.{name}"
        theirs = [tuple(row) for row in self.sql(f"SELECT {columns} FROM {table}.snapshots")]
        rows = self.json("snapshots", name)
        ours = [(row["snapshot"], row["parent"], row["operation"]) for row in rows]
        expect("Spark's snapshots, Rehearsal's", theirs, ours)
        return rows

    def history(self, name):
        """Expect the same rows in every snapshot, branch and tag, as many as are listed."""
        for row in self.snapshots(name):
            rows = self.same(name, row["snapshot"])[1].total()
            expect(f"rows of {row['snapshot']} in Spark, in the list", rows, row["rows"])
        for row in self.sql(f"SELECT name FROM rehearsal.{name}.refs WHERE name <> 'main'"):
            self.same(name, row.name)

    def metadata(self, name):
        """Expect metadata tables to agree with each other and with Rehearsal."""
        table = f"rehearsal.{name}"
        # By content: how many files, records, bytes; 0 is data, 1 and 2 are deletes.
        files = dict.fromkeys((0, 1, 2), (0, 0, 0))
        for row in self.sql("SELECT content, count(*), sum(record_count), "
                            f"sum(file_size_in_bytes) FROM {table}.files GROUP BY 1"):
            files[row[0]] = tuple(row[1:])
        deletes = files[1][0] + files[2][0]
        [rows] = self.one(f"SELECT count(*) FROM {table}")
        [ours] = [row for row in self.json("tables") if row["table"] == name]
        expect(
            "Spark's rows, data files, delete files; Rehearsal's", (rows, files[0][0], deletes),
            tuple(ours[key] for key in ("rows", "data_files", "delete_files")))
        entries = self.sql(
            f"SELECT data_file.content, count(*) FROM {table}.entries WHERE status < 2 GROUP BY 1")
        expect("live entries, files", {row[0]: row[1] for row in entries},
               {content: row[0] for content, row in files.items() if row[0]})
        listed = self.one(
            "SELECT coalesce(sum(added_data_files_count + existing_data_files_count), 0), "
            "coalesce(sum(added_delete_files_count + existing_delete_files_count), 0) "
            f"FROM {table}.manifests")
        expect("files in manifests' counts, files", listed, (files[0][0], deletes))
        gone = 0
        if files[1][0]:
            positions, gone = self.one(
                "SELECT count(*), count(DISTINCT IF(d.file_path IS NULL, NULL, "
                f"struct(p.file_path, p.pos))) FROM {table}.position_deletes p LEFT JOIN "
                f"{table}.data_files d ON p.file_path = d.file_path")
            expect("position deletes, records of their files", positions, files[1][1])
        if not files[2][0]:
            expect("records without deleted ones, rows", files[0][1] - gone, rows)
        self.totals(name, files)

    def others(self, name):
        """Expect the metadata tables that there is nothing to compare with to load."""
        for part in (
            "all_data_files", "all_delete_files", "all_entries", "all_files", "all_manifests",
            "history", "metadata_log_entries", "partitions", "refs",
        ):
            self.sql(f"SELECT * FROM rehearsal.{name}.{part}")

    def totals(self, name, files):
        """Expect the current snapshot's summary to count what is there."""
        current = self.catalog.load_table(name).current_snapshot()
        if not current:
            return
        theirs = {
            "total-data-files": files[0][0],
            "total-records": files[0][1],
            "total-delete-files": files[1][0] + files[2][0],
            "total-position-deletes": files[1][1],
            "total-equality-deletes": files[2][1],
            "total-files-size": sum(row[2] for row in files.values()),
        }
        ours = {key: int(current.summary[key]) for key in theirs if key in current.summary}
        expect("files, the summary", {key: theirs[key] for key in ours}, ours)

    def bounds(self, name):
        """Expect the counts and bounds in manifests to hold of the rows of their files."""
        table = f"rehearsal.{name}"
        columns = self.spark.table(table).columns
        parts = ", ".join(f"min(`{c}`), max(`{c}`), count(`{c}`)" for c in columns)
        real = {
            row[0]: row[1:]
            for row in self.sql(f"SELECT _file, count(*), {parts} FROM {table} GROUP BY _file")
        }
        for file in self.sql(f"SELECT file_path, readable_metrics FROM {table}.data_files"):
            count, *values = real.get(file.file_path, [0] + [None, None, 0] * len(columns))
            for index, column in enumerate(columns):
                low, high, known = values[3 * index:3 * index + 3]
                metrics = file.readable_metrics[column]
                what = f"{column} in {file.file_path}"
                if metrics.null_value_count is not None:
                    nulls = metrics.null_value_count
                    expect(f"{what}: {nulls} nulls are enough for {count - known}",
                           True, nulls >= count - known)
                if metrics.lower_bound is not None and low is not None:
                    bound = metrics.lower_bound
                    expect(f"{what}: {bound!r} <= {low!r}", True, ordered(bound, low))
                if metrics.upper_bound is not None and high is not None and high == high:
                    bound = metrics.upper_bound
                    expect(f"{what}: {high!r} <= {bound!r}", True, ordered(high, bound))

    def filters(self, name, columns=None):
        """Expect filters of columns to find all rows: no partition and no bound hides a file."""
        table = f"rehearsal.{name}"
        for column, kind in self.spark.table(table).dtypes:
            if columns and column not in columns:
                continue
            found = self.sql(f"SELECT `{column}`, count(*) FROM {table} GROUP BY 1")
            # Spark compares a float with a double, which few are equal to.
            values = {} if kind == "float" else {row[0]: row[1] for row in found}
            nulls = self.one(f"SELECT count(*) FROM {table} WHERE `{column}` IS NULL")[0]
            expect(f"{column} IS NULL", values.pop(None, nulls), nulls)
            order = sorted((v for v in values if v == v), key=sortable)
            for value in order if len(order) <= 4 else order[:2] + order[-2:]:
                frame = self.spark.table(table)
                expect(f"{column} = {value!r}", values[value],
                       frame.filter(frame[column] == value).count())
                expect(f"{column} <= {value!r}",
                       sum(values[v] for v in order if sortable(v) <= sortable(value)),
                       frame.filter(frame[column] <= value).count())

    def healthy(self, name):
        """Expect what must hold of a table whoever wrote it last; return its rows."""
        rows = self.same(name)
        self.snapshots(name)
        self.metadata(name)
        return rows

    def everywhere(self, name):
        """Expect the same rows from PyIceberg and DuckDB, too."""
        rows = self.same(name)
        expect("rows in Spark, in PyIceberg", rows[1].total(), self.agree(name)[1].total())

    def kept(self, name, *command):
        """Let Rehearsal commit, expect the same rows as before, and a healthy table."""
        before, settings = self.same(name), self.settings(name)
        self.command(*command)
        expect("rows before, after", before, self.healthy(name))
        after = self.settings(name)
        for key in settings | after:
            expect(f"{key} in the metadata, before and after", settings.get(key), after.get(key))

    def settings(self, name):
        """Return what a commit of rows must leave as it is in a table's metadata."""
        location = self.catalog.load_table(name).metadata_location.removeprefix("file:")
        metadata = json.loads(Path(location).read_text())
        kept = {key: value for key, value in metadata.items() if key not in CHANGING}
        for name, reference in metadata.get("refs", {}).items():
            kept[f"ref {name}"] = {**reference, "snapshot-id": None}
        return kept

    def compact(self, name):
        """Expect compaction by Rehearsal to keep the rows, and to leave no deletes."""
        self.kept(name, "compact", name)
        deletes = self.one(f"SELECT count(*) FROM rehearsal.{name}.delete_files")[0]
        expect("delete files after compaction", 0, deletes)
        self.bounds(name)

    def expire(self, name):
        """Expect expiry by Rehearsal to keep the rows, and no files that nobody reaches."""
        self.kept(name, "expire", name, "--older-than", FAR)
        expect("orphans that Spark finds", [], self.orphans(name))

    def orphans(self, name, dry="true"):
        """Return the files of a table's folder that Spark calls orphans."""
        folder = self.catalog.load_table(name).location().removeprefix("file:").lstrip("/")
        for file in Path("/", folder).rglob("*"):
            # Spark takes no file that is younger than a day.
            os.utime(file, (1_600_000_000, 1_600_000_000))
        found = self.sql(
            "CALL rehearsal.system.remove_orphan_files("
            f"table => '{name}', older_than => TIMESTAMP '2021-01-01', dry_run => {dry})")
        return [row[0] for row in found]

    def judge(self, maintain):
        """Read all tables, and let Rehearsal maintain them if asked to."""
        lake = self.folder.parent.name
        names = self.tables()
        with self.report.group(f"{lake}: catalog"):
            listed = sorted(row["table"] for row in self.json("tables"))
            self.check("tables", expect, "Spark's tables, Rehearsal's", names, listed)
        for name in names:
            with self.report.group(f"{lake}, {name}, read"):
                for body in (self.same, self.history, self.metadata, self.others, self.bounds):
                    self.check(body.__name__, body, name)
            if maintain:
                with self.report.group(f"{lake}, {name}, maintained"):
                    oldest = self.snapshots(name)[0]["snapshot"]
                    self.sql(f"ALTER TABLE rehearsal.{name} CREATE TAG old AS OF VERSION {oldest}")
                    self.check("tag", self.same, name, "old")
                    for body in (self.compact, self.expire, self.history, self.everywhere):
                        self.check(body.__name__, body, name)


def sortable(value):
    """Return what Spark orders a value by: text by its bytes."""
    return value.encode() if isinstance(value, str) else value


def ordered(low, high):
    """Say whether two values of one column are in order."""
    return sortable(low) <= sortable(high)


def main(rehearsal, classpath, scratch, written, *folders):
    """Judge lakes and return the exit code."""
    report, start = Report(), time.monotonic()
    spark = start_spark(classpath, scratch)
    version = spark._jvm.org.apache.iceberg.IcebergBuild.version()
    print(f"Spark {spark.version}, Iceberg {version}, {time.monotonic() - start:.0f} s", flush=True)
    stories = os.environ.get("STORIES", "").split()
    for folder in [] if stories else folders:
        lake = Judged(spark, rehearsal, folder, report)
        lake.judge(maintain=lake.folder.parent.name in MAINTAINED)
    Stories(Judged(spark, rehearsal, written, report)).run(stories)
    spark.stop()
    print(f"{report.passed} passed, {report.failed} failed, {report.known} known to fail, "
          f"{time.monotonic() - start:.0f} s")
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit("usage: lake_judge.py REHEARSAL CLASSPATH SCRATCH WRITTEN LAKE [LAKE ...]")
    sys.exit(main(*sys.argv[1:]))
