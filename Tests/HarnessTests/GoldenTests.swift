import Foundation
import Moderation
import Pipeline
import Testing

@testable import Harness

@Suite("Golden")
struct GoldenTests {
  private static let scores = CSVTable(
    name: "scores", columns: ["image_id", "trigger", "views", "risk_score"],
    keyColumns: ["image_id", "trigger"],
    rows: [
      ["image-10", "first", "7", "0.1"], ["hero", "viral", "110", "0.52"],
      ["image-9", "first", "3", "0.25"], ["a, \"b\"\nc", "first", "", "nan"],
    ])
  private static let golden = Golden(
    name: "viral-burst", tables: [scores], summary: "scores 4\nviral 1")

  /// The golden with `change` made to its only table.
  private static func run(_ change: (inout CSVTable) -> Void) -> Golden {
    var run = golden
    change(&run.tables[0])
    return run
  }

  /// A store in a folder of the test's own, with the golden accepted.
  private static func withStore(
    _ test: String = #function, accepting golden: Golden? = GoldenTests.golden,
    _ body: (GoldenStore, String) throws -> Void
  ) throws {
    let process = ProcessInfo.processInfo.processIdentifier
    let name = test.filter { $0.isLetter || $0.isNumber }
    let root = FileManager.default.temporaryDirectory
      .appending(path: "rehearsal-goldens-\(process)-\(name)").path
    defer {
      do {
        try FileManager.default.removeItem(atPath: root)
      } catch {
        Issue.record(error, "the temporary folder stays behind")
      }
    }
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    let store = GoldenStore(root: root)
    if let golden { _ = try store.accept(golden) }
    try body(store, root)
  }

