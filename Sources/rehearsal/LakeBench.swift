import ArgumentParser
import Foundation
import Glibc
import Lakehouse
import Moderation
import ObjectStorageBackend
import Pipeline
import Ports
import SQLiteBackend
import Simulation

/// `rehearsal lake bench`.
struct LakeBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures the lake on a folder: commits, scans, memory.",
    discussion: """
      Windows of 5 minutes, the same for every run, are appended to a table partitioned by day and
      read again; then come many small commits to a table of their own. Build with `-c release`
      first. Steps go on where the folder's tables end, so each can have a process of its own, with
      its own peak memory.

      append   N commits of --rows rows each
      scan     the table in one batch
      stream   the table, one row group at a time
      commits  N commits of 100 rows each

      Examples:
        rehearsal lake bench out/bench
        rehearsal lake bench out/bench append --appends 10
        rehearsal lake bench out/bench stream --format json
      """)

  /// What can be measured.
  enum Step: String, ExpressibleByArgument, CaseIterable {
    case append, scan, stream, commits
  }

  @Argument(help: "The folder, new or of an earlier benchmark.")
  var folder: String
  @Argument(help: "append, scan, stream, commits: all of them unless named.")
  var steps = Step.allCases
  @Option(help: "Rows of an append.")
  var rows = 1_000_000
  @Option(help: "How many appends.")
  var appends = 1
  @Option(help: "How many commits of 100 rows.")
  var commits = 1000
  @Option(help: "table, csv or json.")
  var format = CellFormat.table

  func validate() throws {
    guard rows > 0, appends > 0, commits > 0 else {
      throw ValidationError("--rows, --appends and --commits must be at least 1.")
    }
  }

  func run() throws {
    let path = URL(fileURLWithPath: folder).standardizedFileURL.path
    var table = CellTable(LakeMeasurement.columns)
    for step in steps {
      let bench = try WindowBench(path)
      let (rows, appends, commits) = (rows, appends, commits)
      let measured = try Blocking.run { () async throws(PortError) in
        switch step {
        case .append: try await bench.append("windows", rows, times: appends)
        case .scan: try await bench.scan("windows")
        case .stream: try await bench.stream("windows")
        case .commits: try await bench.append("commits", 100, times: commits)
        }
      }
      table.append(measured.cells(step.rawValue))
    }
    table.print(format)
  }
}

/// A lake in a folder, with tables of windows to measure.
private struct WindowBench {
  private let lake: IcebergLake

  init(_ path: String) throws {
    do {
      let objects = try FolderObjectStore(path: path, durability: .deferred)
      let catalog = try SQLiteTableCatalog(
        try SQLiteDatabase(path: "\(path)/catalog.db"), catalog: LakeFolder.catalogName)
      lake = IcebergLake(
        objects: objects, catalog: catalog, warehouse: "file://\(path)",
        time: VirtualClock(start: ProcessingTime(microseconds: BenchWindows.start.microseconds)))
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: '\(path)' can't be written: \(error)")
    }
  }

  func append(
    _ name: String, _ count: Int, times: Int
  ) async throws(PortError) -> LakeMeasurement {
    let table = TableName("bench", name)
    try await lake.createTable(table, schema: LakeTables.windowSchema)
    let last = try await lake.snapshots(of: table).last
    var (parent, start) = (last?.id, last?.rowCount ?? 0)
    var windows = BenchWindows(from: start)
    var measured = LakeMeasurement()
    for _ in 0..<times {
      let batch = windows.next(count)
      let id = SnapshotID(start + count)
      // The windows' own time, so that the same commits write the same files.
      let change = TableChange(
        id: id, committedAt: EventTime(microseconds: batch.integers("processed_at").last ?? 0),
        append: batch)
      let lap = Lap()
      _ = try await lake.commit(change, to: table, expecting: parent)
      measured.add(lap, rows: count)
      (parent, start) = (id, start + count)
    }
    return measured
  }

  func scan(_ name: String) async throws(PortError) -> LakeMeasurement {
    var measured = LakeMeasurement()
    let lap = Lap()
    let rows = try await lake.scan(TableName("bench", name), snapshot: nil)
    // The rows are let go after the clock has stopped, as in a program that needs them.
    withExtendedLifetime(rows) { measured.add(lap, rows: rows.count) }
    return measured
  }

