import Moderation
import Ports

/// The records of the topic of requests, by request: hardly any is ever asked for.
struct RequestRecords: Sendable {
  private let records: [EventRecord]
  private var places: [RequestID: Int]

  init(_ records: [EventRecord]) {
    self.records = records
    places = Dictionary(minimumCapacity: records.count)
  }

  /// The first record of a request; nil when it was never made.
  subscript(_ id: RequestID) -> EventRecord? { places[id].map { records[$0] } }

  /// Notes which request a record holds; false when an earlier one holds it, too.
  mutating func note(_ id: RequestID, at place: Int) -> Bool {
    guard places[id] == nil else { return false }
    places[id] = place
    return true
  }
}
