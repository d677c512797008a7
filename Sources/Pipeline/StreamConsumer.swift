import Moderation
import Ports

/// A poll's records with what became of them.
public struct AppliedPoll: Sendable {
  /// The records, malformed ones included.
  public var records: [EventRecord]
  /// Their events.
  public var batch: FeatureBatch
  /// What the events changed.
  public var result: AppliedBatch
  /// When they were applied.
  public var at: ProcessingTime
}

/// Turns the event stream into rolling features and requests for scores (REFERENCE §4).
///
/// A poll's events, their offsets, the watermarks and the triggers that fire are applied in one
/// atomic step of the feature store; after a crash it goes on from the offsets kept there. Records
/// that aren't events go to the dead letters and never stop it.
public struct StreamConsumer: Service {
  /// The consumer group.
  public static let group = "gourmetgram-stream-consumer"

  /// The name in traces and faults.
  public let name: String

  private let log: any EventLog
  private let features: any FeatureStore
  private let environment: Environment
  private let policy: PipelinePolicy
  private let onApplied: @Sendable (AppliedPoll) -> Void

  /// A consumer over its ports.
  ///
  /// - Parameter onApplied: gets each poll once it is applied; again after a lost reply.
  public init(
    name: String = "stream-consumer", log: any EventLog, features: any FeatureStore,
    environment: Environment, policy: PipelinePolicy,
    onApplied: @escaping @Sendable (AppliedPoll) -> Void = { _ in }
  ) {
    self.name = name
    self.log = log
    self.features = features
    self.environment = environment
    self.policy = policy
    self.onApplied = onApplied
  }

  /// Consumes until cancelled; after an error it joins anew and goes on from what is applied.
  public func run() async {
    await environment.repeating { () async throws(PortError) in
      var session = try await Session(
        consumer: log.join(Self.group, member: name, topics: Catalog.sourceTopics))
      while !Task.isCancelled { try await step(&session) }
      try await session.consumer.leave()
    }
  }

  /// What a consumer remembers between polls; all of it follows from what is durable.
  private struct Session {
    let consumer: any EventConsumer
    var tracker = WatermarkTracker()
    /// The owned partitions, sorted, each one's place among them, and the next offset of each.
    var partitions: [TopicPartition] = []
    var slots: [TopicPartition: Int] = [:]
    var next: [Int64] = []
    var marksOffset: Int64 = 0
  }

  private func step(_ session: inout Session) async throws(PortError) {
    let poll = try await session.consumer.poll(
      limit: policy.batchLimit, until: environment.now + policy.pollWait)
    if let assignment = poll.assignment { try await take(assignment, &session) }
    // Marks are read after the records: a mark that precedes a record in time is seen with it.
    try await readMarks(&session)
    let (batch, deadLetters) = decode(poll.records, &session)
    guard !batch.partitions.isEmpty else { return }
    if !deadLetters.isEmpty { _ = try await log.append(deadLetters) }
    let applied = try await apply(batch)
    session.next = batch.partitions.map(\.to)
    session.tracker.prune()
    if !poll.records.isEmpty {
      onApplied(
        AppliedPoll(records: poll.records, batch: batch, result: applied, at: environment.now))
    }
    report(batch, applied)
    try await publish(applied.fired)
  }

  /// Applies a batch; after a lost reply, again, so that what it fired is known.
  private func apply(_ batch: FeatureBatch) async throws(PortError) -> AppliedBatch {
    var isRepeated = false
    let applied = try await environment.attempting(3) { () async throws(PortError) in
      defer { isRepeated = true }
      let wasRepeated = isRepeated
      return (try await features.apply(batch, policy: policy.triggers), wasRepeated)
    }
    // All of it was there already: this is the reply that was lost.
    if applied.1, applied.0.duplicates.count == batch.entries.count {
      return AppliedBatch(fired: applied.0.firedBefore)
    }
    return applied.0
  }

  private func take(
    _ assignment: [TopicPartition], _ session: inout Session
  ) async throws(PortError) {
    let progress = try await features.progress()
    session.partitions = assignment.sorted()
    session.slots = Dictionary(
      uniqueKeysWithValues: session.partitions.enumerated().map { ($1, $0) })
    session.next = session.partitions.map { progress[$0]?.nextOffset ?? 0 }
    try await session.consumer.seek(
      Dictionary(uniqueKeysWithValues: zip(session.partitions, session.next)))
    let watermarks = session.partitions.map { progress[$0]?.watermark }
    session.tracker.follow(session.partitions, from: watermarks)
    let oldest = watermarks.contains(nil) ? nil : watermarks.compactMap { $0 }.min()
    let resolved = TopicPartition(Topic.resolved, 0)
    session.marksOffset =
      if let oldest { try await log.offset(of: resolved, at: oldest) } else { 0 }
    environment.record(
      "assigned", [.text("partitions", assignment.map(\.description).joined(separator: " "))])
  }

  private func readMarks(_ session: inout Session) async throws(PortError) {
    guard policy.publication != .direct else { return }
    while true {
      let records = try await log.read(
        TopicPartition(Topic.resolved, 0), from: session.marksOffset, limit: 1000)
      for record in records {
        if let mark = ResolvedMark(record.value) { session.tracker.add(mark) }
      }
      session.marksOffset += Int64(records.count)
      if records.count < 1000 { return }
    }
  }

