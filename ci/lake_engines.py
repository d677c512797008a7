"""Read one of Rehearsal's Iceberg lakes with Rehearsal, PyIceberg and DuckDB."""

import csv
import io
import json
import subprocess
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import duckdb
import duckdb_extension_avro
import duckdb_extension_httpfs
import duckdb_extension_iceberg
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def canonical(value):
    """Return a text that only equal values of one type have; instants are UTC microseconds."""
    if isinstance(value, datetime):
        instant = value.replace(tzinfo=value.tzinfo or timezone.utc)
        return f"{(instant - EPOCH) // timedelta(microseconds=1)} us"
    return repr(value)


def multiset(names, rows):
    """Return column names and the rows' multiset, as engines are compared by."""
    return list(names), Counter(tuple(map(canonical, row)) for row in rows)


def of_arrow(table):
    """Return the multiset of a PyArrow table's rows."""
    return multiset(table.column_names, zip(*(column.to_pylist() for column in table.columns)))


def typed(text, kind):
    """Return what a cell of Rehearsal's CSV or JSON means in a column of an Arrow type."""
    if text is None or pa.types.is_large_string(kind) or pa.types.is_string(kind):
        return text
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(text)
    if pa.types.is_date(kind):
        return date.fromisoformat(text)
    return float(text) if pa.types.is_floating(kind) else json.loads(str(text).lower())


class Difference(Exception):
    """What two engines don't agree on."""


class Refusal(Difference):
    """A command of Rehearsal that said why it can't be done."""


def expect(what, left, right):
    """Raise a difference unless both sides are equal, showing a few of the unequal parts."""
    if left == right:
        return
    if isinstance(left, tuple) and left[0] == right[0]:
        left, right = left[1] - right[1], right[1] - left[1]
        what += f": {left.total()} rows only left, {right.total()} only right"
        left, right = list(left)[:2], list(right)[:2]
    raise Difference(f"{what}: left {left}, right {right}")


def expect_error(what, kind, body, *arguments):
    """Raise a difference unless a call raises an error of a kind."""
    try:
        body(*arguments)
    except kind:
        return
    raise Difference(f"{what} should have been an error")


class Lake:
    """One lake, as Rehearsal, PyIceberg and DuckDB see it."""

    def __init__(self, rehearsal, folder):
        self.rehearsal = rehearsal
        self.folder = Path(folder).resolve()
        where = f"sqlite:///{self.folder}/catalog.db"
        self.catalog = SqlCatalog("rehearsal", uri=where, warehouse=f"file://{self.folder}")
        self.duckdb = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        # iceberg needs the other two; by path, as LOAD by name would ask the network.
        for package in (duckdb_extension_avro, duckdb_extension_httpfs, duckdb_extension_iceberg):
            [file] = Path(package.__file__).parent.glob("extensions/*/*.duckdb_extension")
            self.duckdb.execute(f"LOAD '{file}'")
        self.duckdb.execute("SET TimeZone = 'UTC'")

    def command(self, name, *arguments):
        """Return what `rehearsal lake NAME` prints."""
        command = [self.rehearsal, "lake", name, str(self.folder), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            kind = Refusal if done.returncode in (1, 2) else Difference
            why = f"exit code {done.returncode}: {done.stderr.strip()}"
            raise kind(f"{' '.join(command)}: {why}")
        return done.stdout

    def json(self, name, *arguments, **options):
        """Return the objects that `rehearsal lake NAME --format json` prints."""
        lines = self.command(name, *arguments, "--format", "json").splitlines()
        return [json.loads(line, **options) for line in lines]

    def scanned(self, name, schema, *choice):
        """Return Rehearsal's columns, its rows in JSON and its rows in CSV, by Arrow types."""
        objects = self.json("scan", name, *choice, parse_float=str, parse_int=str)
        text = self.command("scan", name, *choice, "--format", "csv")
        header, *cells = csv.reader(io.StringIO(text))
        expect("CSV's columns", schema.names, header)
        for row in objects:
            expect("JSON's columns", schema.names, list(row))
        expect("rows in JSON and CSV", len(objects), len(cells))
        in_json = [list(map(typed, row.values(), schema.types)) for row in objects]
        # Nothing in CSV tells null and an empty text apart.
        for row, nulls in zip(cells, in_json):
            for column, value in enumerate(nulls):
                if row[column] == "" and value is None:
                    row[column] = None
        return header, in_json, [list(map(typed, row, schema.types)) for row in cells]

    def agree(self, name, choice=None):
        """Expect the same rows from all, of the current state or a snapshot or reference."""
        table = self.catalog.load_table(name)
        source, options, snapshot = f"'{table.metadata_location}'", [], None
        if choice:
            found = table.snapshot_by_name(choice) if isinstance(choice, str) else None
            snapshot = found.snapshot_id if found else choice
            source += f", snapshot_from_id => {snapshot}::UBIGINT"
            options = ["--snapshot", choice]
        arrow = table.scan(snapshot_id=snapshot).to_arrow()
        header, _, cells = self.scanned(name, arrow.schema, *options)
        expect("PyIceberg, Rehearsal", of_arrow(arrow), multiset(header, cells))
        duck = self.duckdb.execute(f"FROM iceberg_scan({source})").to_arrow_table()
        expect("PyIceberg, DuckDB", of_arrow(arrow), of_arrow(duck))
        return of_arrow(arrow)
