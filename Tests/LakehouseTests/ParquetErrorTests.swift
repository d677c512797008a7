import Lakehouse
import Ports
import Testing

@Suite struct ParquetErrorTests {
  /// Opens and reads everything; gives the columns, or the error.
  private func readAll(_ bytes: [UInt8]) -> Result<[[RecordBatch.Column]], ParquetError> {
    do throws(ParquetError) {
      var options = ParquetFile.ReadOptions()
      options.memoryLimit = 64 << 20
      let reader = try ParquetFile.Reader(bytes, options: options)
      let readable = reader.fields.indices.filter { reader.fields[$0].columnType != nil }
      var groups: [[RecordBatch.Column]] = []
      for group in reader.rowGroupRows.indices {
        groups.append(try reader.read(rowGroup: group, positions: readable))
      }
      return .success(groups)
    } catch {
      return .failure(error)
    }
  }

  private func file(rows: Int, dictionaryBytes: Int = 2 << 20) throws -> [UInt8] {
    var batches = Batches(seed: 11)
    var options = ParquetFile.WriteOptions()
    options.rowGroupRows = rows / 2
    options.dictionaryBytes = dictionaryBytes
    return try ParquetFile.encode(
      batches.batch(rows: rows), fieldIDs: Batches.fieldIDs, options: options)
  }

  @Test func everyTruncationIsAnError() throws {
    let bytes = try file(rows: 12)
    for length in bytes.indices {
      guard case .failure = readAll(Array(bytes[..<length])) else {
        Issue.record("\(length) of \(bytes.count) bytes were read as a file")
        continue
      }
    }
  }

  @Test(arguments: ["", "PAR1", "PAR1PAR1", "not Parquet at all"])
  func whatIsNoParquetFileIsAnError(text: String) {
    #expect(throws: ParquetError.self) { try ParquetFile.Reader(Array(text.utf8)) }
  }

  @Test(arguments: [0, 1, 1000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] as [UInt32])
  func aForgedFooterLengthIsAnError(length: UInt32) throws {
    var bytes = try file(rows: 10)
    withUnsafeBytes(of: length.littleEndian) { forged in
      bytes.replaceSubrange(bytes.count - 8..<bytes.count - 4, with: forged)
    }
    #expect(throws: ParquetError.self) { try ParquetFile.Reader(bytes) }
  }

  @Test(arguments: [0, 2 << 20])
  func aFlippedBitNeverCrashesAndInAPageIsAnError(dictionaryBytes: Int) throws {
    let bytes = try file(rows: 12, dictionaryBytes: dictionaryBytes)
    let footer = bytes.suffix(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    let whole = try readAll(bytes).get()
    var unseen = 0
    for index in stride(from: 0, to: bytes.count, by: 3) {
      var broken = bytes
      broken[index] ^= 1 << UInt8(index % 8)
      // A page's header and the footer have no checksum: a flip there may change nothing that
      // reading looks at, or change names and ids, but a page's values it may not change.
      if case .success(let groups) = readAll(broken), index < bytes.count - footer - 8 {
        #expect(groups == whole, "byte \(index)")
        unseen += 1
      }
    }
    #expect(unseen < bytes.count / 12)
  }

  @Test func manyFlippedBytesNeverCrash() throws {
    let files = [try file(rows: 12), try file(rows: 12, dictionaryBytes: 0)]
    var random = Batches(seed: 12)
    for _ in 0..<1000 {
      var bytes = files[Int(random.next() % 2)]
      for _ in 0...random.next() % 8 {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      _ = readAll(bytes)
    }
  }

  @Test func aFileThatNeedsMoreMemoryThanAllowedIsAnError() throws {
    let bytes = try file(rows: 5000)
    var options = ParquetFile.ReadOptions()
    options.memoryLimit = 1000
    #expect(throws: ParquetError.self) {
      try ParquetFile.Reader(bytes, options: options).read(rowGroup: 0, fieldIDs: [1000])
    }
  }

  @Test func aRowGroupOrPositionThatIsntThereIsAnError() throws {
    let reader = try ParquetFile.Reader(file(rows: 10))
    #expect(throws: ParquetError("row group 2 of 2")) {
      try reader.read(rowGroup: 2, fieldIDs: [1000])
    }
    #expect(throws: ParquetError("position 10 of 10 columns")) {
      try reader.read(rowGroup: 0, positions: [10])
    }
  }

  @Test func aBatchThatCannotBeWrittenIsAnErrorThatSaysWhy() {
    let schema = TableSchema([.init("a", .int64), .init("b", .int64)])
    let fine = RecordBatch.Column(.integers([1]))
    let missing = RecordBatch.Column(.integers([1]), validity: [false])
    let batch = RecordBatch(schema: schema, columns: [fine, fine])
    #expect(throws: ParquetError("1 field ids for 2 columns")) {
      try ParquetFile.encode(batch, fieldIDs: [1])
    }
    #expect(throws: ParquetError("field id 1 is column a's already", column: "b")) {
      try ParquetFile.encode(batch, fieldIDs: [1, 1])
    }
    #expect(throws: ParquetError("column b is null in row 0")) {
      try ParquetFile.encode(
        RecordBatch(schema: schema, columns: [fine, missing]), fieldIDs: [1, 2])
    }
    var options = ParquetFile.WriteOptions()
    options.compressionLevel = 23
    #expect(throws: ParquetError("compression level 23 isn't in 0...22")) {
      try ParquetFile.encode(batch, fieldIDs: [1, 2], options: options)
    }
  }
}