  private func decode(
    _ records: [EventRecord], _ session: inout Session
  ) -> (FeatureBatch, [ProducerRecord]) {
    var next = session.next
    var entries: [FeatureBatch.Entry] = []
    entries.reserveCapacity(records.count)
    var deadLetters: [ProducerRecord] = []
    for record in records {
      guard let slot = session.slots[record.partition] else { continue }
      next[slot] = record.offset + 1
      do throws(EventDecodingError) {
        let event = try EventCodec.decode(
          record.value, fallbackID: record.derivedEventID())
        let watermark = session.tracker.watermark(of: slot, before: record.offset)
        // A score as of the watermark itself may be there already: the event counts right after it.
        let isLate = watermark.map { event.time <= $0 } ?? false
        entries.append(
          FeatureBatch.Entry(
            slot: slot, offset: record.offset, event: event,
            visibleFrom: isLate ? watermark.map { $0 + .microseconds(1) } : nil))
      } catch {
        deadLetters.append(deadLetter(record, error))
      }
    }
    let advances = session.partitions.indices.map { slot in
      FeatureBatch.Advance(
        partition: session.partitions[slot], from: session.next[slot], to: next[slot],
        watermark: watermark(slot, next[slot], records, &session))
    }
    return (FeatureBatch(entries: entries, partitions: advances), deadLetters)
  }

  /// The watermark after a batch: from the marks, or, where nobody publishes marks, from the clock
  /// once the poll came back with less than it could hold.
  private func watermark(
    _ slot: Int, _ next: Int64, _ records: [EventRecord], _ session: inout Session
  ) -> EventTime? {
    guard policy.publication == .direct else {
      return session.tracker.watermark(of: slot, before: next)
    }
    guard records.count < policy.batchLimit else { return nil }
    return environment.now.asEventTime - policy.idleWait
  }

  private func deadLetter(_ record: EventRecord, _ error: EventDecodingError) -> ProducerRecord {
    environment.record(
      "dead-letter",
      [
        .text("partition", record.partition.description), .integer("offset", Int(record.offset)),
        .text("reason", error.description),
      ])
    var json = JSONWriter()
    json.field("topic", record.partition.topic)
    json.field("partition", Int64(record.partition.partition))
    json.field("offset", record.offset)
    json.field("reason", error.description)
    if let text = String(validating: record.value, as: UTF8.self) {
      json.field("value", text)
    } else {
      json.field("value_base64", Base64.encode(record.value))
    }
    return ProducerRecord(
      topic: Topic.deadLetters, key: Array("\(record.partition)@\(record.offset)".utf8),
      value: json.finish(), timestamp: environment.now.asEventTime)
  }

  private func publish(_ fired: [FiredTrigger]) async throws(PortError) {
    var requests: [ModerationRequest] = []
    for trigger in fired {
      environment.record(
        "trigger",
        [
          .id("image_id", trigger.image), .text("trigger", trigger.trigger.name),
          .time("as_of", trigger.asOf),
        ])
      if case .anchor = trigger.trigger { continue }
      if trigger.trigger.asksForScore { requests.append(ModerationRequest(trigger)) }
    }
    guard !requests.isEmpty else { return }
    try await requests.publish(to: log, at: environment.now)
    try await features.acknowledge(requests)
  }

  private func report(_ batch: FeatureBatch, _ applied: AppliedBatch) {
    guard !batch.entries.isEmpty else { return }
    environment.record(
      "applied",
      [
        .integer("events", batch.entries.count), .integer("duplicates", applied.duplicates.count),
      ])
    for index in applied.duplicates {
      environment.record("duplicate", [.id("event_id", batch.entries[index].event.id)])
    }
    let repeated = Set(applied.duplicates)
    // By index: an entry is large, and hardly any is late.
    for index in batch.entries.indices {
      guard let visibleFrom = batch.entries[index].visibleFrom, !repeated.contains(index)
      else { continue }
      let event = batch.entries[index].event
      environment.record(
        "late",
        [
          .id("event_id", event.id), .time("event_time", event.time),
          .time("watermark", visibleFrom - .microseconds(1)),
        ])
    }
  }
}

extension EventRecord {
  /// An id for a view whose producer sent none: where the record stands.
  public func derivedEventID() -> EventID {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in partition.topic.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return EventID(
      randomBits: hash ^ UInt64(partition.partition), UInt64(bitPattern: offset) &* 0x9e37_79b9)
  }
}

extension [ModerationRequest] {
  /// Appends the requests to the log, keyed by image.
  func publish(to log: any EventLog, at now: ProcessingTime) async throws(PortError) {
    let records = map { request in
      ProducerRecord(
        OutboxEvent(
          .moderationRequests, key: request.image, value: request.encoded(), time: now.asEventTime))
    }
    _ = try await log.append(records)
  }
}

/// Base64 (RFC 4648 §4), for values that aren't text.
public enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The text of bytes, padded.
  public static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let chunk = bytes[start..<Swift.min(start + 3, bytes.count)]
      var word: UInt32 = 0
      for byte in chunk { word = word << 8 | UInt32(byte) }
      word <<= 8 * UInt32(3 - chunk.count)
      for position in 0..<4 {
        let isPadding = position > chunk.count
        text.append(
          isPadding ? UInt8(ascii: "=") : alphabet[Int(word >> (18 - 6 * UInt32(position)) & 63)])
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
