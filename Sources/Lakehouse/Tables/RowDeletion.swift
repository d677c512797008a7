import Ports

/// Finds the rows that filters hold for: files that go whole, and positions in the others.
struct RowDeletion {
  private let scan: TableScan
  private let filters: [TableChange.RowFilter]
  private var byPlace: [DataFile.Place: [(path: String, position: Int64)]] = [:]
  private var order: [DataFile.Place] = []
  /// How many rows go.
  private(set) var count = 0
  /// Paths of files without a row that stays.
  private(set) var removedFiles: Set<String> = []

  init(_ scan: TableScan, _ filters: [TableChange.RowFilter]) {
    self.scan = scan
    self.filters = filters
  }

  /// Deleted positions by partition.
  var positions: [(DataFile.Place, [(path: String, position: Int64)])] {
    order.map { ($0, byPlace[$0] ?? []) }
  }

  /// Looks into every file that can hold such a row.
  mutating func find() async throws(PortError) {
    let schema = scan.metadata.schema
    let names = Set(filters.flatMap(\.columns.keys))
    let fields = schema.fields.filter { names.contains($0.name) }
    for entry in scan.live.data where filters.contains(where: { mayHold(entry.file, $0) }) {
      var hits: [Int64] = []
      var stays = false
      try await scan.pieces(of: entry, fields) { piece throws(PortError) in
        let hit = piece.batch.rows(matching: filters)
        for row in hit.indices where piece.kept?[row] ?? true {
          if hit[row] { hits.append(piece.start + Int64(row)) } else { stays = true }
        }
      }
      if hits.isEmpty { continue }
      count += hits.count
      if stays {
        let place = entry.file.place
        if byPlace[place] == nil { order.append(place) }
        byPlace[place, default: []] += hits.map { (entry.file.path, $0) }
      } else {
        removedFiles.insert(entry.file.path)
      }
    }
  }

  private func mayHold(_ file: DataFile, _ filter: TableChange.RowFilter) -> Bool {
    filter.columns.allSatisfy { name, values in
      guard let field = scan.metadata.schema.field(named: name) else { return false }
      return ColumnBounds.mayHold(file, field, values)
    }
  }
}
