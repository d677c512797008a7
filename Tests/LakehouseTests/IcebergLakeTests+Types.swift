import Ports
import Testing

@testable import Lakehouse

extension IcebergLakeTests {
  /// A table whose columns another engine gave types that memory has no column of its own for.
  private static func narrow(_ lake: IcebergLake) async throws(PortError) {
    let fields = [
      TableSchema.Field("int", .int64), .init("date", .int64, isRequired: false),
      .init("time", .int64), .init("float", .double), .init("timestamp", .timestamp),
    ]
    try await lake.createTable(Row.table, schema: TableSchema(fields))
    try await lake.edit { metadata in
      for index in metadata.schemas[0].fields.indices {
        metadata.schemas[0].fields[index].type = .named(metadata.schemas[0].fields[index].name)
      }
    }
  }

  private static func narrowRows(_ lake: IcebergLake) async throws(PortError) -> RecordBatch {
    var batch = try await lake.scan(Row.table, snapshot: nil)
    batch.columns = [
      .integers([Int64(Int32.min), 0, Int64(Int32.max)]), .integers([-1, nil, 20_000]),
      .integers([0, 1, 86_399_999_999]), .init(.doubles([0.1, -2.5, .infinity])),
      .integers([Row.start, -1, 0]),
    ]
    return batch
  }

  /// Numbers of a type and their text.
  static let texts: [(type: String, number: Int64, text: String?)] = [
    ("date", 0, "1970-01-01"), ("date", -1, "1969-12-31"), ("date", 20_458, "2026-01-05"),
    ("date", -719_162, "0001-01-01"), ("date", 2_932_896, "9999-12-31"),
    ("date", 2_932_897, "@2932897"), ("date", .min, "@-9223372036854775808"),
    ("time", 0, "00:00:00.000000"), ("time", 86_399_999_999, "23:59:59.999999"),
    ("time", 86_400_000_000, "@86400000000"), ("time", -1, "@-1"),
    ("timestamp", -1, "1969-12-31T23:59:59.999999Z"),
    ("timestamptz", 0, "1970-01-01T00:00:00.000000Z"), ("long", 0, nil), ("int", 7, nil),
  ]

  @Test("Days, times and instants have an ISO text", arguments: texts.indices)
  func isoTexts(index: Int) {
    let (type, number, text) = Self.texts[index]
    #expect(IcebergType.named(type).text(of: number) == text)
  }

