import Foundation

/// The accepted outputs of scenarios: `<root>/<name>/<table>.csv` and `summary.txt`, each after a
/// line that names the format's version.
///
/// Nothing but ``accept(_:)`` writes.
public struct GoldenStore: Sendable {
  /// The first line of every file.
  static let header = "# rehearsal golden, format 1"
  static let summaryFile = "summary.txt"

  private let root: String

  /// The goldens under a folder, which needn't exist yet.
  public init(root: String) { self.root = root }

  /// How a run's output differs from what was accepted.
  ///
  /// Rows are matched by key, whatever their order. Columns of the same name have the same
  /// tolerance in all tables.
  ///
  /// - Parameter tolerances: by column, how far apart two numbers may be, in the column's unit;
  ///   where there is none, or a value is no number, texts must be the same. None is negative.
  public func compare(
    _ golden: Golden, tolerances: [String: Double]
  ) throws(GoldenError) -> GoldenComparison {
    for (column, tolerance) in tolerances {
      precondition(tolerance >= 0, "the tolerance of '\(column)' is \(tolerance), not 0 or more")
    }
    let folder = try folder(of: golden)
    guard folder.exists else {
      return GoldenComparison(
        name: golden.name, isMissing: true, tables: [], summaryDifference: nil)
    }
    var tables: [TableDifference] = []
    for table in golden.tables {
      let difference = try difference(of: table, in: folder, tolerances: tolerances)
      if let difference { tables.append(difference) }
    }
    for file in try folder.tableFiles() where !golden.tables.contains(where: { $0.file == file }) {
      let name = String(file.dropLast(".csv".count))
      tables.append(TableDifference(name: name, presence: .goldenOnly, rowCount: nil))
    }
    return GoldenComparison(
      name: golden.name, isMissing: false, tables: tables,
      summaryDifference: try summaryDifference(of: golden, in: folder))
  }

  /// Makes a run's output the golden, rows sorted by key.
  ///
  /// Each file that changes is replaced in one step; a file that doesn't isn't touched. A table
  /// that the run doesn't have any more loses its file.
  ///
  /// - Returns: the names of the files written or removed, sorted; none the second time.
  public func accept(_ golden: Golden) throws(GoldenError) -> [String] {
    let folder = try folder(of: golden)
    try folder.create()
    var changed: [String] = []
    for (file, bytes) in golden.tables.map({ ($0.file, Self.bytes(of: $0)) })
      + [(Self.summaryFile, Self.bytes(ofSummary: golden.summary))]
    {
      if try folder.contents(of: file) == bytes { continue }
      try folder.write(bytes, to: file)
      changed.append(file)
    }
    for file in try folder.tableFiles() where !golden.tables.contains(where: { $0.file == file }) {
      try folder.remove(file)
      changed.append(file)
    }
    return changed.sorted()
  }

  /// The golden folders that no scenario has the name of, sorted.
  public func orphans(scenarios: Set<String>) throws(GoldenError) -> [String] {
    let root = GoldenFolder(path: root, golden: "")
    guard root.exists else { return [] }
    return try root.entries().filter { name in
      !name.hasPrefix(".") && !scenarios.contains(name)
        && GoldenFolder(path: "\(root.path)/\(name)", golden: name).exists
    }
  }

  /// The golden's folder, once all its names can be those of files.
  private func folder(of golden: Golden) throws(GoldenError) -> GoldenFolder {
    let folder = GoldenFolder(path: "\(root)/\(golden.name)", golden: golden.name)
    for name in [golden.name] + golden.tables.map(\.name) {
      let isBad = name.isEmpty || name.hasPrefix(".") || name.utf8.contains { $0 < 32 || $0 == 47 }
      guard isBad else { continue }
      throw GoldenError(
        code: .badName, path: folder.path,
        hint: "\(name.debugDescription) can't name a file; use letters, digits and hyphens")
    }
    let repeated = Dictionary(grouping: golden.tables, by: \.name).filter { $0.value.count > 1 }
    guard let name = repeated.keys.min() else { return folder }
    throw GoldenError(
      code: .badName, path: folder.path, hint: "two tables of the run are named '\(name)'")
  }

