"""What Spark writes into one of Rehearsal's lakes, step by step.

After each step the table must be healthy: the same rows, snapshots and files for both. Each story
has tables of its own, so that a failure in one leaves the others as they are.
"""

import json
from datetime import timezone
from pathlib import Path

from lake_engines import Difference, Refusal, expect

MERGE_ON_READ = (
    "ALTER TABLE {t} SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read', "
    "'write.update.mode' = 'merge-on-read', 'write.merge.mode' = 'merge-on-read', "
    "'write.delete.granularity' = 'file')")

ROWS = [
    ("append", "INSERT INTO {t} SELECT concat(id, '-2'), upper(username), NULL, year_of_birth, "
     "true, created_at + INTERVAL 1 MICROSECOND FROM {t} WHERE year_of_birth > 1980"),
    ("delete by rewriting", "DELETE FROM {t} WHERE id LIKE '%9-2'"),
    ("settings", MERGE_ON_READ),
    ("delete by position", "DELETE FROM {t} WHERE id LIKE '3%'"),
    ("update", "UPDATE {t} SET username = concat(username, '!') WHERE year_of_birth < 1990"),
    ("merge", "MERGE INTO {t} t USING (SELECT id, length(username) AS size FROM {t} "
     "WHERE id LIKE 'a%') s ON t.id = s.id WHEN MATCHED AND size > 7 THEN DELETE "
     "WHEN MATCHED THEN UPDATE SET country_of_residence = 'FR' "
     "WHEN NOT MATCHED THEN INSERT (id, username, is_test_account, created_at) "
     "VALUES (s.id, 'never', false, current_timestamp())"),
    ("tag", "ALTER TABLE {t} CREATE TAG audit"),
    ("branch", "ALTER TABLE {t} CREATE BRANCH trial"),
    ("one delete file for several data files",
     "ALTER TABLE {t} SET TBLPROPERTIES ('write.delete.granularity' = 'partition')"),
    ("delete by position, again", "DELETE FROM {t} WHERE id LIKE '7%'"),
    ("append to a branch", "INSERT INTO {t}.branch_trial SELECT concat(id, '-3'), username, "
     "country_of_residence, NULL, is_test_account, created_at FROM {t} WHERE id LIKE 'b%'"),
    ("delete from a branch", "DELETE FROM {t}.branch_trial WHERE id LIKE 'c%'"),
]

UPKEEP = [
    ("rewrite_position_delete_files", "CALL rehearsal.system.rewrite_position_delete_files("
     "table => '{n}', options => map('rewrite-all', 'true'))"),
    ("rewrite_data_files", "CALL rehearsal.system.rewrite_data_files("
     "table => '{n}', options => map('rewrite-all', 'true'))"),
    ("rewrite_manifests", "CALL rehearsal.system.rewrite_manifests('{n}')"),
    ("append after Rehearsal", "INSERT INTO {t} SELECT concat(id, '-4'), username, 'DE', 2001, "
     "false, created_at FROM {t} WHERE id LIKE 'e%'"),
    ("delete by position in Rehearsal's file", "DELETE FROM {t} WHERE id LIKE 'f%'"),
]

COLUMNS = [
    ("settings", MERGE_ON_READ),
    ("add columns", "ALTER TABLE {t} ADD COLUMNS (note STRING COMMENT 'why \"so\"', small INT, "
     "ratio FLOAT)"),
    ("append", "INSERT INTO {t} SELECT concat(id, '-2'), user_id, source, caption, category, "
     "created_at, NULL, views, caption, CAST(views AS INT), CAST(views / 3 AS FLOAT) FROM {t}"),
    ("rename a column", "ALTER TABLE {t} RENAME COLUMN caption TO title"),
    ("widen int to long", "ALTER TABLE {t} ALTER COLUMN small TYPE BIGINT"),
    ("widen float to double", "ALTER TABLE {t} ALTER COLUMN ratio TYPE DOUBLE"),
    ("append wide values", "INSERT INTO {t} SELECT concat(id, '-3'), user_id, source, title, "
     "category, created_at, NULL, views, note, 9000000000 + views, views / 7 FROM {t} "
     "WHERE note IS NOT NULL"),
    ("delete by a widened column", "DELETE FROM {t} WHERE small % 5 = 0 OR ratio < 3"),
    ("move columns", "ALTER TABLE {t} ALTER COLUMN note FIRST"),
    ("move a column after another", "ALTER TABLE {t} ALTER COLUMN views AFTER id"),
    ("allow null", "ALTER TABLE {t} ALTER COLUMN source DROP NOT NULL"),
    ("drop a column", "ALTER TABLE {t} DROP COLUMN category"),
    ("add it again as another", "ALTER TABLE {t} ADD COLUMN category STRING"),
    ("identifier", "ALTER TABLE {t} SET IDENTIFIER FIELDS id"),
    ("order", "ALTER TABLE {t} WRITE ORDERED BY created_at DESC NULLS LAST, bucket(4, id)"),
    ("append in order", "INSERT INTO {t} SELECT NULL, concat(id, '-5'), views, user_id, NULL, "
     "NULL, created_at, NULL, NULL, NULL, 'new' FROM {t} WHERE views > 5"),
    ("overwrite", "INSERT OVERWRITE {t} SELECT * FROM {t} WHERE views <> 7"),
    ("delete by position", "DELETE FROM {t} WHERE views % 3 = 0"),
]