  @Test("int, date, time, float and timestamp columns are written as they are, and read again")
  func narrowColumns() throws {
    try simulate { world in
      let lake = world.lake()
      try await Self.narrow(lake)
      let rows = try await Self.narrowRows(lake)
      let change = TableChange(id: 1, committedAt: Row.at(1), append: rows)
      _ = try await lake.commit(change, to: Row.table, expecting: nil)
      var expected = rows
      expected.columns[3] = .init(.doubles([Double(Float(0.1)), -2.5, .infinity]))
      let read = try await world.lake().scan(Row.table, snapshot: nil)
      #expect(read == expected)
      let file = try await lake.live().data[0].file
      let reader = try ParquetFile.Reader(try await world.objects.get(world.key(file.path)))
      #expect(
        reader.fields.map(\.typeName)
          == ["int32", "date32[day]", "time[us]", "float", "timestamp[us]"])
      #expect(file.lowerBounds[1]?.count == 4)
      _ = try await lake.commit(
        TableChange(
          id: 2, committedAt: Row.at(2), removal: .rows([.init(["date": ["20000"]])])),
        to: Row.table, expecting: 1)
      let left = try await world.lake().scan(Row.table, snapshot: nil).integers("int")
      #expect(left == [Int64(Int32.min), 0])
    }
  }

  @Test("A value that doesn't fit its column is refused by name", arguments: [0, 1, 3])
  func misfits(column: Int) throws {
    try simulate { world in
      let lake = world.lake()
      try await Self.narrow(lake)
      var rows = try await Self.narrowRows(lake)
      rows.columns[column] =
        column == 3 ? .init(.doubles([0, 1e39, 0])) : .integers([0, 1 << 31, 0])
      let change = TableChange(id: 1, committedAt: Row.at(1), append: rows)
      let before = try await world.keys()
      let error = await failure {
        try await lake.commit(change, to: Row.table, expecting: nil)
      }
      #expect(error?.code == .invalid)
      let name = rows.schema.fields[column].name
      #expect(error?.hint.contains("moderation.events: column \(name): ") == true)
      #expect(error?.hint.contains("in row 1 doesn't fit \(name)") == true)
      let after = try await world.keys()
      #expect(after == before)
    }
  }

  @Test("A type that can't be read is invalid, and named with its table and column")
  func unreadType() throws {
    try simulate { world in
      let lake = world.lake()
      try await lake.prepare(.append(1, ["a"]))
      try await lake.edit { $0.schemas[0].fields[3].type = .named("decimal(9, 2)") }
      let scan = await failure { try await world.lake().scan(Row.table, snapshot: nil) }
      let delete = await failure {
        try await world.lake().commit(.delete(2, ["a"]), to: Row.table, expecting: 1)
      }
      let compact = await failure {
        try await world.lake().compact(Row.table, id: 3, at: Row.at(3))
      }
      for error in [scan, delete, compact] {
        #expect(error?.code == .invalid, "\(error as Any)")
        for word in ["moderation.events", "kind", "decimal(9, 2)"] {
          #expect(error?.hint.contains(word) == true, "\(error as Any)")
        }
      }
    }
  }

  /// A table with `foreign.parquet`, which has no field ids; its rows are in the test of that file.
  private static func addForeignFile(
    _ world: LakeWorld, mapping: String?
  ) async throws -> IcebergLake {
    let lake = world.lake()
    let fields = [
      TableSchema.Field("text", .string, isRequired: false),
      .init("number", .int64, isRequired: false), .init("flag", .boolean, isRequired: false),
    ]
    try await lake.createTable(Row.table, schema: TableSchema(fields))
    if let mapping {
      try await lake.edit { $0.properties["schema.name-mapping.default"] = mapping }
    }
    let key = "moderation/events/data/foreign.parquet"
    try await world.objects.put(key, PackageResources.foreign_parquet)
    let path = "memory://lake/\(key)"
    try await commit([DataFile(path: path, recordCount: 4, fileSize: 1)], 1, with: lake)
    return lake
  }

  private static let mapping = """
    [{"field-id": 1, "names": ["no such", "s"]}, {"field-id": 2, "names": ["i64"]},
     {"names": ["b"]}]
    """

  @Test("A file without field ids is read by the table's name mapping")
  func nameMapping() throws {
    try simulate { world in
      let lake = try await Self.addForeignFile(world, mapping: Self.mapping)
      let rows = try await lake.scan(Row.table, snapshot: nil)
      #expect(rows.column("text") == .strings(["a", nil, "", "日本🧪 longer than twelve bytes"]))
      #expect(rows.column("number") == .integers([1, nil, .min, .max]))
      #expect(rows.column("flag")?.validity == [false, false, false, false], "has no id")
      _ = try await lake.commit(
        TableChange(id: 2, committedAt: Row.at(2), removal: .rows([.init(["text": ["a"]])])),
        to: Row.table, expecting: 1)
      _ = try await lake.compact(Row.table, id: 3, at: Row.at(3))
      let left = try await world.lake().scan(Row.table, snapshot: nil).column("number")
      #expect(left == .integers([nil, .min, .max]))
    }
  }

  @Test(
    "Without a mapping, or with a wrong one, such a file is an error that says so",
    arguments: [
      (nil, "schema.name-mapping.default"), ("{}", "schema.name-mapping.default"),
      ("[", "schema.name-mapping.default: isn't JSON: JSON ends where a value should be (byte 1)"),
      ("[{\"field-id\": 1}]", "schema.name-mapping.default[0].names"),
      ("[{\"field-id\": 1, \"names\": [\"i64\"]}]", "foreign.parquet: text: isn't string"),
    ] as [(String?, String)])
  func badNameMapping(mapping: String?, word: String) throws {
    try simulate { world in
      let lake = try await Self.addForeignFile(world, mapping: mapping)
      let error = await failure { try await lake.scan(Row.table, snapshot: nil) }
      #expect(error?.code == .corrupt)
      #expect(error?.hint.contains(word) == true, "\(error as Any)")
    }
  }
}