  func stream(_ name: String) async throws(PortError) -> LakeMeasurement {
    var measured = LakeMeasurement()
    var rows = 0
    let lap = Lap()
    try await lake.batches(TableName("bench", name), snapshot: nil) { rows += $0.count }
    measured.add(lap, rows: rows)
    return measured
  }
}

/// Rows of the window table: those of each window side by side, as the job writes them.
private struct BenchWindows {
  private static let images = 10_000
  private static let rowsPerWindow = 868
  static let start = EventTime(microseconds: 1_767_571_200_000_000)
  private static let length = 300_000_000

  private let images: [String]
  private var random: SeededRandom
  private var row: Int

  /// The windows after the first `row` rows of a table.
  init(from row: Int) {
    let streams = RandomStreams(seed: 1)
    var ids = streams.stream("images")
    images = (0..<Self.images).map { _ in
      ImageID(randomBits: ids.next(), ids.next()).description
    }
    random = streams.stream("windows from \(row)")
    self.row = row
  }

  mutating func next(_ count: Int) -> RecordBatch {
    let starts = (row..<row + count).map { row in
      Self.start.microseconds + Int64(row / Self.rowsPerWindow * Self.length)
    }
    row += count
    let ends = starts.map { $0 + Int64(Self.length) }
    return RecordBatch(
      schema: LakeTables.windowSchema,
      columns: [
        .init(.strings(starts.map { _ in images[random.below(images.count)] })),
        .init(.integers(starts)), .init(.integers(ends)),
        .init(.integers(starts.map { _ in Int64(1 + random.below(50)) })),
        .init(.integers(ends.map { $0 + 1_500_000 })),
      ])
  }
}

/// A stopwatch for wall and processor time.
private struct Lap {
  private let wall = Stopwatch.now
  private let processor = Self.processorSeconds

  var seconds: (wall: Double, processor: Double) {
    (Stopwatch.seconds(since: wall), Self.processorSeconds - processor)
  }

  /// User and system time of all threads of the process.
  private static var processorSeconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return [usage.ru_utime, usage.ru_stime].reduce(0) {
      $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
    }
  }
}

/// What a step took.
private struct LakeMeasurement {
  static let columns = [
    "step", "rows", "seconds", "cpu_seconds", "commits", "p50_ms", "p99_ms", "first_100_ms",
    "last_100_ms", "peak_mb",
  ]

  private var rows = 0
  private var laps: [Double] = []
  private var processor = 0.0

  /// Begins with the memory that the process has now.
  init() { Self.resetPeak() }

  mutating func add(_ lap: Lap, rows: Int) {
    let (seconds, processor) = lap.seconds
    self.rows += rows
    laps.append(seconds)
    self.processor += processor
  }

  /// One row of the table. Of hundreds of commits it has the medians, too: on a disk that others
  /// use, a mean is about the few that had to wait.
  func cells(_ step: String) -> [Cell] {
    [
      .text(step), .integer(Int64(rows)), Self.rounded(laps.reduce(0, +)),
      Self.rounded(processor), .integer(Int64(laps.count)), Self.milliseconds(laps[...], 0.5),
      Self.milliseconds(laps[...], 0.99), Self.milliseconds(laps.prefix(100), 0.5),
      Self.milliseconds(laps.suffix(100), 0.5), Self.peakMegabytes.map(Self.rounded) ?? .null,
    ]
  }

  /// The time that a share of the laps stays within.
  private static func milliseconds(_ laps: ArraySlice<Double>, _ share: Double) -> Cell {
    rounded(laps.sorted()[Int(share * Double(laps.count - 1))] * 1000)
  }

  private static func rounded(_ value: Double) -> Cell {
    .number((value * 1000).rounded() / 1000)
  }

  /// Linux forgets the largest resident size at this word; elsewhere it stays the process's.
  private static func resetPeak() {
    // Without the right to it the peak is the whole process's.
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
  }

  /// The largest resident size since ``resetPeak()``, in units of 2²⁰ bytes; nil where there is no
  /// `/proc`.
  private static var peakMegabytes: Double? {
    // Without the file there is nothing to report.
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }
    return kilobytes.map { $0 / 1024 }
  }
}
