@testable import Lakehouse
import Ports
import Testing

@Suite struct ParquetRoundTripTests {
  /// Reads every row group of every column back into one batch.
  private func decode(_ bytes: [UInt8], like schema: TableSchema) throws -> RecordBatch {
    let reader = try ParquetFile.Reader(bytes)
    var batch = RecordBatch(schema: schema)
    for group in reader.rowGroupRows.indices {
      let columns = try reader.read(rowGroup: group, positions: Array(reader.fields.indices))
      batch.append(RecordBatch(schema: schema, columns: columns))
    }
    return batch
  }

  @Test(arguments: [1, 2, 7, 8, 9, 63, 64, 65, 1000, 5000])
  func whatIsWrittenIsReadBack(rows: Int) throws {
    for (seed, nullEvery) in [(1, 2), (2, 3), (3, 1000)] as [(UInt64, UInt64)] {
      var batches = Batches(seed: seed + UInt64(rows))
      let batch = batches.batch(rows: rows, nullEvery: nullEvery)
      for dictionaryBytes in [0, 500, 2 << 20] {
        var options = ParquetFile.WriteOptions()
        options.dictionaryBytes = dictionaryBytes
        let bytes = try ParquetFile.encode(batch, fieldIDs: Batches.fieldIDs, options: options)
        #expect(try decode(bytes, like: batch.schema) == batch)
      }
    }
  }

  @Test("A file that isn't compressed is larger, and says the same")
  func uncompressed() throws {
    var batches = Batches(seed: 3)
    let batch = batches.batch(rows: 2000)
    let small = try ParquetFile.encode(batch, fieldIDs: Batches.fieldIDs)
    var options = ParquetFile.WriteOptions()
    options.compressionLevel = 0
    let large = try ParquetFile.encode(batch, fieldIDs: Batches.fieldIDs, options: options)
    #expect(large.count > small.count)
    #expect(try decode(large, like: batch.schema) == batch)
  }

  /// Rows of a batch of 100: neighbours at either end and within, others, a single one, none.
  static let stretches: [[Range<Int>]] = [
    [0..<100], [0..<9], [91..<100], [17..<42], [3..<4, 5..<30, 77..<100], [0..<1, 99..<100], [],
  ]

  @Test("Rows are written where they stand", arguments: stretches)
  func rowsWhereTheyStand(stretches: [Range<Int>]) throws {
    var batches = Batches(seed: 12)
    let batch = batches.batch(rows: 100, nullEvery: 3)
    var picked = batch.filtered((0..<100).map { row in stretches.contains { $0.contains(row) } })
    // A column without a null among these rows comes back without saying so.
    for index in picked.columns.indices
    where picked.columns[index].validity?.contains(false) != true {
      picked.columns[index].validity = nil
    }
    let types = batch.schema.fields.compactMap { IcebergType.named($0.type.rawValue).stored }
    let bytes = try ParquetFile.encode(
      batch, rows: RowStretches(stretches), fieldIDs: Batches.fieldIDs, stored: types)
    #expect(try decode(bytes, like: batch.schema) == picked)
  }

  @Test func aBatchWithoutRowsIsAFileWithFieldsAndNoRows() throws {
    let empty = RecordBatch(schema: Batches.schema)
    let bytes = try ParquetFile.encode(empty, fieldIDs: Batches.fieldIDs)
    let reader = try ParquetFile.Reader(bytes)
    #expect(reader.rowCount == 0)
    #expect(reader.fields.map(\.fieldID) == Batches.fieldIDs)
    #expect(try decode(bytes, like: empty.schema) == empty)
  }

  @Test func columnsThatAreAllNullComeBackAllNull() throws {
    var batches = Batches(seed: 4)
    let batch = batches.batch(rows: 100, nullEvery: 1)
    let bytes = try ParquetFile.encode(batch, fieldIDs: Batches.fieldIDs)
    let read = try decode(bytes, like: batch.schema)
    #expect(read == batch)
    #expect(read.columns[1].validity == Array(repeating: false, count: 100))
  }

  @Test func validityThatExcludesNothingComesBackAsNil() throws {
    let schema = TableSchema([.init("n", .int64, isRequired: false)])
    let column = RecordBatch.Column(.integers([1, 2]), validity: [true, true])
    let bytes = try ParquetFile.encode(
      RecordBatch(schema: schema, columns: [column]), fieldIDs: [1])
    #expect(try decode(bytes, like: schema).columns == [.integers([1, 2])])
  }

  @Test func rowGroupsAreReadOneByOne() throws {
    var batches = Batches(seed: 5)
    let batch = batches.batch(rows: 1050)
    var options = ParquetFile.WriteOptions()
    options.rowGroupRows = 100
    let bytes = try ParquetFile.encode(batch, fieldIDs: Batches.fieldIDs, options: options)
    let reader = try ParquetFile.Reader(bytes)
    #expect(reader.rowGroupRows == Array(repeating: 100, count: 10) + [50])
    let third = try reader.read(rowGroup: 2, fieldIDs: [1000])
    #expect(third[1000]?.values == .strings(Array(batch.strings("string")[200..<300])))
    #expect(try decode(bytes, like: batch.schema) == batch)
  }

  @Test func fieldsKeepTheirNamesIdsTypesAndNullability() throws {
    var batches = Batches(seed: 6)
    let bytes = try ParquetFile.encode(batches.batch(rows: 3), fieldIDs: Batches.fieldIDs)
    let fields = try ParquetFile.Reader(bytes).fields
    #expect(fields.map(\.name) == Batches.schema.fields.map(\.name))
    #expect(fields.map(\.fieldID) == Batches.fieldIDs)
    #expect(fields.map(\.columnType) == Batches.schema.fields.map(\.type))
    #expect(fields.map(\.isRequired) == Batches.schema.fields.map(\.isRequired))
    #expect(fields[8].typeName == "timestamp[us, UTC]")
  }

  @Test func anIdThatTheFileLacksIsLeftOut() throws {
    var batches = Batches(seed: 7)
    let batch = batches.batch(rows: 10)
    let reader = try ParquetFile.Reader(
      ParquetFile.encode(batch, fieldIDs: Batches.fieldIDs))
    let columns = try reader.read(rowGroup: 0, fieldIDs: [1, 986, 1000, 986])
    #expect(columns == [986: batch.columns[2], 1000: batch.columns[0]])
    #expect(try reader.read(rowGroup: 0, fieldIDs: [1]).isEmpty)
  }

  @Test func positionsMayComeInAnyOrderAndTwice() throws {
    var batches = Batches(seed: 8)
    let batch = batches.batch(rows: 10)
    let reader = try ParquetFile.Reader(
      ParquetFile.encode(batch, fieldIDs: Batches.fieldIDs))
    let columns = try reader.read(rowGroup: 0, positions: [4, 0, 4])
    #expect(columns == [batch.columns[4], batch.columns[0], batch.columns[4]])
  }

  @Test func theSameBatchGivesTheSameBytes() throws {
    var batches = Batches(seed: 9)
    let batch = batches.batch(rows: 2000)
    let bytes = try ParquetFile.encode(batch, fieldIDs: Batches.fieldIDs)
    #expect(try ParquetFile.encode(batch, fieldIDs: Batches.fieldIDs) == bytes)
  }
}
