import Moderation
import Ports

@testable import Pipeline

extension World {
  /// Appends events, each to its topic under its image's key.
  func append(_ events: [PlatformEvent]) async throws {
    _ = try await log.append(
      events.map { event in
        ProducerRecord(
          OutboxEvent(
            topic: event.kind.topic, key: event.image, value: EventCodec.encode(event),
            time: event.time))
      })
  }

  /// Appends a value that may be anything.
  func append(_ text: String, to topic: String, at seconds: Int64 = 0) async throws {
    try await append(Array(text.utf8), to: topic, at: seconds)
  }

  /// Appends a value that may be anything.
  func append(_ value: [UInt8], to topic: String, at seconds: Int64 = 0) async throws {
    _ = try await log.append([
      ProducerRecord(topic: topic, key: nil, value: value, timestamp: Sample.at(seconds))
    ])
  }

  /// Says that everything up to an instant is in the log, no sooner than at that instant.
  func resolve(_ seconds: Int64) async throws {
    await reach(seconds)
    try await ResolvedMark.publish(Sample.at(seconds), to: log, at: environment.now)
  }

  /// All records of a topic, by partition and offset.
  func records(_ topic: String) async throws -> [EventRecord] {
    var all: [EventRecord] = []
    for (partition, end) in try await log.ends(of: topic).enumerated() {
      all += try await log.read(TopicPartition(topic, partition), from: 0, limit: Int(end))
    }
    return all
  }

  /// The events of a topic, by partition and offset.
  func events(_ topic: String) async throws -> [PlatformEvent] {
    try await records(topic).map { try EventCodec.decode($0.value, fallbackID: .number(0)) }
  }

  /// The resolved marks, in order.
  func marks() async throws -> [ResolvedMark] {
    try await records(Topic.resolved).compactMap { ResolvedMark($0.value) }
  }

  /// The requests in the log, `trigger of image @ instant`, sorted; repeats included.
  func requests() async throws -> [String] {
    try await records(Topic.moderationRequests).map { try ModerationRequest.decode($0.value) }
      .map { "\($0.trigger.name) of \($0.image.number) @ \($0.asOf.sinceStart)" }.sorted()
  }

  /// The request of image 1 for a score as of an instant, in the log.
  func request(
    _ trigger: Trigger = .scoreAt, image: UInt64 = 1, at seconds: Int64
  ) async throws {
    let fired = FiredTrigger(image: .number(image), trigger: trigger, asOf: Sample.at(seconds))
    try await [ModerationRequest(fired)].publish(to: log, at: environment.now)
  }

  /// The counts of an image as of an instant: `views/comments/flags of the last 5 minutes, totals`.
  func counts(image: UInt64 = 1, at seconds: Int64) async throws -> EngagementCounts {
    let question = CountQuestion(image: .number(image), asOf: Sample.at(seconds))
    return try await features.counts([question])[0]
  }

  /// Total views, comments and flags of an image as of an instant.
  func totals(image: UInt64 = 1, at seconds: Int64) async throws -> [Int] {
    let counts = try await counts(image: image, at: seconds)
    return [counts.totalViews, counts.totalComments, counts.totalFlags].map(\.observed)
  }
}
