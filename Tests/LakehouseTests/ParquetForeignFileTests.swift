import Lakehouse
import Ports
import Testing

/// A file of another writer, without field ids: `Fixtures/foreign.py` says what is in it. Every
/// column's second value is null.
@Suite struct ParquetForeignFileTests {
  private let reader: ParquetFile.Reader

  init() throws { reader = try ParquetFile.Reader(PackageResources.foreign_parquet) }

  private func read(_ name: String) throws -> RecordBatch.Column {
    let position = try #require(reader.fields.firstIndex { $0.name == name })
    return try reader.read(rowGroup: 0, positions: [position])[0]
  }

  @Test func fieldsWithoutIdsHaveNames() {
    #expect(reader.rowGroupRows == [4])
    #expect(reader.fields.allSatisfy { $0.fieldID == nil && !$0.isRequired })
    #expect(reader.fields.prefix(3).map(\.name) == ["i8", "u8", "i16"])
  }

  @Test(
    arguments: [
      ("i8", [1, nil, -128, 127]), ("u8", [1, nil, 0, 255]), ("i16", [1, nil, -32768, 3]),
      ("u16", [1, nil, 65535, 3]), ("i32", [1, nil, -0x8000_0000, 3]),
      ("u32", [1, nil, 0xffff_ffff, 3]), ("i64", [1, nil, .min, .max]),
    ] as [(String, [Int64?])])
  func integersOfEveryWidthAreRead(name: String, values: [Int64?]) throws {
    #expect(try read(name) == .integers(values))
  }

  @Test(
    arguments: [
      ("date", [0, nil, -1, 20000]), ("date64", [0, nil, -1, 20000]),
      ("t_ms", [0, nil, 1000, 86_399_999_000]), ("t_us", [0, nil, 1, 86_399_999_999]),
      ("t_ns", [0, nil, 1, 86_399_999_999]),
      ("ts_s", [0, nil, -1_500_000_000, 1_790_000_000_000_000]),
      ("ts_ms", [0, nil, -1_500_000, 1_790_000_000_000]),
      ("ts_us", [0, nil, -1500, 1_790_000_000]),
      ("ts_ns", [0, nil, -2, 1_790_000]), ("ts_us_utc", [0, nil, -1500, 1_790_000_000]),
      ("ts_us_paris", [0, nil, -1500, 1_790_000_000]),
    ] as [(String, [Int64?])])
  func datesAreDaysAndTimesAreMicroseconds(name: String, values: [Int64?]) throws {
    #expect(try read(name) == .integers(values))
  }

  @Test func floatsAndBooleansAreRead() throws {
    let validity = [true, false, true, true]
    #expect(try read("f32") == .init(.doubles([1.5, 0, -0.25, 3]), validity: validity))
    #expect(try read("f64") == .init(.doubles([0.1, 0, -1e300, 3]), validity: validity))
    #expect(try read("b") == .init(.booleans([true, false, false, true]), validity: validity))
  }

  @Test func textIsReadInEveryLayout() throws {
    let long = "日本🧪 longer than twelve bytes"
    #expect(try read("s") == .strings(["a", nil, "", long]))
    #expect(try read("ls") == .strings(["a", nil, "", long]))
    #expect(try read("sv") == .strings(["a", nil, "twelve bytes", long]))
    #expect(try read("dict") == .strings(["a", nil, "b", "a"]))
  }

  @Test func columnsAfterNestedOnesAreReadFromTheirOwnLeaf() throws {
    #expect(try read("after") == .integers([10, 20, nil, 40]))
  }

  @Test(arguments: [
    ("dec", "decimal(10, 2)"), ("bin", "binary"), ("fix", "fixed_size_binary[2]"),
    ("list", "list"), ("struct", "struct"), ("map", "map"), ("u64", "uint64"), ("null", "null"),
    ("f16", "halffloat"),
  ])
  func aTypeThatNoBatchHoldsIsNamed(name: String, type: String) throws {
    let field = try #require(reader.fields.first { $0.name == name })
    #expect(field.typeName == type)
    #expect(field.columnType == nil)
    #expect(throws: ParquetError("\(type) can't be read into a record batch", column: name)) {
      try read(name)
    }
  }
}