# Values that partitions and bounds go wrong with: instants before 1970, text that folders can't
# hold, characters beyond 16 bits, numbers below 0.
ODD = (
    "INSERT INTO {t} VALUES ('a/b c=%&?', 'üü', NULL, true, "
    "TIMESTAMP '1969-12-31 23:59:59.999999', -1, -1), "
    "('" + "𝒳𝒴" * 9 + "', '𝒳', '', false, "
    "TIMESTAMP '1900-02-28 01:02:03.000004', 0, -9223372036854775000), "
    "('" + "\U0010ffff" * 18 + "', "
    "'', 'x', true, TIMESTAMP '2100-12-31 23:00:00', 7, 9223372036854775807), "
    "('odd', ' ', '\uffff', true, TIMESTAMP '1970-01-01 00:00:00', -7, 0), "
    "('', 'null', 'null', false, TIMESTAMP '2026-02-28 12:00:00', 1, 49)")

# Changes of a table's partitions, and what each new dimension's values must be.
PARTITIONS = [
    (["ADD PARTITION FIELD kafka_partition", "ADD PARTITION FIELD bucket(4, event_id)"],
     {"kafka_partition": "kafka_partition",
      "event_id_bucket_4": "rehearsal.system.bucket(4, event_id)"}),
    (["DROP PARTITION FIELD event_id_bucket_4",
      "ADD PARTITION FIELD truncate(1, image_id) AS first",
      "ADD PARTITION FIELD days(event_time)"],
     {"first": "rehearsal.system.truncate(1, image_id)",
      "event_time_day": "rehearsal.system.days(event_time)"}),
    (["REPLACE PARTITION FIELD event_time_day WITH months(event_time) AS month",
      "DROP PARTITION FIELD first", "DROP PARTITION FIELD kafka_partition",
      "ADD PARTITION FIELD truncate(50, kafka_offset) AS offsets"],
     {"month": "rehearsal.system.months(event_time)",
      "offsets": "rehearsal.system.truncate(50, kafka_offset)"}),
    (["REPLACE PARTITION FIELD month WITH hours(event_time)", "DROP PARTITION FIELD offsets",
      "ADD PARTITION FIELD user_id"],
     {"event_time_hour": "rehearsal.system.hours(event_time)", "user_id": "user_id"}),
    (["REPLACE PARTITION FIELD event_time_hour WITH years(event_time)",
      "DROP PARTITION FIELD user_id", "ADD PARTITION FIELD bucket(3, kafka_offset) AS spread",
      "ADD PARTITION FIELD actor_eligible"],
     {"event_time_year": "rehearsal.system.years(event_time)",
      "spread": "rehearsal.system.bucket(3, kafka_offset)", "actor_eligible": "actor_eligible"}),
]

KINDS = (
    "CREATE TABLE {t} (id INT NOT NULL, ratio FLOAT, big BIGINT, real DOUBLE, "
    "local TIMESTAMP_NTZ, instant TIMESTAMP, flag BOOLEAN, text STRING) USING iceberg")

EXTREMES = (
    "INSERT INTO {t} VALUES "
    "(-2147483648, FLOAT('-3.4028235E38'), -9223372036854775808, -1.7976931348623157E308D, "
    "TIMESTAMP_NTZ '0001-01-01 00:00:00', TIMESTAMP '1677-09-21 00:12:44', false, ''), "
    "(2147483647, FLOAT('3.4028235E38'), 9223372036854775807, 1.7976931348623157E308D, "
    "TIMESTAMP_NTZ '9999-12-31 23:59:59.999999', TIMESTAMP '9999-12-31 23:59:59.999999', true, "
    "'\u0001 \"\\\\,'), "
    "(0, FLOAT('0.1'), 0, 0.1D, TIMESTAMP_NTZ '1969-12-31 23:59:59.999999', "
    "TIMESTAMP '1969-12-31 23:59:59.999999', NULL, 'null'), "
    "(1, FLOAT('1.4E-45'), 1, 4.9E-324D, NULL, NULL, true, 'ü𝒳'), "
    "(2, FLOAT('16777217'), 2, 9007199254740993D, NULL, NULL, true, 'a'), "
    "(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")


