import Moderation
import Ports

/// Where an id still stands, of an image or a user that should be forgotten.
public struct ErasureProof: Sendable {
  /// One place that holds the id.
  public struct Place: Hashable, Sendable {
    /// `lake snapshot`, `object`, `database row` or `topic`.
    public var kind: String
    /// Which one: the table and the snapshot, the key, the topic.
    public var name: String
    /// How many rows, files or records.
    public var count: Int
    /// Why it may stay there for a while; nil for a place where it mustn't be.
    public var retention: String?

    /// A place.
    public init(kind: String, name: String, count: Int, retention: String? = nil) {
      self.kind = kind
      self.name = name
      self.count = count
      self.retention = retention
    }
  }

  /// The places, in the order of the search.
  public private(set) var places: [Place] = []

  /// A proof before any search.
  public init() {}

  /// Whether every place is a declared retention.
  public var holds: Bool { places.allSatisfy { $0.retention != nil } }

  /// Looks through every snapshot that a reader can still reach, tagged ones too.
  public mutating func search(_ lake: any Lake, for id: String) async throws(PortError) {
    for table in try await lake.tables() {
      for snapshot in try await lake.snapshots(of: table) {
        let rows = try await lake.scan(table, snapshot: snapshot.id).rows(naming: id)
        if rows > 0 {
          places.append(
            Place(kind: "lake snapshot", name: "\(table)@\(snapshot.id)", count: rows))
        }
      }
    }
  }

  /// Looks for files that are named by the id.
  public mutating func search(_ objects: any ObjectStore, for id: String) async throws(PortError) {
    for key in try await objects.list(prefix: id) {
      places.append(Place(kind: "object", name: key, count: 1))
    }
  }

  /// Looks for the row and for those that refer to it: a deleted row stays, marked, as long as the
  /// application keeps it.
  public mutating func search(
    _ store: any ApplicationStore, for id: String
  ) async throws(PortError) {
    let retention = "the application's own retention of deleted rows"
    for (table, batch) in RawExtract.batches(try await store.snapshot()) {
      let rows = batch.rows(naming: id)
      if rows > 0 {
        places.append(Place(kind: "database row", name: table, count: rows, retention: retention))
      }
    }
  }

  /// Notes records of a topic, which go when the topic's retention is over.
  public mutating func note(topic: String, records: Int) {
    guard records > 0 else { return }
    places.append(
      Place(kind: "topic", name: topic, count: records, retention: "the topic's retention"))
  }
}

extension RecordBatch {
  /// How many rows have the text in any column.
  fileprivate func rows(naming id: String) -> Int {
    var hits = Set<Int>()
    for column in columns {
      guard case .strings(let values) = column.values else { continue }
      for (row, value) in values.enumerated() where value == id && column.isValid(row) {
        hits.insert(row)
      }
    }
    return hits.count
  }
}
