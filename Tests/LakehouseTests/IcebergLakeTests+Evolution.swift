import Ports
import Testing

@testable import Lakehouse

extension IcebergLakeTests {
  private static let color = TableSchema.Field("color", .string, isRequired: false)

  @Test("A column added later is null in old rows")
  func addColumn() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a", "b"]))
      try await lake.evolve(Row.table, .add("color", type: "string"))
      var batch = Row.batch(["c"])
      batch.schema = TableSchema(Row.fields + [Self.color])
      batch.columns.append(.strings(["red"]))
      let change = TableChange(id: 2, committedAt: Row.at(2), append: batch)
      _ = try await world.lake().commit(change, to: Row.table, expecting: 1)
      let rows = try await world.lake().scan(Row.table, snapshot: nil)
      #expect(rows.schema.fields == Row.fields + [Self.color])
      #expect(rows.column("color") == .strings([nil, nil, "red"]))
      let old = try await world.lake().scan(Row.table, snapshot: 1)
      #expect(old.schema.fields == Row.fields)
      #expect(Row.texts(old) == Row.texts(Row.batch(["a", "b"])))
      let filter = TableChange.RowFilter(["color": ["red", ""]])
      let delete = TableChange(id: 3, committedAt: Row.at(3), removal: .rows([filter]))
      _ = try await world.lake().commit(delete, to: Row.table, expecting: 2)
      _ = try await world.lake().compact(Row.table, id: 4, at: Row.at(4))
      let left = try await world.lake().keys()
      #expect(left == ["a", "b"])
    }
  }

  @Test("A branch is shown in the table's columns, a tag and an id in their snapshot's own")
  func columnsOfViews() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]), .append(2, ["b"]))
      try await lake.tag("tag", 1, of: Row.table)
      try await lake.edit {
        $0.references["branch"] = SnapshotReference(snapshot: 1, isBranch: true)
      }
      try await lake.evolve(Row.table, .add("color", type: "string"))
      let views = [
        try await lake.view(of: Row.table, named: "branch"),
        try await lake.view(of: Row.table, named: "tag"),
        try await lake.view(of: Row.table, snapshot: 1),
        try await lake.view(of: Row.table, asOf: Row.at(1)),
      ]
      for (index, view) in views.enumerated() {
        let rows = try await world.lake().scan(Row.table, try #require(view))
        #expect(rows.schema.fields == Row.fields + (index == 0 ? [Self.color] : []), "\(index)")
        #expect(rows.strings("key") == ["a"])
      }
      let current = try await world.lake().scan(
        Row.table, try await lake.view(of: Row.table, snapshot: nil))
      #expect(current.schema.fields == Row.fields + [Self.color])
    }
  }

  @Test("A renamed column keeps its values, under the old name in old snapshots")
  func renameColumn() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a", "b"]))
      try await lake.evolve(Row.table, .rename("key", to: "name"))
      try await lake.evolve(Row.table, .add("key", type: "string"))
      let rows = try await world.lake().scan(Row.table, snapshot: nil)
      #expect(rows.strings("name") == ["a", "b"])
      #expect(rows.column("key") == .strings([nil, nil]), "another column of the old name")
      let filter = TableChange.RowFilter([
        "name": ["a"], "number": ["\(rows.integers("number")[0])"],
      ])
      let delete = TableChange(id: 2, committedAt: Row.at(2), removal: .rows([filter]))
      _ = try await world.lake().commit(delete, to: Row.table, expecting: 1)
      let left = try await world.lake().scan(Row.table, snapshot: nil).strings("name")
      #expect(left == ["b"])
      let old = try await world.lake().keys(1)
      #expect(old == ["a", "b"])
    }
  }

  /// Makes the number an int, as another engine's table may have it.
  private static func narrow(_ lake: IcebergLake) async throws(PortError) {
    try await lake.edit { $0.schemas[0].fields[1].type = .named("int") }
  }

  @Test("A column widened from int to long reads old and new rows")
  func widenColumn() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a", "b"]))
      try await Self.narrow(lake)
      let narrow = try await world.lake().rows()
      #expect(narrow == Row.texts(Row.batch(["a", "b"])))
      try await lake.evolve(Row.table, .widen("number", to: "long"))
      var wide = Row.batch(["c"])
      wide.columns[1] = .integers([1 << 40])
      let change = TableChange(id: 2, committedAt: Row.at(2), append: wide)
      _ = try await world.lake().commit(change, to: Row.table, expecting: 1)
      let small = Row.batch(["a", "b"]).integers("number")
      let numbers = try await world.lake().scan(Row.table, snapshot: nil).integers("number")
      #expect(numbers == small + [1 << 40])
      let filter = TableChange.RowFilter(["number": ["\(1 << 40)", "\(small[0])"]])
      let delete = TableChange(id: 3, committedAt: Row.at(3), removal: .rows([filter]))
      _ = try await world.lake().commit(delete, to: Row.table, expecting: 2)
      let keys = try await world.lake().keys()
      #expect(keys == ["b"])
    }
  }

  @Test("A number too large for an int column is invalid")
  func tooLargeForInt() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare()
      try await Self.narrow(lake)
      var wide = Row.batch(["c"])
      wide.columns[1] = .integers([1 << 40])
      let change = TableChange(id: 1, committedAt: Row.at(1), append: wide)
      let error = await failure { try await lake.commit(change, to: Row.table, expecting: nil) }
      #expect(error?.code == .invalid)
      let history = try await world.lake().history()
      #expect(history.isEmpty)
    }
  }

  @Test("A change of the schema that can't be is invalid and changes nothing")
  func badEvolution() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]))
      let before = try await lake.metadata(of: Row.table)
      let attempts: [(String, () async throws(PortError) -> Void)] = [
        (
          "a name that is there",
          { () async throws(PortError) in
            try await lake.evolve(Row.table, .add("kind", type: "long"))
          }
        ),
        (
          "no such column",
          { () async throws(PortError) in
            try await lake.evolve(Row.table, .rename("nobody", to: "x"))
          }
        ),
        (
          "a name that is taken",
          { () async throws(PortError) in
            try await lake.evolve(Row.table, .rename("key", to: "kind"))
          }
        ),
        (
          "not wider",
          { () async throws(PortError) in
            try await lake.evolve(Row.table, .widen("number", to: "int"))
          }
        ),
        (
          "not a number",
          { () async throws(PortError) in
            try await lake.evolve(Row.table, .widen("key", to: "long"))
          }
        ),
      ]
      for (name, attempt) in attempts {
        let error = await failure(attempt)
        #expect(error?.code == .invalid, "\(name)")
      }
      let after = try await world.lake().metadata(of: Row.table)
      #expect(after == before)
    }
  }

  @Test("A column added again is there already")
  func addedAgain() throws {
    try simulate { world in
      try await world.lake().prepare(.append(1, ["a"]))
      try await world.lake().evolve(Row.table, .add("color", type: "string"))
      let before = try await world.lake().metadata(of: Row.table)
      try await world.lake().evolve(Row.table, .add("color", type: "string"))
      let after = try await world.lake().metadata(of: Row.table)
      #expect(after == before)
    }
  }

  @Test("Columns have ids that were never used before")
  func columnIDs() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]))
      for name in ["one", "two", "three"] {
        try await world.lake().evolve(Row.table, .add(name, type: "long"))
      }
      try await lake.evolve(Row.table, .rename("two", to: "zwei"))
      try await lake.evolve(Row.table, .rename("zwei", to: "two"))
      let fields = try await world.lake().metadata(of: Row.table).schema.fields
      #expect(fields.map(\.id) == [1, 2, 3, 4, 5, 6, 7])
      #expect(fields.suffix(3).map(\.name) == ["one", "two", "three"])
    }
  }
}