  private func difference(
    of table: CSVTable, in folder: GoldenFolder, tolerances: [String: Double]
  ) throws(GoldenError) -> TableDifference? {
    guard let stored = try folder.contents(of: table.file) else {
      return TableDifference(name: table.name, presence: .runOnly, rowCount: table.rows.count)
    }
    // Nearly every comparison ends here, before anything is parsed.
    if stored == Self.bytes(of: table) { return nil }
    let body = try folder.body(of: stored, in: table.file)
    let expected: CSVTable
    do {
      expected = try CSVTable(name: table.name, keyColumns: [], parsing: body, firstLine: 2)
    } catch {
      throw folder.error(
        .malformed, table.file, "\(error); restore the file, or \(folder.acceptance)")
    }
    let difference = TableDifference(expected: expected, actual: table, tolerances: tolerances)
    return difference.isEmpty ? nil : difference
  }

  private func summaryDifference(
    of golden: Golden, in folder: GoldenFolder
  ) throws(GoldenError) -> SummaryDifference? {
    guard let stored = try folder.contents(of: Self.summaryFile) else {
      return SummaryDifference(isFileMissing: true, changes: [])
    }
    let actual = Self.bytes(ofSummary: golden.summary)
    if stored == actual { return nil }
    let body = try folder.body(of: stored, in: Self.summaryFile)
    let difference = SummaryDifference(
      expected: body, actual: Array(actual.dropFirst(Self.header.utf8.count + 1)))
    return difference.changes.isEmpty ? nil : difference
  }

  private static func bytes(of table: CSVTable) -> [UInt8] {
    Array("\(header)\n".utf8) + table.sortedByKey().text
  }

  private static func bytes(ofSummary summary: String) -> [UInt8] {
    let isEnded = summary.isEmpty || summary.utf8.last == 0x0A
    return Array("\(header)\n\(summary)\(isEnded ? "" : "\n")".utf8)
  }
}

extension CSVTable {
  /// The name of the table's file.
  fileprivate var file: String { "\(name).csv" }
}

/// One folder of golden files.
private struct GoldenFolder {
  let path: String
  /// The golden's name, for the command that mends it.
  let golden: String

  var acceptance: String { "run `rehearsal accept \(golden)` after a review" }

  var exists: Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }

  func entries() throws(GoldenError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      throw GoldenError(code: .unreadable, path: path, hint: error.localizedDescription)
    }
  }

  func tableFiles() throws(GoldenError) -> [String] {
    try entries().filter { $0.hasSuffix(".csv") && !$0.hasPrefix(".") }
  }

  /// The file's bytes, or nil when there is no such file.
  func contents(of file: String) throws(GoldenError) -> [UInt8]? {
    guard FileManager.default.fileExists(atPath: "\(path)/\(file)") else { return nil }
    do {
      return [UInt8](try Data(contentsOf: URL(filePath: "\(path)/\(file)")))
    } catch {
      throw self.error(.unreadable, file, error.localizedDescription)
    }
  }

  /// What follows the line with the format's version, checked to be UTF-8.
  func body(of stored: [UInt8], in file: String) throws(GoldenError) -> [UInt8] {
    let line = stored.prefix { $0 != 0x0A }
    guard line.elementsEqual(GoldenStore.header.utf8) else {
      let seen = String(decoding: line.prefix(60), as: UTF8.self).debugDescription
      throw error(
        .otherFormat, file,
        "the first line is \(seen), not \"\(GoldenStore.header)\"; \(acceptance)")
    }
    guard String(validating: stored, as: UTF8.self) != nil else {
      throw error(.malformed, file, "the text isn't UTF-8; restore the file, or \(acceptance)")
    }
    return Array(stored.dropFirst(line.count + 1))
  }

  func create() throws(GoldenError) {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    } catch {
      throw GoldenError(code: .unwritable, path: path, hint: error.localizedDescription)
    }
  }

  func write(_ bytes: [UInt8], to file: String) throws(GoldenError) {
    do {
      // Foundation writes a temporary file in the same folder and renames it.
      try Data(bytes).write(to: URL(filePath: "\(path)/\(file)"), options: .atomic)
    } catch {
      throw self.error(.unwritable, file, error.localizedDescription)
    }
  }

  func remove(_ file: String) throws(GoldenError) {
    do {
      try FileManager.default.removeItem(atPath: "\(path)/\(file)")
    } catch {
      throw self.error(.unwritable, file, error.localizedDescription)
    }
  }

  func error(_ code: GoldenError.Code, _ file: String, _ hint: String) -> GoldenError {
    GoldenError(code: code, path: "\(path)/\(file)", hint: hint)
  }
}
