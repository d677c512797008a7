import Moderation
import Ports

/// Where an id still stands, of an image or a user that should be forgotten.
public struct ErasureProof: Sendable {
  /// One place that holds the id.
  public struct Place: Hashable, Sendable {
    /// `lake snapshot`, `data file`, `object`, `database`, `outbox`, `topic` or `feature key`.
    public var kind: String
    /// Which one: the table and the snapshot, the file, the key, the topic.
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

  /// The id, as text.
  public let id: String
  /// The places, in the order of the search.
  public private(set) var places: [Place] = []

  /// A proof before any search.
  public init(of id: String) { self.id = id }

  /// Whether every place is a declared retention.
  public var holds: Bool { places.allSatisfy { $0.retention != nil } }

  /// Looks through every snapshot that a reader can still reach, tagged ones too, and through every
  /// data file: those that nothing reaches, and rows that are only marked as deleted.
  public mutating func search(_ lake: any Lake) async throws(PortError) {
    for table in try await lake.tables() {
      for snapshot in try await lake.snapshots(of: table) {
        let rows = try await lake.scan(table, snapshot: snapshot.id).rows(holding: id)
        note("lake snapshot", "\(table)@\(snapshot.id)", rows)
      }
      for (file, rows) in try await lake.remains(of: id, in: table).sorted(by: { $0.key < $1.key })
      {
        note("data file", file, rows)
      }
    }
  }

  /// Looks for files that are named by the id.
  public mutating func search(_ objects: any ObjectStore) async throws(PortError) {
    for key in try await objects.list(prefix: id) { note("object", key, 1) }
  }

  /// Looks for the row, for those that refer to it, and for events not published yet. A row that is
  /// marked as deleted stays as long as the application keeps it, with what refers to it; a user's
  /// account is the application's own.
  public mutating func search(_ store: any ApplicationStore) async throws(PortError) {
    let snapshot = try await store.snapshot()
    let image = snapshot.images.first { $0.id.description == id }
    let isLive = image.map { $0.deletedAt == nil } ?? false
    let isUser = snapshot.users.contains { $0.id.description == id }
    let retention =
      isLive ? nil : "the application's own: \(isUser ? "accounts" : "rows marked as deleted")"
    for (table, batch) in RawExtract.batches(snapshot) {
      note("database", table, batch.rows(holding: id), retention)
    }
    let scores = snapshot.moderation.count { $0.target.idText == id }
    note("database", "moderation", scores, retention)
    let waiting = try await store.outbox(limit: .max)
    note("outbox", "outbox", waiting.count { holds($0.event.value) })
  }

  /// Looks for records about the id, which go when their topic's retention is over.
  public mutating func search(_ log: any EventLog) async throws(PortError) {
    for topic in (Catalog.partitionedTopics + Catalog.singleTopics).sorted() {
      let ends = try await log.ends(of: topic)
      let records = try await log.records(
        of: topic, from: ends.map { _ in 0 }, to: ends, limit: 10_000)
      note("topic", topic, records.count { holds($0.value) }, "the topic's retention")
    }
  }

  /// Looks for counts of an image, which go as time goes on.
  public mutating func search(
    _ features: any FeatureStore, at instant: EventTime
  ) async throws(PortError) {
    guard let image = ImageID(id) else { return }
    let counts = try await features.counts([CountQuestion(image: image, asOf: instant)])
    guard let counts = counts.first, counts != EngagementCounts() else { return }
    note("feature key", "counts of \(id)", 1, "the feature store's retention")
  }

  mutating func note(
    _ kind: String, _ name: String, _ count: Int, _ retention: String? = nil
  ) {
    guard count > 0 else { return }
    places.append(Place(kind: kind, name: name, count: count, retention: retention))
  }

  /// Whether a record's text has the id.
  private func holds(_ value: [UInt8]) -> Bool { value.contains(id.utf8) }
}
