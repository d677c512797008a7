"""Check Rehearsal's Iceberg lakes against PyIceberg and DuckDB.

Usage: lake_readers.py REHEARSAL LAKE [LAKE ...]

In each lake every state of every table must read the same in all three. Then Rehearsal compacts
and expires every table, PyIceberg writes and Rehearsal reads, and Rehearsal commits on top. The
lakes are changed. One line per check; the last line counts them; exit code 1 after a failure.
"""

import math
import sys
from collections import Counter
from datetime import date, datetime, timezone
from pathlib import Path

import duckdb
import pyarrow as pa
from pyiceberg import types as ty
from pyiceberg.expressions import EqualTo, In, IsNull
from pyiceberg.types import NestedField

from lake_engines import Lake, Refusal, expect, expect_error, multiset


class Checks(Lake):
    """A lake that counts what is checked of it."""

    def __init__(self, rehearsal, folder):
        super().__init__(rehearsal, folder)
        self.passed = self.failed = 0

    def check(self, what, body, *arguments):
        """Run one check and print its line; go on after a failure."""
        try:
            body(*arguments)
            self.passed += 1
            print(f"ok {what}", flush=True)
        except Exception as error:
            self.failed += 1
            print(f"FAILED {what}: {type(error).__name__}: {error}", flush=True)

    def formats(self, name):
        """Expect the same from Rehearsal in JSON and in CSV."""
        schema = self.catalog.load_table(name).schema().as_arrow()
        header, in_json, cells = self.scanned(name, schema)
        expect("JSON, CSV", multiset(header, in_json), multiset(header, cells))

    def history(self, name):
        """Expect the same snapshots, and the same rows in each, from all."""
        snapshots = self.catalog.load_table(name).snapshots()
        parts = ((s.snapshot_id, s.parent_snapshot_id, s.summary) for s in snapshots)
        theirs = [(id, parent, summary.operation.value) for id, parent, summary in parts]
        rows = self.json("snapshots", name)
        ours = [(row["snapshot"], row["parent"], row["operation"]) for row in rows]
        expect("snapshots of PyIceberg, Rehearsal", theirs, ours)
        for snapshot, _, _ in theirs:
            self.agree(name, snapshot)

    def filters(self, name):
        """Expect filters to find all rows: partitions, counts and bounds leave out no file."""
        table = self.catalog.load_table(name)
        rows = table.scan().to_arrow()
        source = f"iceberg_scan('{table.metadata_location}')"
        for column in rows.column_names:
            values = Counter(rows[column].to_pylist())
            found = table.scan(IsNull(column), selected_fields=(column,)).count()
            expect(f"{column} is null", values.pop(None, 0), found)
            # PyIceberg 0.11.1 finds no infinite float by a filter, in its own tables either.
            finite = sorted(value for value in values if value not in (math.inf, -math.inf))
            for value in finite if len(finite) <= 8 else finite[:2] + finite[-2:]:
                literal = value.isoformat() if isinstance(value, date) else value
                found = table.scan(EqualTo(column, literal)).count()
                expect(f"{column} = {value!r}, PyIceberg", values[value], found)
                query = f'SELECT count(*) FROM {source} WHERE "{column}" = ?'
                [found] = self.duckdb.execute(query, [value]).fetchone()
                expect(f"{column} = {value!r}, DuckDB", values[value], found)

    def compact(self, name):
        """Expect the same rows after Rehearsal compacted a table, and no deletes."""
        before = self.agree(name)
        self.command("compact", name)
        expect("rows before and after", before, self.agree(name))
        expect("delete files", 0, len(self.catalog.load_table(name).inspect.delete_files()))
        self.filters(name)

    def compact_again(self, name):
        """Expect nothing left to do for a second compaction."""
        before = self.catalog.load_table(name).metadata_location
        said = self.command("compact", name).strip()
        expect(f"metadata, '{said}'", before, self.catalog.load_table(name).metadata_location)

    def expire(self, name):
        """Expect the same rows after expiry, no other files, and old snapshots out of reach."""
        before, old = self.agree(name), self.catalog.load_table(name).snapshots()
        self.command("expire", name, "--older-than", "2100-01-01T00:00:00Z")
        expect("rows before and after", before, self.agree(name))
        table = self.catalog.load_table(name)
        kept = table.snapshots()
        reached = {snapshot.manifest_list for snapshot in kept}
        reached.update(table.inspect.all_manifests()["path"].to_pylist())
        reached.update(table.inspect.all_files()["file_path"].to_pylist())
        there = Path(table.location().removeprefix("file://")).rglob("*.*")
        files = {f"file://{file}" for file in there if file.is_file()}
        files = {file for file in files if not file.endswith(".metadata.json")}
        expect("reached but gone, there but not reached", (reached - files), (files - reached))
        for gone in {s.snapshot_id for s in old} - {s.snapshot_id for s in kept}:
            state = f"FROM iceberg_scan('{table.metadata_location}', snapshot_from_id => {gone})"
            ours = (self.command, "scan", name, "--snapshot", gone)
            expect_error(f"lake scan {gone}", Refusal, *ours)
            expect_error(f"PyIceberg of {gone}", ValueError, table.scan(snapshot_id=gone).to_arrow)
            expect_error(f"DuckDB of {gone}", duckdb.Error, self.duckdb.execute, state)

    def write_users(self):
        """Let PyIceberg change raw.users and name snapshots, and Rehearsal commit on top."""
        name, table = "raw.users", self.catalog.load_table("raw.users")
        table.append(table.scan(limit=5).to_arrow())
        self.check(f"{name}: PyIceberg appended", self.agree, name)
        table.delete(In("id", table.scan(limit=3).to_arrow()["id"].to_pylist()))
        self.check(f"{name}: PyIceberg deleted", self.agree, name)
        table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, "audit").commit()
        with table.update_schema() as update:
            update.add_column("note", ty.StringType())
        self.check(f"{name}: PyIceberg added a column", self.agree, name)
        rows = table.scan(limit=4).to_arrow().drop_columns("note")
        rows = rows.append_column("note", pa.array(["", "a", None, "ü"], pa.large_string()))
        table.append(rows)
        with table.update_schema() as update:
            update.rename_column("username", "handle")
        self.check(f"{name}: PyIceberg renamed a column", self.agree, name)
        rows = rows.rename_columns(table.schema().column_names)
        snapshot = table.current_snapshot().snapshot_id
        table.manage_snapshots().create_branch(snapshot, "trial").commit()
        table.append(rows, branch="trial")
        self.named_snapshots(name)
        self.maintain(name)
        self.named_snapshots(name)
        table.refresh().append(rows)
        self.check(f"{name}: PyIceberg appended to Rehearsal's compaction", self.agree, name)
        self.check(f"{name}: names that Rehearsal gave", self.names, name, rows)

    def names(self, name, rows):
        """Let Rehearsal make a tag and a branch, and PyIceberg commit to the branch."""
        self.command("tag", name, "ours")
        self.command("branch", name, "side")
        table = self.catalog.load_table(name)
        snapshot = table.current_snapshot().snapshot_id
        made = {key: str(ref.snapshot_ref_type) for key, ref in table.refs().items()}
        expect("kinds", {key: made.get(key) for key in ("ours", "side")},
               {"ours": "tag", "side": "branch"})
        expect("tag", table.refs()["ours"].snapshot_id, snapshot)
        table.append(rows, branch="side")
        for reference in ("ours", "side"):
            self.agree(name, reference)
        self.command("branch", name, "side", "--delete")
        table.refresh()
        expect("names", sorted({"ours", "side"} & set(table.refs())), ["ours"])

    def named_snapshots(self, name):
        """Check the states that a tag and a branch name."""
        for reference in ("audit", "trial"):
            self.check(f"{name}: {reference}", self.agree, name, reference)

    def maintain(self, name):
        """Let Rehearsal compact and expire a table."""
        for body in (self.compact, self.compact_again, self.expire):
            self.check(f"{name}: {body.__name__}", body, name)

    def run(self):
        """Run all checks."""
        spaces = self.catalog.list_namespaces()
        names = sorted(".".join(table) for s in spaces for table in self.catalog.list_tables(s))
        for name in names:
            for body in (self.agree, self.formats, self.history, self.filters):
                self.check(f"{name}: {body.__name__}", body, name)
            self.maintain(name)
        for body in (self.write_users,):
            self.check(body.__name__, body)


def main(rehearsal, *folders):
    """Check lakes and return the exit code."""
    passed = failed = 0
    for folder in folders:
        print(f"== {folder}")
        lake = Checks(rehearsal, folder)
        lake.run()
        passed += lake.passed
        failed += lake.failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: lake_readers.py REHEARSAL LAKE [LAKE ...]")
    sys.exit(main(*sys.argv[1:]))
