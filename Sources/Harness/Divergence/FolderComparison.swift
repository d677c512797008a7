import Foundation

/// Two output folders, from two processes, backends or commits, compared file by file.
public struct FolderComparison: Sendable {
  private let first: String
  private let second: String

  /// The folders; each must be there.
  public init(_ first: String, _ second: String) throws(FolderError) {
    for folder in [first, second] {
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory),
        isDirectory.boolValue
      else { throw FolderError(description: "there is no folder '\(folder)'") }
    }
    self.first = first
    self.second = second
  }

  /// The first line of any file in which they differ, the trace's before all others: it says where
  /// the two went apart. `summary.json` has wall time, and isn't compared.
  public func firstDifferentByte() throws(FolderError) -> Divergence? {
    let names = try files(of: first).union(files(of: second))
    for name in ["trace.jsonl"] + names.sorted() where name != "summary.json" {
      if let divergence = try lines(of: name) { return divergence }
    }
    return nil
  }

  /// The first event in which they differ: in the trace if both have one, then in `events.jsonl`,
  /// then in the CSV tables, row by row under their keys, then in the database's tables.
  ///
  /// The lake's files hold their own addresses, and aren't compared; what they say is in the
  /// tables.
  public func firstDifferentEvent(readsTrace: Bool = true) throws(FolderError) -> Divergence? {
    let names = (try files(of: first), try files(of: second))
    let trace = "trace.jsonl"
    if readsTrace, names.0.contains(trace), names.1.contains(trace),
      let divergence = try lines(of: trace)
    {
      return divergence
    }
    if let divergence = try lines(of: "events.jsonl") { return divergence }
    for (table, key) in Self.tables {
      if let divergence = try rows(of: table, by: key, names) { return divergence }
    }
    let rows = names.0.union(names.1).filter { $0.hasPrefix("tables/") }.sorted()
    for name in rows {
      if let divergence = try lines(of: name) { return divergence }
    }
    return nil
  }

  /// The CSV tables with their keys, from what happens first to what follows from it.
  static let tables: [(name: String, key: [String])] = [
    ("triggers", ["image_id", "trigger", "at"]),
    ("scores", ["request_id", "as_of", "inference_mode"]),
    ("windows", ["table", "image_id", "window_start"]),
    ("training_data", ["image_id", "decision_point_minutes"]),
    ("skew", ["feature", "decision_point_minutes"]),
  ]

  private func files(of folder: String) throws(FolderError) -> Set<String> {
    do {
      return Set(try FileManager.default.subpathsOfDirectory(atPath: folder))
    } catch {
      throw FolderError(description: "'\(folder)' can't be read: \(error)")
    }
  }

  // MARK: Lines

  /// The first line in which a file differs; a missing file is an empty one.
  private func lines(of name: String) throws(FolderError) -> Divergence? {
    let left = FileManager.default.contents(atPath: "\(first)/\(name)") ?? Data()
    let right = FileManager.default.contents(atPath: "\(second)/\(name)") ?? Data()
    guard left != right else { return nil }
    guard String(validating: left, as: UTF8.self) != nil,
      String(validating: right, as: UTF8.self) != nil
    else {
      let offset = Divergence.index(left.count, right.count) {
        left[left.startIndex + $0] == right[right.startIndex + $0]
      }
      return Divergence(
        place: "\(name) at byte \(offset ?? 0)", common: [],
        first: "\(left.count) bytes", second: "\(right.count) bytes", fields: [])
    }
    let a = left.split(separator: 10, omittingEmptySubsequences: false)
    let b = right.split(separator: 10, omittingEmptySubsequences: false)
    guard let index = Divergence.index(a.count, b.count, isSame: { a[$0] == b[$0] }) else {
      return nil
    }
    func line(_ lines: [Data], _ index: Int) -> String? {
      // After the last line end there is no line.
      let isEnd = index >= lines.count || (index == lines.count - 1 && lines[index].isEmpty)
      return isEnd ? nil : String(decoding: lines[index], as: UTF8.self)
    }
    let start = max(0, index - Divergence.commonLines)
    return Divergence(
      place: "\(name) line \(index + 1)",
      common: a[start..<index].map { String(decoding: $0, as: UTF8.self) },
      first: line(a, index), second: line(b, index))
  }

  // MARK: Rows

  /// The first row in which a table differs, in natural order of its key; the rows' order in the
  /// files doesn't matter.
  private func rows(
    of name: String, by key: [String], _ names: (Set<String>, Set<String>)
  ) throws(FolderError) -> Divergence? {
    let file = "\(name).csv"
    guard names.0.contains(file) || names.1.contains(file) else { return nil }
    guard names.0.contains(file), names.1.contains(file) else {
      let sides = [names.0, names.1].map { $0.contains(file) ? "has the file" : "has no such file" }
      return Divergence(place: file, common: [], first: sides[0], second: sides[1])
    }
    return Divergence(
      of: try table(name, in: first), and: try table(name, in: second), by: key)
  }

  private func table(_ name: String, in folder: String) throws(FolderError) -> CSVTable {
    let path = "\(folder)/\(name).csv"
    let bytes = FileManager.default.contents(atPath: path) ?? Data()
    do {
      return try CSVTable(
        name: name, keyColumns: [], parsing: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw FolderError(description: "\(path): \(error)")
    }
  }
}

/// Why folders can't be compared; exit code 2.
public struct FolderError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The folder and what is wrong.
  public var description: String
}

extension Divergence {
  /// The first row, in natural order of the key, in which two tables differ; nil when none does.
  init?(of first: CSVTable, and second: CSVTable, by key: [String]) {
    guard first.columns == second.columns else {
      self.init(
        place: "\(first.name).csv, the columns", common: [],
        first: first.columns.joined(separator: ","), second: second.columns.joined(separator: ","))
      return
    }
    let columns = first.indices(of: key)
    let groups = RowOrder.groups(
      RowOrder(of: first, by: columns, among: Array(first.rows.indices)),
      RowOrder(of: second, by: columns, among: Array(second.rows.indices)))
    var common: [[String]] = []
    for (left, right) in groups {
      let (a, b) = (left.map { first.rows[$0] }, right.map { second.rows[$0] })
      guard let place = Self.index(a.count, b.count, isSame: { a[$0] == b[$0] }) else {
        common += a
        continue
      }
      let sides = (place < a.count ? a[place] : nil, place < b.count ? b[place] : nil)
      let row = sides.0 ?? sides.1 ?? []
      self.init(
        place: "\(first.name).csv row " + columns.map { row[$0] }.joined(separator: ","),
        common: common.suffix(Self.commonLines).map { $0.joined(separator: ",") },
        first: sides.0?.joined(separator: ","), second: sides.1?.joined(separator: ","),
        fields: Self.cells(first.columns, sides.0, sides.1))
      return
    }
    return nil
  }

  /// The cells that differ, where both have the row.
  private static func cells(_ columns: [String], _ a: [String]?, _ b: [String]?) -> [Field] {
    guard let a, let b else { return [] }
    return columns.indices.filter { a[$0] != b[$0] }.map {
      Field(name: columns[$0], first: a[$0], second: b[$0])
    }
  }
}
