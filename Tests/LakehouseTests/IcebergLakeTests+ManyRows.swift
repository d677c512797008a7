import Moderation
import Ports
import Testing

@testable import Lakehouse

/// Tables that are written and read side by side.
extension IcebergLakeTests {
  /// Rows over four days, enough for several threads; the third column takes turns between days.
  private static let many: RecordBatch = {
    let rows = 0..<Int64(Parallel.leastRows + 1000)
    return RecordBatch(
      schema: Row.schema,
      columns: [
        .init(.strings(rows.map { "key \($0 % 500)" })), .init(.integers(Array(rows))),
        .init(.integers(rows.map { Row.start + $0 % 4 * 86_400_000_000 + $0 })),
        .strings(rows.map { $0 % 7 == 0 ? nil : "kind \($0 % 3)" }),
      ])
  }()

  private static let manySchema = TableSchema(Row.fields, partitionedBy: [.init("at", "day")])

  /// What ``many`` looks like when each day's rows come after those of the day before.
  private static var byDay: RecordBatch {
    (0..<4).reduce(into: RecordBatch(schema: Row.schema)) { all, day in
      all.append(many.filtered(many.integers("number").map { $0 % 4 == day }))
    }
  }

  /// A lake of one table with ``many``, in four files.
  private static func manyRows(
    _ world: LakeWorld, change: TableChange? = nil
  ) async throws(PortError) -> IcebergLake {
    let lake = world.lake()
    try await lake.createTable(Row.table, schema: manySchema)
    let first = TableChange(id: 1, committedAt: Row.at(1), append: many)
    _ = try await lake.commit(first, to: Row.table, expecting: nil)
    if let change { _ = try await lake.commit(change, to: Row.table, expecting: 1) }
    return world.lake()
  }

  @Test("Many rows are the same read column by column as batch by batch")
  func manyRowsAreTheSame() throws {
    try simulate { world in
      let lake = try await Self.manyRows(world)
      #expect(try await lake.live().data.count == 4)
      let scanned = try await lake.scan(Row.table, snapshot: nil)
      #expect(scanned == Self.byDay)
      var streamed = RecordBatch(schema: Row.schema)
      try await lake.batches(Row.table, snapshot: nil) { streamed.append($0) }
      #expect(streamed == scanned)
    }
  }

  @Test("Deleted rows of a large table stay away")
  func deletedRowsOfMany() throws {
    try simulate { world in
      let lake = try await Self.manyRows(world, change: .delete(2, ["key 3", "key 101"]))
      let keys = try await lake.scan(Row.table, snapshot: nil).strings("key")
      let deleted = Self.many.strings("key").count { $0 == "key 3" || $0 == "key 101" }
      #expect(keys.count == Self.many.count - deleted)
      #expect(!keys.contains("key 3") && !keys.contains("key 101"))
    }
  }

  @Test("Deleted rows stay away when a row group is read by and by")
  func deletedRowsByAndBy() throws {
    try simulate { world in
      let lake = try await Self.manyRows(world, change: .delete(2, ["key 3", "key 101"]))
      let metadata = try await lake.metadata(of: Row.table)
      let scan = try await TableScan(lake.reader, metadata, metadata.currentSnapshot)
      var (keys, pieces): ([String], Int) = ([], 0)
      for entry in scan.live.data {
        try await scan.pieces(of: entry, metadata.schema.fields, rows: 700) { piece in
          pieces += 1
          keys += (piece.kept.map { piece.batch.filtered($0) } ?? piece.batch).strings("key")
        }
      }
      #expect(pieces > 2 * scan.live.data.count)
      #expect(keys == (try await lake.scan(Row.table, snapshot: nil).strings("key")))
    }
  }

  @Test("A column added later is null in all rows of a large table")
  func columnAddedToMany() throws {
    try simulate { world in
      let lake = try await Self.manyRows(world)
      try await lake.evolve(
        Row.table, .add("note", type: "string"))
      let scanned = try await lake.scan(Row.table, snapshot: nil)
      #expect(scanned.schema.fields.map(\.name) == ["key", "number", "at", "kind", "note"])
      #expect(Array(scanned.columns.prefix(4)) == Self.byDay.columns)
      #expect(scanned.columns[4] == RecordBatch.Column(nulls: Self.many.count, .string))
    }
  }

  @Test("A broken file of a large table is named, whichever thread finds it")
  func brokenFileOfMany() throws {
    try simulate { world in
      let path = try await Self.manyRows(world).live().data[2].file.path
      var bytes = try await world.objects.get(world.key(path))
      // A page's first bytes after the magic: its checksum doesn't hold any more.
      for index in 100..<140 { bytes[index] ^= 0xFF }
      try await world.objects.put(world.key(path), bytes)
      let error = await failure { try await world.lake().scan(Row.table, snapshot: nil) }
      #expect(error?.code == .corrupt)
      #expect(error?.hint.contains(path) == true)
    }
  }

  @Test(
    "A row group read so many rows at a time gives its rows, in their order",
    arguments: [0, 2 << 20])
  func someRowsAtATime(dictionaryBytes: Int) throws {
    var batches = Batches(seed: 12)
    let whole = batches.batch(rows: 1000)
    var options = ParquetFile.WriteOptions()
    options.dictionaryBytes = dictionaryBytes
    let bytes = try ParquetFile.encode(whole, fieldIDs: Batches.fieldIDs, options: options)
    let reader = try ParquetFile.Reader(bytes)
    let positions = Array(whole.schema.fields.indices.reversed())
    var sizes: [Int] = []
    var read = RecordBatch(schema: whole.schema)
    try reader.batches(rowGroup: 0, positions: positions, rows: 300) { columns in
      sizes.append(columns[0].values.count)
      read.append(RecordBatch(schema: whole.schema, columns: columns.reversed()))
    }
    #expect(sizes == [300, 300, 300, 100])
    #expect(read == whole)
    let error = #expect(throws: ParquetError.self) {
      try reader.batches(rowGroup: 0, positions: positions, rows: 300) {
        (_) throws(ParquetError) in throw ParquetError("that is enough")
      }
    }
    #expect(error?.reason == "that is enough")
    #expect(throws: ParquetError.self) {
      try reader.batches(rowGroup: 1, positions: [0], rows: 300) { _ in }
    }
  }

  @Test("A flipped bit in a row group that is read by and by is an error, or changes nothing")
  func flippedBitsByAndBy() throws {
    var batches = Batches(seed: 13)
    let whole = batches.batch(rows: 60)
    let bytes = try ParquetFile.encode(whole, fieldIDs: Batches.fieldIDs)
    func rows(_ bytes: [UInt8]) throws(ParquetError) -> [RecordBatch.Column]? {
      let reader = try ParquetFile.Reader(bytes)
      var columns: [RecordBatch.Column]?
      try reader.batches(rowGroup: 0, positions: [0, 1], rows: 25) { batch in
        if columns == nil {
          columns = batch
        } else {
          for i in 0...1 { columns?[i].append(batch[i]) }
        }
      }
      return columns
    }
    let expected = try rows(bytes)
    var refused = 0
    for place in stride(from: 4, to: bytes.count / 2, by: 7) {
      var damaged = bytes
      damaged[place] ^= 1
      do throws(ParquetError) {
        #expect(try rows(damaged) == expected)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 0)
  }
}