  private static func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(filePath: path))
  }

  private static func goldenError(_ body: () throws -> Void) throws -> GoldenError {
    try #require(throws: GoldenError.self, performing: body)
  }

  @Test("What was accepted matches, and its files have the header and rows sorted by key")
  func acceptThenCompare() throws {
    try Self.withStore(accepting: nil) { store, root in
      #expect(try store.compare(Self.golden, tolerances: [:]).isMissing)
      #expect(try store.accept(Self.golden) == ["scores.csv", "summary.txt"])
      let comparison = try store.compare(Self.golden, tolerances: [:])
      #expect(comparison.matches)
      #expect(comparison.render(limit: 9, isColoured: true) == "viral-burst: matches the golden")
      let text = try String(contentsOfFile: "\(root)/viral-burst/scores.csv", encoding: .utf8)
      #expect(
        text == """
          # rehearsal golden, format 1
          image_id,trigger,views,risk_score
          "a, ""b""
          c",first,,nan
          hero,viral,110,0.52
          image-9,first,3,0.25
          image-10,first,7,0.1

          """)
      let summary = try String(contentsOfFile: "\(root)/viral-burst/summary.txt", encoding: .utf8)
      #expect(summary == "# rehearsal golden, format 1\nscores 4\nviral 1\n")
    }
  }

  @Test("Accepting again changes nothing and touches no file")
  func acceptTwice() throws {
    try Self.withStore { store, root in
      let path = "\(root)/viral-burst/scores.csv"
      let past = Date(timeIntervalSince1970: 1_000_000)
      try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: path)
      var run = Self.run { $0.rows.reverse() }
      #expect(try store.accept(run) == [])
      run.summary = "scores 5"
      #expect(try store.accept(run) == ["summary.txt"])
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.modificationDate] as? Date == past)
      let files = try FileManager.default.contentsOfDirectory(atPath: "\(root)/viral-burst")
      #expect(files.sorted() == ["scores.csv", "summary.txt"])
    }
  }

  @Test("A table that the run doesn't have any more differs, and loses its file on accept")
  func tableRemoved() throws {
    try Self.withStore { store, root in
      try Self.write("notes", "\(root)/viral-burst/README.md")
      var run = Self.golden
      run.tables[0].name = "windows"
      let comparison = try store.compare(run, tolerances: [:])
      #expect(comparison.tables.map(\.name) == ["windows", "scores"])
      #expect(comparison.tables.map(\.presence) == [.runOnly, .goldenOnly])
      #expect(comparison.counts.files == 2)
      #expect(try store.accept(run) == ["scores.csv", "windows.csv"])
      #expect(try store.compare(run, tolerances: [:]).matches)
      #expect(FileManager.default.fileExists(atPath: "\(root)/viral-burst/README.md"))
    }
  }

  @Test("Rows in another order match")
  func reorderedRows() throws {
    try Self.withStore { store, _ in
      let comparison = try store.compare(Self.run { $0.rows.reverse() }, tolerances: [:])
      #expect(comparison.matches)
    }
  }

  @Test("One changed cell is the one cell reported, by its key")
  func oneCell() throws {
    try Self.withStore { store, _ in
      let run = Self.run { $0.rows[1][3] = "0.48" }
      let comparison = try store.compare(run, tolerances: [:])
      let change = CellChange(
        table: "scores",
        key: [.init(column: "image_id", value: "hero"), .init(column: "trigger", value: "viral")],
        column: "risk_score", expected: "0.52", actual: "0.48")
      #expect(comparison.changedCells(limit: 9) == [change])
      #expect(comparison.changedCells(limit: 0) == [])
      #expect(comparison.counts.total == 1)
      #expect(!comparison.matches)
    }
  }

  @Test("Texts that Unicode calls equivalent but whose bytes differ are a difference")
  func exactText() throws {
    try Self.withStore(accepting: Self.run { $0.rows[1][2] = "é" }) { store, _ in
      let comparison = try store.compare(Self.run { $0.rows[1][2] = "e\u{301}" }, tolerances: [:])
      #expect(comparison.counts.cells == 1)
    }
  }

  @Test(
    "A tolerance compares numbers, and everything else as text",
    arguments: [
      ("0.1", "0.15", nil, false), ("0.1", "0.15", 0.06, true), ("0.1", "0.15", 0.04, false),
      ("1.0", "1", nil, false), ("1.0", "1", 0, true), ("1e2", "100", 0, true),
      ("nan", "nan", nil, true), ("nan", "NaN", 0, true), ("nan", "1", 9, false), ("", "", 1, true),
      ("", "0", 1, false), ("inf", "inf", 1, true), ("inf", "Infinity", 1, true),
      ("inf", "-inf", 1, false), ("inf", "1", 9, false), ("x", "y", 9, false), ("x", "1", 9, false),
    ] as [(String, String, Double?, Bool)])
  func tolerance(expected: String, actual: String, tolerance: Double?, isEqual: Bool) {
    func table(_ value: String) -> CSVTable {
      CSVTable(name: "t", columns: ["k", "v"], keyColumns: ["k"], rows: [["1", value]])
    }
    let difference = TableDifference(
      expected: table(expected), actual: table(actual),
      tolerances: tolerance.map { ["v": $0, "k": 9] } ?? [:])
    #expect(difference.isEmpty == isEqual)
  }

  @Test("A tolerance is for its column alone")
  func toleranceOfColumn() throws {
    try Self.withStore { store, _ in
      let run = Self.run { table in
        table.rows[1][2] = "111"
        table.rows[1][3] = "0.6"
      }
      let comparison = try store.compare(run, tolerances: ["risk_score": 0.1])
      #expect(comparison.changedCells(limit: 9).map(\.column) == ["views"])
    }
  }

  @Test("A column with a tolerance may change by so much in a run's golden, others mayn't")
  func toleranceOfRun() throws {
    var scenario = try ScenarioTexts.parsedTiny()
    func golden(_ start: Double) throws -> Golden {
      scenario.policy.heuristic.start = start
      let run = try ScenarioRun(scenario).run()
      return run.golden(Judgement(run))
    }
    scenario.golden.tolerances = ["risk_score": 0.01]
    try withTemporaryFolder("toleranceOfRun") { folder in
      let store = GoldenStore(root: folder)
      _ = try store.accept(golden(0))
      let tolerances = scenario.golden.tolerances
      #expect(try store.compare(golden(0.005), tolerances: tolerances).matches)
      let far = try store.compare(golden(0.02), tolerances: tolerances)
      #expect(far.changedCells(limit: 1).map(\.column) == ["risk_score"])
      scenario.policy.triggers.viral = 3
      #expect(try store.compare(golden(0), tolerances: tolerances).summaryDifference != nil)
    }
  }

  @Test("Added, removed and moved columns are named, and the rest still compared")
  func columns() throws {
    try Self.withStore { store, _ in
      let run = Self.run { table in
        table.columns = ["trigger", "image_id", "flags", "risk_score"]
        table.rows = table.rows.map { [$0[1], $0[0], "0", $0[3]] }
        table.rows[1][3] = "1"
      }
      let table = try #require(try store.compare(run, tolerances: [:]).tables.first)
      #expect(table.columnsAdded == ["flags"])
      #expect(table.columnsRemoved == ["views"])
      #expect(table.columnsMoved == ["trigger", "image_id"])
      #expect(table.changedCells.map(\.column) == ["risk_score"])
    }
  }

  @Test("Without a key column in the golden, rows aren't compared, and that is said")
  func missingKeyColumn() throws {
    try Self.withStore { store, _ in
      let run = Self.run { table in
        table.columns[1] = "kind"
        table.keyColumns[1] = "kind"
      }
      let comparison = try store.compare(run, tolerances: [:])
      #expect(comparison.tables.first?.missingKeyColumns == ["kind"])
      #expect(comparison.counts == comparison.tables.first?.counts)
      #expect(
        comparison.render(limit: 9, isColoured: false)
          .contains("rows weren't compared: the golden has no key column kind"))
    }
  }

  @Test(
    "Rows with one key are paired by what they share, whatever their order",
    arguments: [
      (["a", "b"], ["b", "a"], 0, 0), (["a", "b"], ["b", "c"], 1, 0),
      (["a", "b"], ["b", "b", "a"], 0, 1), (["a", "b", "c"], ["c"], 0, 2),
    ])
  func duplicateKeys(old: [String], new: [String], cells: Int, rows: Int) {
    func table(_ values: [String]) -> CSVTable {
      let rows = values.map { ["k", $0] }
      return CSVTable(name: "t", columns: ["k", "v"], keyColumns: ["k"], rows: rows)
    }
    let difference = TableDifference(expected: table(old), actual: table(new), tolerances: [:])
    #expect(difference.counts.cells == cells)
    #expect(difference.counts.rows == rows)
    #expect(difference.duplicateKeys.map(\.expectedCount) == [old.count])
    #expect(difference.duplicateKeys.map(\.actualCount) == [new.count])
  }

  @Test("Without a key, a row is on both sides or on one")
  func noKey() {
    func table(_ values: [String]) -> CSVTable {
      CSVTable(name: "t", columns: ["v"], keyColumns: [], rows: values.map { [$0] })
    }
    let difference = TableDifference(
      expected: table(["a", "b", "b"]), actual: table(["b", "c", "a"]), tolerances: [:])
    #expect(difference.rowsRemoved.map { $0.key.map(\.value) } == [["b"]])
    #expect(difference.rowsAdded.map { $0.key.map(\.value) } == [["c"]])
    #expect(difference.changedCells == [])
  }

  @Test(
    "The summary's lines are compared one by one",
    arguments: [
      ("a\nb\nc", "a\nB\nc\n", ["-b", "+B"]), ("", "a", ["+a"]), ("a\n\n", "a", ["-"]),
      ("a\nb", "b\na", ["-a", "+a"]), ("a\r\nb", "a\nb", ["-a\r", "+a"]),
    ])
  func summary(expected: String, actual: String, changes: [String]) {
    func text(_ summary: String) -> [UInt8] {
      Array(summary.utf8) + (summary.isEmpty || summary.hasSuffix("\n") ? [] : [0x0A])
    }
    let difference = SummaryDifference(expected: text(expected), actual: text(actual))
    #expect(difference.changes.map { ($0.isAdded ? "+" : "-") + $0.text } == changes)
  }

  @Test("A summary too long for a line diff is all old and all new lines")
  func longSummary() {
    let old = Array(String(repeating: "a\n", count: 1_001).utf8)
    let changes = SummaryDifference(expected: old, actual: Array("a\n".utf8)).changes
    #expect(changes.map(\.isAdded) == Array(repeating: false, count: 1_001) + [true])
  }

  @Test(
    "A file that isn't this format's golden is an error with the command that mends it",
    arguments: [
      ("scores.csv", "# rehearsal golden, format 2\na\n", GoldenError.Code.otherFormat),
      ("scores.csv", "image_id\n", .otherFormat), ("scores.csv", "", .otherFormat),
      ("summary.txt", "scores 4\n", .otherFormat),
      ("scores.csv", "# rehearsal golden, format 1\na,b\n1\n", .malformed),
    ])
  func format(file: String, text: String, code: GoldenError.Code) throws {
    try Self.withStore("format of \(file) with \(text)") { store, root in
      try Self.write(text, "\(root)/viral-burst/\(file)")
      let error = try Self.goldenError { _ = try store.compare(Self.golden, tolerances: [:]) }
      #expect(error.code == code)
      #expect(error.path == "\(root)/viral-burst/\(file)")
      #expect(error.hint.hasSuffix("run `rehearsal accept viral-burst` after a review"))
      #expect(try store.accept(Self.golden) == [file])
    }
  }

  @Test(
    "A name that leads out of the folder is an error",
    arguments: ["", ".", "..", "a/b", "../a", ".hidden", "a\nb"])
  func names(name: String) throws {
    let store = GoldenStore(root: "/nonexistent")
    var golden = Self.golden
    golden.name = name
    #expect(try Self.goldenError { _ = try store.accept(golden) }.code == .badName)
    let run = Self.run { $0.name = name }
    let error = try Self.goldenError { _ = try store.compare(run, tolerances: [:]) }
    #expect(error.code == .badName)
  }

  @Test("Two tables of one name are an error")
  func repeatedTable() throws {
    var golden = Self.golden
    golden.tables += golden.tables
    let store = GoldenStore(root: "/nonexistent")
    let error = try Self.goldenError { _ = try store.compare(golden, tolerances: [:]) }
    #expect(error.code == .badName)
  }

  @Test("A golden folder without a scenario is an orphan")
  func orphans() throws {
    try Self.withStore { store, root in
      var other = Self.golden
      other.name = "a-late-flag"
      _ = try store.accept(other)
      try Self.write("not a folder", "\(root)/README.md")
      #expect(try store.orphans(scenarios: ["viral-burst"]) == ["a-late-flag"])
      #expect(try store.orphans(scenarios: []) == ["a-late-flag", "viral-burst"])
      #expect(try store.orphans(scenarios: ["viral-burst", "a-late-flag", "new"]) == [])
      #expect(try GoldenStore(root: "\(root)/none").orphans(scenarios: []) == [])
    }
  }

  @Test("The text shows cells, rows and lines aligned, and ends with the command")
  func rendering() throws {
    try Self.withStore { store, _ in
      var run = Self.run { table in
        table.rows[1][2] = "9"
        table.rows[1][3] = ""
        table.rows[2][3] = "a\nb"
        table.rows[0][0] = "image-11"
      }
      run.summary = "scores 4\nviral 2"
      let comparison = try store.compare(run, tolerances: [:])
      #expect(
        comparison.render(limit: 2, isColoured: false) == #"""
          viral-burst: 3 cells, 2 rows, 2 summary lines differ

          scores.csv by image_id, trigger: 3 cells, 2 rows
            hero, viral  views:       110  → 9
            hero, viral  risk_score:  0.52 → ""
            … and 1 more cell
            - image-10, first  views=7 risk_score=0.1
            + image-11, first  views=7 risk_score=0.1

          summary.txt
            - viral 1
            + viral 2

          after review: rehearsal accept viral-burst
          """#)
      let all = comparison.render(limit: 9, isColoured: false)
      #expect(all.contains(#"  image-9, first  risk_score:  0.25 → a\nb"#))
      let coloured = comparison.render(limit: 9, isColoured: true)
      #expect(coloured.contains("\u{1B}[31m0.52\u{1B}[0m → \u{1B}[32m\"\"\u{1B}[0m"))
      let plain = ["\u{1B}[31m", "\u{1B}[32m", "\u{1B}[0m"].reduce(coloured) {
        $0.replacing($1, with: "")
      }
      #expect(plain == all)
    }
  }

  @Test("A missing golden and missing files are said in a line")
  func renderingOfMissing() throws {
    try Self.withStore { store, root in
      var other = Self.golden
      other.name = "new"
      #expect(
        try store.compare(other, tolerances: [:]).render(limit: 2, isColoured: false)
          == "new: no golden yet\n\nafter review: rehearsal accept new")
      try FileManager.default.removeItem(atPath: "\(root)/viral-burst/scores.csv")
      try FileManager.default.removeItem(atPath: "\(root)/viral-burst/summary.txt")
      #expect(
        try store.compare(Self.golden, tolerances: [:]).render(limit: 2, isColoured: false) == """
          viral-burst: 2 files differ

          scores.csv: no golden file; the run writes 4 rows

          summary.txt: no golden file

          after review: rehearsal accept viral-burst
          """)
    }
  }

  @Test("Long values are cut where they part")
  func longValues() throws {
    let start = String(repeating: "a", count: 200)
    try Self.withStore(accepting: Self.run { $0.rows[1][2] = start + "b" }) { store, _ in
      let comparison = try store.compare(Self.run { $0.rows[1][2] = start + "c" }, tolerances: [:])
      #expect(
        comparison.render(limit: 2, isColoured: false)
          .contains("views:  …aaaaaaaaaaaab → …aaaaaaaaaaaac\n"))
    }
  }
}
