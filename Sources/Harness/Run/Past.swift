import Lakehouse
import Moderation
import Pipeline
import Ports

/// What was applied and asked for, as the log tells it: read at once, decoded on other threads.
struct Past: Sendable {
  /// Records in the order in which they were applied; those that are events, decoded; by image.
  typealias Told = (applied: [AppliedRecord], events: [LoggedEvent], history: ImageHistory)
  /// Each request once, by (instant, image, trigger), and the first record of each.
  typealias Requests = (all: [ModerationRequest], records: RequestRecords)

  /// Events that came late, by event time.
  let late: [LateEvent]
  private let batches: Int
  private let ends: [[Int64]]
  private let telling: Parallel.Beginning<Told>
  private let asking: Parallel.Beginning<Requests>

  /// Reads the log.
  init(_ platform: Platform) async throws(PortError) {
    let collected = platform.collector.snapshot
    let log = platform.backends.log
    ends = try await Self.ends(log)
    let sources = try await AppliedRecords(log)
    let asked = try await log.all(Topic.moderationRequests)
    let late = collected.late.values.sorted { ($0.time, $0.id) < ($1.time, $1.id) }
    self.late = late
    batches = collected.batches.count
    telling = Parallel.beginning {
      let applied = sources.records(collected.batches)
      var events: [LoggedEvent] = []
      events.reserveCapacity(applied.count)
      for index in applied.indices {
        if let event = LoggedEvent(applied[index].record) { events.append(event) }
      }
      return (applied, events, ImageHistory(events, late: late))
    }
    asking = Parallel.beginning { Self.requests(asked) }
  }

  /// Whether nothing came to the log and nothing was applied since.
  func isAll(of platform: Platform) async throws(PortError) -> Bool {
    let known = try await Self.ends(platform.backends.log)
    return known == ends && platform.collector.snapshot.batches.count == batches
  }

  /// What was applied; waits for it.
  var told: Told { telling.value }

  /// What was asked for; waits for it.
  var requests: Requests { asking.value }

  private static func ends(_ log: any EventLog) async throws(PortError) -> [[Int64]] {
    var ends: [[Int64]] = []
    for topic in Catalog.sourceTopics + [Topic.moderationRequests] {
      ends.append(try await log.ends(of: topic))
    }
    return ends
  }

  private static func requests(_ asked: [EventRecord]) -> Requests {
    var requests: [ModerationRequest] = []
    requests.reserveCapacity(asked.count)
    var records = RequestRecords(asked)
    for index in asked.indices {
      // The scorer has traced those that aren't requests.
      guard let request = try? ModerationRequest.decodeFast(asked[index].value),
        records.note(request.id, at: index)
      else { continue }
      requests.append(request)
    }
    requests.sort { a, b in
      if a.asOf != b.asOf { return a.asOf < b.asOf }
      return a.image != b.image ? a.image < b.image : a.trigger < b.trigger
    }
    return (requests, records)
  }
}

extension EventLog {
  /// All records of a topic, partition after partition.
  func all(_ topic: String) async throws(PortError) -> [EventRecord] {
    let ends = try await ends(of: topic)
    return try await records(of: topic, from: ends.map { _ in 0 }, to: ends, limit: .max)
  }
}