class Stories:
    """Steps of Spark and of Rehearsal, in turn, with their checks."""

    def __init__(self, lake):
        self.lake, self.check, self.group = lake, lake.check, lake.report.group

    def run(self, names):
        """Tell the stories of these names, or all when there are none."""
        self.lake.sql("CREATE NAMESPACE rehearsal.judge")
        stories = (
            self.rows, self.columns, self.partitions, self.dropped_source, self.least_number,
            self.kinds, self.dates, self.not_finite, self.zeros, self.version_one, self.files,
            self.zipped_metadata, self.equality_deletes, self.renamed_equality,
            self.partitioned_equality, self.statistics, self.retention, self.diff, self.refused,
            self.catalog,
        )
        if unknown := set(names) - {story.__name__ for story in stories}:
            raise SystemExit(f"lake_judge: no story is called {', '.join(sorted(unknown))}")
        for story in stories:
            if names and story.__name__ not in names:
                continue
            with self.group(f"written: {story.__name__.replace('_', ' ')}"):
                story()

    def spark(self, name, *queries):
        """Let Spark do something to a table."""
        for query in queries:
            self.lake.sql(query.format(t=f"rehearsal.{name}", n=name))

    def step(self, name, what, *queries):
        """Check that a table is healthy after Spark has done something to it."""
        def body():
            self.spark(name, *queries)
            self.lake.healthy(name)
        self.check(what, body)

    def ours(self, name, *bodies):
        """Let Rehearsal compact a table, and check it."""
        for body in bodies or (self.lake.compact, self.lake.history, self.lake.everywhere):
            self.check(f"Rehearsal: {body.__name__}", body, name)

    def at_least_one_delete(self, name):
        """Expect deletes by position: else nothing is shown."""
        query = f"SELECT count(*) FROM rehearsal.{name}.delete_files"
        expect("there are delete files", True, self.lake.one(query)[0] > 0)

    def rows(self):
        """Let Spark append, delete, update, merge, branch and look after a table."""
        lake, name = self.lake, "raw.users"
        for what, query in ROWS:
            self.step(name, what, query)
        self.check("delete files", self.at_least_one_delete, name)
        self.check("bounds", lake.bounds, name)
        self.check("history", lake.history, name)
        self.check("as of each instant", self.instants, name)
        for what, query in UPKEEP[:3]:
            self.step(name, what, query)
        self.check("history after Spark's upkeep", lake.history, name)
        self.ours(name)
        for what, query in UPKEEP[3:]:
            self.step(name, what, query)
        self.check("delete files on Rehearsal's", self.at_least_one_delete, name)
        self.ours(name)
        self.travels(name)
        self.check("filters", lake.filters, name)

    def travels(self, name):
        """Let Spark go back and forth between snapshots, and expire them."""
        lake = self.lake
        ids = [row["snapshot"] for row in lake.snapshots(name)]
        call = "CALL rehearsal.system."
        self.step(name, "rollback", f"{call}rollback_to_snapshot('{name}', {ids[3]})")
        self.check("as of each instant after the rollback", self.instants, name)
        self.step(name, "append after the rollback", UPKEEP[3][1])
        self.step(name, "set_current_snapshot", f"{call}set_current_snapshot('{name}', {ids[-1]})")
        self.step(name, "replace a tag", "ALTER TABLE {t} REPLACE TAG audit "
                  f"AS OF VERSION {ids[1]}")
        self.step(name, "fast_forward", "ALTER TABLE {t} CREATE BRANCH ahead",
                  "INSERT INTO {t}.branch_ahead SELECT * FROM {t} LIMIT 3",
                  f"{call}fast_forward('{name}', 'main', 'ahead')")
        self.check("history before expiry", lake.history, name)
        self.ours(name, lake.compact)
        self.step(name, "expire_snapshots", f"{call}expire_snapshots(table => '{name}', "
                  "older_than => TIMESTAMP '2100-01-01', retain_last => 3)")
        self.check("history after expiry", lake.history, name)
        self.ours(name, lake.expire)
        self.step(name, "drop a branch and a tag", "ALTER TABLE {t} DROP BRANCH trial",
                  "ALTER TABLE {t} DROP TAG audit")
        self.check("remove_orphan_files", self.planted, name)
        self.ours(name, lake.expire, lake.history, lake.everywhere)

    def instants(self, name):
        """Expect the same rows as of each instant at which a snapshot became current."""
        there = {row["snapshot"] for row in self.lake.snapshots(name)}
        for row in self.lake.sql(f"SELECT * FROM rehearsal.{name}.history"):
            if row.snapshot_id in there:
                instant = row.made_current_at.replace(tzinfo=timezone.utc)
                text = instant.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
                self.lake.same(name, instant=text)

    def planted(self, name):
        """Expect Spark to remove the orphan that is put there, and nothing else."""
        location = self.lake.catalog.load_table(name).location().removeprefix("file://")
        orphan = Path(location, "data", "orphan.parquet")
        orphan.write_bytes(b"PAR1")
        expect("orphans", [orphan.name], [Path(f).name for f in self.lake.orphans(name, "false")])
        expect("the orphan is there", False, orphan.exists())
        self.lake.healthy(name)

    def columns(self):
        """Let Spark change a table's columns."""
        lake, name = self.lake, "raw.images"
        for what, query in COLUMNS[:3]:
            self.step(name, what, query)
        self.ours(name, lake.compact)
        for what, query in COLUMNS[3:9]:
            self.step(name, what, query)
        self.check("history", lake.history, name)
        self.ours(name)
        for what, query in COLUMNS[9:]:
            self.step(name, what, query)
        self.spark(name, "ALTER TABLE {t} CREATE TAG before", "ALTER TABLE {t} CREATE BRANCH side",
                   "ALTER TABLE {t} ADD COLUMN late STRING")
        self.check("a tag shows its snapshot's columns", lake.same, name, "before")
        self.check("a branch shows the table's columns", lake.same, name, "side")
        self.step(name, "drop the branch", "ALTER TABLE {t} DROP BRANCH side")
        self.ours(name)
        self.check("filters", lake.filters, name)
        self.ours(name, lake.expire)

    def partitions(self):
        """Let Spark divide a table in all ways there are, one after the other."""
        lake, name = self.lake, "events.views"
        self.spark(name, MERGE_ON_READ)
        for number, (changes, dimensions) in enumerate(PARTITIONS):
            label, text = ", ".join(dimensions), " ".join(dimensions.values())
            columns = [c for c in lake.spark.table(f"rehearsal.{name}").columns if c in text]
            self.step(name, label, *(f"ALTER TABLE {{t}} {change}" for change in changes))
            self.step(name, f"{label}: append", ODD)
            self.step(name, f"{label}: delete by position",
                      f"DELETE FROM {{t}} WHERE kafka_offset % 11 = {number}")
            self.check(f"{label}: delete files", self.at_least_one_delete, name)
            self.check(f"{label}: Rehearsal: compact", lake.compact, name)
            self.check(f"{label}: values", self.placed, name, dimensions)
            self.check(f"{label}: filters", lake.filters, name, columns)
            self.step(name, f"{label}: update Rehearsal's files", "UPDATE {t} SET user_id = "
                      f"'somebody' WHERE kafka_offset % 13 = {number}")
        self.ours(name)
        self.step(name, "delete whole partitions", "DELETE FROM {t} WHERE actor_eligible = false")
        self.ours(name)
        self.ours(name, lake.expire)

    def placed(self, name, dimensions):
        """Expect every row in the partition where Iceberg's own functions put it."""
        tests = [f"_partition.{field} <=> {value}" for field, value in dimensions.items()]
        [spec] = {file.spec_id for file in self.lake.sql(
            f"SELECT spec_id FROM rehearsal.{name}.data_files")}
        lost = self.lake.sql(
            f"SELECT _partition, * FROM rehearsal.{name} WHERE NOT ({' AND '.join(tests)})")
        expect(f"rows in wrong partitions of spec {spec}", [], lost[:2])

    def kinds(self):
        """Let Spark make a table with all types that Rehearsal reads, and extreme values."""
        lake, name = self.lake, "judge.kinds"
        self.step(name, "create", KINDS)
        self.step(name, "extreme values", EXTREMES)
        self.step(name, "delete by position", MERGE_ON_READ, "DELETE FROM {t} WHERE id = 2")
        self.ours(name, lake.compact, lake.history, lake.expire)
        self.step(name, "widen", "ALTER TABLE {t} ALTER COLUMN id TYPE BIGINT",
                  "ALTER TABLE {t} ALTER COLUMN ratio TYPE DOUBLE")
        self.step(name, "append wide values", EXTREMES)
        self.ours(name, lake.compact, lake.history)
        # Of a year before 1582 Python's Spark makes another instant than Spark itself.
        self.step(name, "drop a column", "ALTER TABLE {t} DROP COLUMN local")
        self.ours(name, lake.filters)

    def dropped_source(self):
        """Expect a column that files were once divided by to be no trouble when it is gone.

        Iceberg 1.10.2 itself can't show the files of such a table, nor delete rows by position, and
        DuckDB 1.5.5 ends the whole process on it: only rows are compared.
        """
        name, insert = "judge.parts", "INSERT INTO {t} VALUES (1, 'a'), (NULL, 'b')"
        self.spark(name, "CREATE TABLE {t} (k BIGINT, v STRING) USING iceberg PARTITIONED BY (k)",
                   insert, insert, "ALTER TABLE {t} DROP PARTITION FIELD k",
                   "ALTER TABLE {t} DROP COLUMN k")
        self.check("rows", self.lake.same, name)
        self.check("Rehearsal: compact", self.lake.command, "compact", name)
        self.check("rows in the end", self.lake.same, name)

    def least_number(self):
        """Expect the least long to be no trouble where numbers are cut to multiples."""
        name = "judge.least"
        insert = "INSERT INTO {t} VALUES (-9223372036854775808), (7)"
        self.step(name, "create", "CREATE TABLE {t} (n BIGINT) USING iceberg "
                  "PARTITIONED BY (truncate(50, n))", insert, insert)
        self.check("Rehearsal: compact", self.lake.command, "compact", name)
        self.check("rows", self.lake.same, name)

    def dates(self):
        """Expect Rehearsal to show dates."""
        name = "judge.dates"
        self.spark(name, "CREATE TABLE {t} (id INT, day DATE) USING iceberg",
                   "INSERT INTO {t} VALUES (1, DATE '0001-01-01'), (2, DATE '9999-12-31'), "
                   "(3, DATE '1969-12-31'), (4, NULL)")
        self.check("scan shows dates", self.lake.same, name)

    def not_finite(self):
        """Expect infinities and what is no number to be shown and kept."""
        name = "judge.infinite"
        self.spark(name, "CREATE TABLE {t} (id BIGINT, x DOUBLE) USING iceberg",
                   "INSERT INTO {t} VALUES (1, DOUBLE('Infinity')), (2, DOUBLE('-Infinity')), "
                   "(3, DOUBLE('NaN')), (4, 1.5D), (5, NULL)", "INSERT INTO {t} VALUES (6, 0.5D)")
        _, before = self.lake.spark_rows(name)
        self.check("scan shows infinities in JSON", self.lake.same, name)
        self.check("Rehearsal: compact", self.lake.command, "compact", name)
        self.check("rows after compaction", expect, "rows before, after", before,
                   self.lake.spark_rows(name)[1])
        self.check("filters", self.lake.filters, name)
        for test, count in {"x > 1": 3, "x < 1": 2, "isnan(x)": 1}.items():
            # Spark takes what is no number for greater than all.
            self.check(test, expect, test, (count,), self.lake.one(
                f"SELECT count(*) FROM rehearsal.{name} WHERE {test}"))

    def version_one(self):
        """Let Spark make a table of format version 1, which Rehearsal's commit makes one of 2."""
        name = "judge.one"
        self.step(name, "create", "CREATE TABLE {t} (id BIGINT, v STRING) USING iceberg "
                  "PARTITIONED BY (bucket(2, id)) TBLPROPERTIES ('format-version' = '1')")
        for number in range(3):
            self.step(name, f"append {number}", "INSERT INTO {t} SELECT id, concat('v', id) "
                      f"FROM range({number * 10}, {number * 10 + 10})")
        self.step(name, "delete by rewriting", "DELETE FROM {t} WHERE id = 4")
        self.step(name, "drop a dimension", "ALTER TABLE {t} DROP PARTITION FIELD id_bucket")
        self.ours(name)
        self.step(name, "delete by position", MERGE_ON_READ, "DELETE FROM {t} WHERE id = 7")
        self.ours(name)
        self.ours(name, self.lake.expire)

    def files(self):
        """Let Spark write Parquet of several codecs, of many row groups, and others' defaults."""
        name = "judge.files"
        self.spark(name, "CREATE TABLE {t} (id BIGINT, v STRING) USING iceberg", MERGE_ON_READ)
        for codec in ("snappy", "gzip", "uncompressed", "lz4"):
            self.step(name, codec, "ALTER TABLE {t} SET TBLPROPERTIES "
                      f"('write.parquet.compression-codec' = '{codec}')",
                      f"INSERT INTO {{t}} SELECT id, concat('{codec}', id) FROM range(50)")
        self.step(name, "row groups", "ALTER TABLE {t} SET TBLPROPERTIES ("
                  "'write.parquet.row-group-size-bytes' = '4000', "
                  "'write.parquet.row-group-check-min-record-count' = '10', "
                  "'write.parquet.row-group-check-max-record-count' = '10', "
                  "'write.parquet.page-size-bytes' = '1000')",
                  "INSERT INTO {t} SELECT id, uuid() FROM range(3000)",
                  "DELETE FROM {t} WHERE id % 97 = 0")
        self.step(name, "no counts and bounds", "ALTER TABLE {t} SET TBLPROPERTIES "
                  "('write.metadata.metrics.default' = 'none')",
                  "INSERT INTO {t} SELECT id, 'none' FROM range(9)")
        self.step(name, "folders by hash", "ALTER TABLE {t} SET TBLPROPERTIES "
                  "('write.object-storage.enabled' = 'true')",
                  "INSERT INTO {t} SELECT id, 'hash' FROM range(9)")
        self.ours(name)
        self.step(name, "truncate", "TRUNCATE TABLE {t}")
        self.ours(name, self.lake.history, self.lake.expire)

    def zipped_metadata(self):
        """Expect metadata that Spark has zipped to be read."""
        name = "judge.zipped"
        self.spark(name, "CREATE TABLE {t} (id BIGINT) USING iceberg TBLPROPERTIES "
                   "('write.metadata.compression-codec' = 'gzip')", "INSERT INTO {t} VALUES (1)")
        self.check("scan", self.lake.same, name)
        self.step(name, "plain again",
                  "ALTER TABLE {t} UNSET TBLPROPERTIES ('write.metadata.compression-codec')",
                  "INSERT INTO {t} VALUES (2)")
        self.ours(name)

    def zeros(self):
        """Expect both zeros to be found in a file that Rehearsal wrote."""
        name = "judge.zeros"
        both = "INSERT INTO {t} SELECT /*+ COALESCE(1) */ * FROM VALUES (1, 0.0D), (2, -0.0D)"
        self.step(name, "create", "CREATE TABLE {t} (id INT, z DOUBLE) USING iceberg", both, both,
                  "ALTER TABLE {t} ALTER COLUMN id TYPE BIGINT")
        for moment in ("before", "after"):
            if moment == "after":
                self.check("Rehearsal: compact", self.lake.compact, name)
            for test in ("z = 0.0D", "z = -0.0D", "z <= -0.0D", "z >= 0.0D"):
                self.check(f"{moment} compaction: {test}", expect, test, (4,), self.lake.one(
                    f"SELECT count(*) FROM rehearsal.{name} WHERE {test}"))

    def equality_deletes(self):
        """Write equality deletes with the Java library, as Flink does; SQL has none."""
        lake, name = self.lake, "judge.equal"
        self.step(name, "create", "CREATE TABLE {t} (k STRING, part STRING, n BIGINT) USING "
                  "iceberg", "INSERT INTO {t} VALUES ('a', 'x', 1), ('b', 'x', 2), ('a', 'y', 3), "
                  "(NULL, 'y', 4), ('c', NULL, 5)")
        self.check("delete one key", self.delete_equal, name, ["k"], [{"k": "a"}])
        self.spark(name, "INSERT INTO {t} VALUES ('a', 'x', 6)")
        self.check("append a deleted key", lake.same, name)
        self.check("delete null", self.delete_equal, name, ["k"], [{"k": None}])
        self.check("delete by two columns", self.delete_equal, name, ["k", "part"],
                   [{"k": "b", "part": "x"}, {"k": "c", "part": "x"}])
        self.check("delete by position, too", self.delete_positions, name)
        self.check("each snapshot", self.each_snapshot, name)
        self.check("rows that are listed", lake.metadata, name)
        _, before = lake.spark_rows(name)
        self.check("Rehearsal: compact", lake.command, "compact", name)
        self.check("rows after compaction", expect, "rows before, after", before,
                   lake.same(name))
        self.check("rows that are listed after compaction", lake.metadata, name)

    def delete_positions(self, name):
        """Expect the same rows after deletes by position among those by equality."""
        self.spark(name, MERGE_ON_READ, "DELETE FROM {t} WHERE n = 6")
        self.lake.same(name)

    def each_snapshot(self, name):
        """Expect the same rows in each snapshot, however many are listed."""
        for row in self.lake.snapshots(name):
            self.lake.same(name, row["snapshot"])

    def renamed_equality(self):
        """Expect equality deletes to hold whatever their column is called."""
        name = "judge.renamed"
        self.step(name, "create", "CREATE TABLE {t} (k STRING, n BIGINT) USING iceberg",
                  "INSERT INTO {t} VALUES ('a', 1), ('b', 2)")
        self.check("delete one key", self.delete_equal, name, ["k"], [{"k": "a"}])
        self.spark(name, "ALTER TABLE {t} RENAME COLUMN k TO word")
        self.check("rows after the rename", self.lake.same, name)
        self.check("snapshots from before the rename", self.each_snapshot, name)

    def partitioned_equality(self):
        """Expect equality deletes of one partition to leave others alone."""
        name = "judge.equal_parts"
        self.step(name, "create", "CREATE TABLE {t} (k STRING, part STRING) USING iceberg "
                  "PARTITIONED BY (part)", "INSERT INTO {t} VALUES ('a', 'x'), ('b', 'x'), "
                  "('a', 'y'), ('b', 'y')")
        self.check("delete in one partition", self.delete_equal, name, ["k"], [{"k": "a"}],
                   "part=x")

    def delete_equal(self, name, columns, keys, partition=None):
        """Commit a file of equality deletes, and expect the same rows."""
        java = self.lake.spark._jvm.org.apache.iceberg
        gateway = self.lake.spark.sparkContext._gateway
        table = self.lake.java_table(name)
        schema = table.schema().select(columns)
        ids = gateway.new_array(gateway.jvm.int, len(columns))
        for index, column in enumerate(columns):
            ids[index] = table.schema().findField(column).fieldId()
        factory = java.data.GenericAppenderFactory(table.schema(), table.spec(), ids, schema, None)
        count = len(list(Path(self.lake.folder, "judge").rglob("*-equal.parquet")))
        place = f"{table.location()}/data/{count}-equal.parquet"
        file = java.encryption.EncryptedFiles.encryptedOutput(
            table.io().newOutputFile(place), java.encryption.EncryptionKeyMetadata.EMPTY)
        where = java.DataFiles.data(table.spec(), partition) if partition else None
        writer = factory.newEqDeleteWriter(file, java.FileFormat.PARQUET, where)
        for key in keys:
            record = java.data.GenericRecord.create(schema)
            for column, value in key.items():
                record.setField(column, value)
            writer.write(record)
        writer.close()
        table.newRowDelta().addDeletes(writer.toDeleteFile()).commit()
        self.lake.same(name)
        self.lake.snapshots(name)

    def statistics(self):
        """Expect Rehearsal to keep the statistics of other planners while they hold."""
        lake, name = self.lake, "raw.comments"
        self.step(name, "divide", "ALTER TABLE {t} ADD PARTITION FIELD bucket(2, id)")
        for procedure in ("compute_table_stats", "compute_partition_stats"):
            self.step(name, procedure, f"CALL rehearsal.system.{procedure}('{name}')")
        listed = len(self.metadata(name)["statistics"])
        self.check("statistics there", expect, "statistics", 1, listed)
        self.step(name, "append", MERGE_ON_READ,
                  "INSERT INTO {t} SELECT * FROM {t} WHERE id LIKE '%a%'",
                  "DELETE FROM {t} WHERE id LIKE '%b%'")
        self.ours(name)
        self.check("statistics after compaction", expect, "statistics", 1,
                   len(self.metadata(name)["statistics"]))
        self.ours(name, lake.expire)
        self.check("statistics of snapshots that are gone", self.no_dead_statistics, name)

    def no_dead_statistics(self, name):
        """Expect no statistics of snapshots that aren't there (spec, "Table Statistics")."""
        there = {row["snapshot"] for row in self.lake.snapshots(name)}
        for kind in ("statistics", "partition-statistics"):
            for entry in self.metadata(name).get(kind, []):
                expect(f"snapshot of {kind}", True, entry["snapshot-id"] in there)
                path = Path(entry["statistics-path"].removeprefix("file:"))
                expect(f"{path} is there", True, path.exists())

    def metadata(self, name):
        """Return a table's metadata file."""
        location = self.lake.catalog.load_table(name).metadata_location
        return json.loads(Path(location.removeprefix("file:")).read_text())

    def retention(self):
        """Expect Rehearsal to keep, and to heed, how long branches and tags are to be kept."""
        lake, name = self.lake, "raw.flags"
        self.step(name, "settings", MERGE_ON_READ)
        for number in range(4):
            self.step(name, f"append {number}", "INSERT INTO {t} SELECT * FROM {t} LIMIT 1")
        self.step(name, "a branch that keeps 3 snapshots",
                  "ALTER TABLE {t} CREATE BRANCH kept RETAIN 3650 DAYS "
                  "WITH SNAPSHOT RETENTION 3 SNAPSHOTS 1 DAYS")
        self.step(name, "a tag for ten years", "ALTER TABLE {t} CREATE TAG long RETAIN 3650 DAYS")
        self.step(name, "main keeps 2 snapshots",
                  "ALTER TABLE {t} REPLACE BRANCH main WITH SNAPSHOT RETENTION 2 SNAPSHOTS")
        self.check("Rehearsal: expire as branches say", self.expire_branches, name)
        self.check("Rehearsal: compaction keeps what main says", lake.compact, name)
        self.ours(name, lake.history)
        self.spark(name, "ALTER TABLE {t} SET TBLPROPERTIES ('gc.enabled' = 'false')")
        self.check("gc.enabled = false", self.refuses, "gc.enabled", "expire", name,
                   "--older-than", "2100-01-01T00:00:00Z")

    def expire_branches(self, name):
        """Expect expiry to keep the 3 snapshots that a branch asks for."""
        self.lake.expire(name)
        left = len(self.lake.snapshots(name))
        expect(f"{left} snapshots are at least 3", True, left >= 3)

    def refuses(self, word, *command):
        """Expect a command to be refused with a message that names something."""
        try:
            self.lake.command(*command)
        except Refusal as refusal:
            expect(f"'{word}' in: {refusal}", True, word in str(refusal))
            return
        raise Difference(f"{' '.join(command)} should have been refused")

    def diff(self):
        """Expect texts that only look alike, and what is no number, to be told apart and not."""
        name = "judge.alike"
        self.spark(name, "CREATE TABLE {t} (id BIGINT, v STRING, x DOUBLE) USING iceberg",
                   "INSERT INTO {t} VALUES (1, '\u00e9', DOUBLE('NaN')), "
                   "(2, 'same', DOUBLE('NaN'))",
                   "INSERT OVERWRITE {t} VALUES (1, 'e\u0301', DOUBLE('NaN')), "
                   "(2, 'same', DOUBLE('NaN'))")
        for key, changes in {"id": ["before", "after"], "id,v": ["added", "removed"]}.items():
            rows = self.lake.json("diff", name, "--from", self.lake.snapshots(name)[0]["snapshot"],
                                  "--key", key)
            self.check(f"by {key}", expect, "changes", changes, [row["change"] for row in rows])

    def refused(self):
        """Expect what Rehearsal doesn't read to be refused by name, and not to be in the way."""
        cases = {
            "three": ("format-version", "(id BIGINT) USING iceberg TBLPROPERTIES "
                      "('format-version' = '3', 'write.delete.mode' = 'merge-on-read')"),
            "orc": ("ORC", "(id BIGINT) USING iceberg TBLPROPERTIES "
                    "('write.format.default' = 'orc')"),
            "avro": ("AVRO", "(id BIGINT) USING iceberg TBLPROPERTIES "
                     "('write.format.default' = 'avro')"),
            "price": ("price", "(id BIGINT, price DECIMAL(9, 2)) USING iceberg"),
            "nest": ("nest", "(id BIGINT, nest STRUCT<a: INT, b: ARRAY<STRING>>) USING iceberg"),
        }
        for table, (word, definition) in cases.items():
            name = f"judge.{table}"
            more = {"price": ", 1.5", "nest": ", struct(1, array('x'))"}.get(table, "")
            insert = f"INSERT INTO {{t}} SELECT /*+ COALESCE(1) */ id{more} FROM range(9)"
            self.spark(name, f"CREATE TABLE {{t}} {definition}", insert, insert,
                       "DELETE FROM {t} WHERE id = 3", insert)
            for command in ("scan", "compact"):
                self.check(f"{table}: {command} names the reason", self.refuses, word, command,
                           name)
            if table != "three":
                self.check(f"{table}: snapshots", self.lake.snapshots, name)
        self.check("three: scan names the file", self.refuses, ".metadata.json", "scan",
                   "judge.three")
        self.check("three: tables", self.listed, "raw.users")
        [problem] = [row["problem"] for row in self.lake.json("tables")
                     if row["table"] == "judge.three"]
        self.check("three: its problem", expect, f"format-version in {problem}", True,
                   "format-version" in (problem or ""))
        self.spark("judge.three", "DROP TABLE {t}")

    def listed(self, name):
        """Expect a table in the list, whatever other tables are like."""
        rows = self.lake.json("tables")
        expect(f"{name} is listed", [None],
               [row["problem"] for row in rows if row["table"] == name])

    def catalog(self):
        """Let Spark make, rename and drop tables, nest namespaces, and add a view."""
        lake = self.lake
        self.spark("judge.new", "CREATE TABLE {t} (id BIGINT) USING iceberg")
        self.check("a table without snapshots", lake.healthy, "judge.new")
        self.check("Rehearsal: compact it", lake.command, "compact", "judge.new")
        self.step("judge.newer", "rename", "ALTER TABLE rehearsal.judge.new RENAME TO judge.newer",
                  "INSERT INTO {t} VALUES (1)")
        self.check("tables after a rename", self.same_tables)
        self.spark("judge.newer", "DROP TABLE {t} PURGE")
        self.check("tables after a drop", self.same_tables)
        lake.connect("V1")
        self.step("raw.users", "catalog of version 1", "INSERT INTO {t} SELECT * FROM {t} LIMIT 1")
        self.ours("raw.users")
        lake.sql("CREATE VIEW rehearsal.judge.look AS SELECT id FROM rehearsal.raw.users")
        self.check("tables beside a view", self.same_tables)
        lake.sql("DROP VIEW rehearsal.judge.look")
        lake.sql("CREATE NAMESPACE rehearsal.judge.inner")
        self.step("judge.inner.deep", "nested namespace",
                  "CREATE TABLE {t} (id BIGINT) USING iceberg", "INSERT INTO {t} VALUES (1)")
        self.check("tables of nested namespaces", self.listed, "judge.inner.deep")

    def same_tables(self):
        """Expect the same tables from Spark and Rehearsal."""
        ours = sorted(row["table"] for row in self.lake.json("tables"))
        expect("Spark's tables, Rehearsal's", self.lake.tables(), ours)
