"""Read and write one of Rehearsal's Iceberg lakes with Apache Iceberg's Java library, in Spark."""

import os
import time
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession

from lake_engines import Lake, expect, multiset

# Spark gives instants in the process's own time zone.
os.environ["TZ"] = "UTC"
time.tzset()

KINDS = {
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "double": pa.float64(),
    "float": pa.float32(),
    "int": pa.int32(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}


def start_spark(classpath, scratch):
    """Start Spark in this process, quiet and on this machine only."""
    logging = Path(scratch, "log4j2.properties")
    # Errors that matter arrive as exceptions; those of queries that must fail would only disturb.
    logging.write_text(
        "appender.file.type = File\nappender.file.name = file\n"
        f"appender.file.fileName = {scratch}/spark.log\n"
        "appender.file.layout.type = PatternLayout\n"
        "rootLogger.level = error\nrootLogger.appenderRef.file.ref = file\n")
    java = f"-Dlog4j2.configurationFile={logging} -Duser.timezone=UTC"
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraClassPath": classpath,
        "spark.driver.extraJavaOptions": java,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.local.dir": scratch,
        "spark.sql.extensions":
            "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.warehouse.dir": f"{scratch}/warehouse",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("judge")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def hidden(value, name):
    """Return a private field of a Java object's class, or of one above it."""
    kind = value.getClass()
    while name not in [field.getName() for field in kind.getDeclaredFields()]:
        kind = kind.getSuperclass()
    field = kind.getDeclaredField(name)
    field.setAccessible(True)
    return field


class SparkLake(Lake):
    """A lake that Spark sees, too; its catalog there has our catalog's name."""

    def __init__(self, spark, rehearsal, folder):
        super().__init__(rehearsal, folder)
        self.base = spark
        self.connect("V0")

    def connect(self, version):
        """Open the catalog anew, with a version of its SQL schema."""
        # A catalog is its session's: one session for each lake.
        self.spark = self.base.newSession()
        settings = {
            "": "org.apache.iceberg.spark.SparkCatalog",
            ".type": "jdbc",
            ".uri": f"jdbc:sqlite:{self.folder}/catalog.db",
            ".warehouse": f"file://{self.folder}",
            ".jdbc.schema-version": version,
            # What others commit must be seen at once.
            ".cache-enabled": "false",
        }
        for name, value in settings.items():
            self.spark.conf.set(f"spark.sql.catalog.rehearsal{name}", value)

        self.release()

    def release(self):
        """Take away the connection with which the catalog was opened; it makes another.

        Iceberg 1.10.2 looks up its tables there and leaves the result open, which pins the
        connection to that state of the file: it would see no commit of others, and make none.
        """
        # A session has no catalog before the first query of it.
        self.sql("SHOW NAMESPACES IN rehearsal")
        catalog = self.spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergCatalog(
            self.spark._jsparkSession, "rehearsal")
        pool = hidden(catalog, "connections").get(catalog)
        clients = hidden(pool, "clients").get(pool)
        while not clients.isEmpty():
            clients.poll().close()
        hidden(pool, "currentSize").setInt(pool, 0)

    def sql(self, query):
        """Return the rows of a query as Spark gives them."""
        return self.spark.sql(query).collect()

    def one(self, query):
        """Return the only row of a query, as a tuple."""
        [row] = self.sql(query)
        return tuple(row)

    def tables(self):
        """Return the names of all tables."""
        spaces = [row.namespace for row in self.sql("SHOW NAMESPACES IN rehearsal")]
        return sorted(
            f"{space}.{row.tableName}"
            for space in spaces
            for row in self.sql(f"SHOW TABLES IN rehearsal.{space}")
        )

    def java_table(self, name):
        """Return the Java library's own table object."""
        java = self.spark._jvm.org.apache.iceberg.spark.Spark3Util
        return java.loadIcebergTable(self.spark._jsparkSession, f"rehearsal.{name}")

    def spark_rows(self, name, clause=""):
        """Return the columns as Arrow types, and the rows' multiset, of a table's state."""
        frame = self.spark.sql(f"SELECT * FROM rehearsal.{name}{clause}")
        kinds = [(f.name, KINDS[f.dataType.simpleString()]) for f in frame.schema.fields]
        return pa.schema(kinds), multiset(frame.columns, frame.collect())

    def same(self, name, choice=None, instant=None):
        """Expect the same rows from Spark and Rehearsal; return their multiset.

        The state is the current one, or a snapshot's, a reference's or an instant's.
        """
        clause, options = "", []
        if choice is not None:
            version = choice if isinstance(choice, int) else f"'{choice}'"
            clause, options = f" VERSION AS OF {version}", ["--snapshot", choice]
        if instant is not None:
            clause, options = f" TIMESTAMP AS OF '{instant}'", ["--as-of", instant]
        schema, rows = self.spark_rows(name, clause)
        header, in_json, cells = self.scanned(name, schema, *options)
        expect("Spark, Rehearsal's CSV", rows, multiset(header, cells))
        expect("Spark, Rehearsal's JSON", rows, multiset(header, in_json))
        return rows
