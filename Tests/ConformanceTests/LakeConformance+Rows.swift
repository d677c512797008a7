import Moderation
import Ports
import Simulation
import Testing

extension LakeConformance {
  /// Makes the table with rows a to d; image b is Soup, d is Rice at another instant.
  private static func prepare(_ lake: any Lake) async throws {
    try await lake.createTable(table, schema: schema)
    let batch = RecordBatch.rows(["a", "b", "c", "d"], categories: [nil, "Soup", "Soup", "Rice"])
    let change = TableChange(id: 1, committedAt: Sample.start, append: batch)
    _ = try await lake.commit(change, to: table, expecting: nil)
  }

  @Test("3. Rows appended by a commit survive its deletion", arguments: Adapters.lakes)
  func deleteBeforeAppend(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await Self.prepare(lake)
      let change = TableChange(
        id: 2, committedAt: Sample.start,
        removal: .rows([TableChange.RowFilter(["image_id": ["a", "b"]])]),
        append: .rows(["b", "e"]))
      let snapshot = try await lake.commit(change, to: Self.table, expecting: 1)
      #expect(snapshot.rowCount == 4)
      #expect(snapshot.operation == "overwrite")
      #expect(try await lake.images(Self.table) == ["c", "d", "b", "e"])
    }
  }

  @Test("3. An overwrite leaves only what it appends", arguments: Adapters.lakes)
  func overwrite(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await Self.prepare(lake)
      for (id, images) in [(2, ["a"]), (3, []), (4, ["x", "y"])] as [(SnapshotID, [String])] {
        let change = TableChange(
          id: id, committedAt: Sample.start, removal: .everything, append: .rows(images))
        let snapshot = try await lake.commit(change, to: Self.table, expecting: id - 1)
        #expect(snapshot.rowCount == images.count)
        #expect(try await lake.images(Self.table) == images)
      }
    }
  }

  /// Filters, and the images that they leave of a, b, c and d.
  static let removals: [(filters: [TableChange.RowFilter], left: [String])] = [
    ([TableChange.RowFilter(["category": ["Soup"]])], ["a", "d"]),
    ([TableChange.RowFilter(["category": ["Soup", "Rice"]])], ["a"]),
    ([TableChange.RowFilter(["category": ["Soup"], "image_id": ["b", "d"]])], ["a", "c", "d"]),
    (
      [
        TableChange.RowFilter(["category": ["Soup"], "image_id": ["d"]]),
        TableChange.RowFilter(["image_id": ["c"]]),
      ], ["a", "b", "d"]
    ),
    ([TableChange.RowFilter(["decided_at": ["\(Sample.at(3).microseconds)"]])], ["a", "b", "c"]),
    ([TableChange.RowFilter(["category": []])], ["a", "b", "c", "d"]),
    ([TableChange.RowFilter(["category": [""]])], ["a", "b", "c", "d"]),
    ([], ["a", "b", "c", "d"]),
  ]

  @Test(
    "3. Rows go for which all columns of any filter have one of its values; null has none",
    arguments: Adapters.lakes, removals.indices)
  func filters(adapter: Adapter<any Lake>, index: Int) throws {
    try simulate(adapter) { lake, _ in
      let (filters, left) = Self.removals[index]
      try await Self.prepare(lake)
      let change = TableChange(id: 2, committedAt: Sample.start, removal: .rows(filters))
      let snapshot = try await lake.commit(change, to: Self.table, expecting: 1)
      #expect(try await lake.images(Self.table) == left)
      #expect(snapshot.rowCount == left.count)
    }
  }

  @Test(
    "4. A snapshot keeps its rows for ever, in the order of their commits",
    arguments: Adapters.lakes)
  func timeTravel(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await lake.createTable(Self.table, schema: Self.schema)
      #expect(try await lake.scan(Self.table, snapshot: nil) == RecordBatch(schema: Self.schema))
      let changes = [
        TableChange.append(30, ["b", "a"]), .append(10, ["d", "c"]),
        TableChange(
          id: 20, committedAt: Sample.start,
          removal: .rows([TableChange.RowFilter(["image_id": ["a", "d"]])])),
        .append(40, ["a"]),
        TableChange(id: 50, committedAt: Sample.start, removal: .everything),
      ]
      let states = [["b", "a"], ["b", "a", "d", "c"], ["b", "c"], ["b", "c", "a"], []]
      var parent: SnapshotID?
      for (index, change) in changes.enumerated() {
        _ = try await lake.commit(change, to: Self.table, expecting: parent)
        parent = change.id
        #expect(try await lake.images(Self.table) == states[index], "the current one")
        for (change, state) in zip(changes.prefix(index + 1), states) {
          #expect(try await lake.images(Self.table, change.id) == state, "\(change.id)")
        }
      }
    }
  }

  /// Bounds with the rows that lie in them; `views` are 0 to 3, and null in d.
  static let selections: [(bounds: RowSelection.Bounds?, images: [String])] = [
    (nil, ["a", "b", "c", "d", "e"]), (.init("views", 1...2), ["b", "c"]),
    (.init("views", 3...9), ["e"]), (.init("views", -5...0), ["a"]),
    (.init("views", 10...20), []), (.init("views", .min ... .max), ["a", "b", "c", "e"]),
    (
      .init("decided_at", Sample.at(1).microseconds...Sample.at(2).microseconds),
      ["b", "c"]
    ),
  ]

  @Test("4. A selection has its rows and columns only", arguments: Adapters.lakes)
  func selection(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      var schema = Self.schema
      schema.fields[1].isRequired = false
      try await lake.createTable(Self.table, schema: schema)
      var parent: SnapshotID?
      for (id, images, views) in [
        (1, ["a", "b"], [0, 1]), (2, ["c", "d", "e"], [2, nil, 3]),
      ] as [(SnapshotID, [String], [Int64?])] {
        var batch = RecordBatch.rows(images)
        batch.schema = schema
        batch.columns[1] = .integers(views)
        batch.columns[3] = .integers(views.map { Sample.at($0 ?? 99).microseconds })
        let change = TableChange(id: id, committedAt: Sample.at(id), append: batch)
        _ = try await lake.commit(change, to: Self.table, expecting: parent)
        parent = id
      }
      for (bounds, images) in Self.selections {
        let rows = try await lake.scan(
          Self.table, RowSelection(columns: ["risk", "image_id", "gone"], bounds: bounds))
        #expect(rows.strings("image_id") == images, "\(String(describing: bounds))")
        #expect(rows.schema.fields.map(\.name) == ["image_id", "risk"])
        let all = try await lake.scan(Self.table, RowSelection(bounds: bounds))
        #expect(all.strings("image_id") == images)
        #expect(all.schema == schema)
      }
      let old = try await lake.scan(
        Self.table, RowSelection(snapshot: 1, bounds: .init("views", 1...9)))
      #expect(old.strings("image_id") == ["b"])
      for column in ["gone", "risk", "image_id"] {
        let failed = await code {
          try await lake.scan(Self.table, RowSelection(bounds: .init(column, 0...1)))
        }
        #expect(failed == .invalid, "\(column)")
      }
    }
  }

  @Test("4. Rows come back as they were, nulls too", arguments: Adapters.lakes)
  func roundTrip(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      let batches = [
        RecordBatch.rows(["", "é\"\n", "😀"], categories: [nil, "", "Soup"]),
        RecordBatch.rows(["x"], categories: ["Rice"]),
      ]
      try await lake.createTable(Self.table, schema: Self.schema)
      for (index, batch) in batches.enumerated() {
        let change = TableChange(
          id: SnapshotID(index + 1), committedAt: Sample.start, append: batch)
        _ = try await lake.commit(change, to: Self.table, expecting: index == 0 ? nil : 1)
      }
      var expected = batches[0]
      expected.append(batches[1])
      let rows = try await lake.scan(Self.table, snapshot: nil)
      #expect(rows.schema == Self.schema)
      #expect(rows.count == 4)
      for row in 0..<rows.count {
        for column in Self.schema.fields.indices {
          #expect(
            rows.text(row: row, column: column) == expected.text(row: row, column: column),
            "row \(row), \(Self.schema.fields[column].name)")
        }
      }
    }
  }

  /// Batches that don't fit, with what is wrong.
  static let misfits: [(fault: String, batch: RecordBatch)] = {
    func changed(_ change: (inout RecordBatch) -> Void) -> RecordBatch {
      var batch = RecordBatch.rows(["x", "y"])
      change(&batch)
      return batch
    }
    return [
      ("null in a required string", changed { $0.columns[0] = .strings(["x", nil]) }),
      ("null in a required number", changed { $0.columns[1] = .integers([nil, 1]) }),
      ("a column too few", changed { $0.columns.removeLast() }),
      ("a column of another type", changed { $0.columns[1] = .strings(["x", "y"]) }),
      ("a column too short", changed { $0.columns[4] = RecordBatch.Column(.doubles([1])) }),
      ("a validity too short", changed { $0.columns[5].validity = [true] }),
      ("another schema", changed { $0.schema.fields[0].name = "other" }),
      (
        "a schema without a required field",
        changed {
          $0.schema.fields.remove(at: 1)
          $0.columns.remove(at: 1)
        }
      ),
    ]
  }()

  @Test(
    "7. A batch that doesn't fit the schema is invalid, and nothing is committed",
    arguments: Adapters.lakes, misfits.indices)
  func misfits(adapter: Adapter<any Lake>, index: Int) throws {
    try simulate(adapter) { lake, _ in
      let (fault, batch) = Self.misfits[index]
      try await Self.prepare(lake)
      let change = TableChange(
        id: 2, committedAt: Sample.start, removal: .everything, append: batch)
      let failed = await code {
        try await lake.commit(change, to: Self.table, expecting: 1)
      }
      #expect(failed == .invalid, "\(fault)")
      #expect(try await lake.images(Self.table) == ["a", "b", "c", "d"])
      #expect(try await lake.snapshots(of: Self.table).map(\.id) == [1])
    }
  }

  @Test("7. Null in a column that isn't required fits", arguments: Adapters.lakes)
  func nullable(adapter: Adapter<any Lake>) throws {
    try simulate(adapter) { lake, _ in
      try await lake.createTable(Self.table, schema: Self.schema)
      _ = try await lake.commit(.append(1, ["a", "b", "c"]), to: Self.table, expecting: nil)
      let rows = try await lake.scan(Self.table, snapshot: nil)
      #expect(rows.column("category")?.validity == [false, false, false])
      #expect((0..<3).map { rows.column("label")?.isValid($0) } == [true, true, false])
    }
  }
}
