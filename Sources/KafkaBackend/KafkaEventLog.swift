import Moderation
import Ports
import Synchronization

/// An ``EventLog`` in Kafka, or in a broker that speaks its protocol.
///
/// Topics, records, offsets and committed offsets are the broker's. Who owns which partition of a
/// group is decided as ``KafkaSettings/membership`` says: by this process, on the clock it is
/// given, or by the broker.
///
/// Port methods block their thread while the broker works.
public final class KafkaEventLog: EventLog {
  let settings: KafkaSettings
  let time: any TimeSource
  let session: Duration
  /// For questions and administration.
  let handle: KafkaHandle
  let topics: TopicDirectory
  private let producer: KafkaProducer
  private let reader: Mutex<PartitionReader>
  /// The groups that this process decides about, in the order of their first use.
  private let groups = Mutex<[ClockedGroup]>([])

  /// A log at a broker, which is not asked yet.
  ///
  /// - Parameters:
  ///   - time: what the groups' members wait on: the virtual clock of a simulation for
  ///     ``KafkaSettings/Membership/clocked``, a real one for
  ///     ``KafkaSettings/Membership/broker``.
  ///   - session: how long a member may stay away before its partitions go to others.
  /// - Throws: `invalid` for a setting that librdkafka doesn't take, with its name.
  public init(
    _ settings: KafkaSettings, time: any TimeSource, session: Duration = .seconds(45)
  ) throws(PortError) {
    self.settings = settings
    self.time = time
    self.session = session
    handle = try KafkaHandle(.reader, settings)
    topics = TopicDirectory(handle)
    producer = try KafkaProducer(settings)
    reader = Mutex(PartitionReader(try KafkaHandle(.reader, settings)))
    if settings.membership == .broker {
      // Made and dropped: what is wrong with it is said now, not at the first poll.
      _ = try KafkaHandle(.member(group: "check", name: "check", session: session), settings)
    }
  }

  /// See ``EventLog``, rule 4.
  public func createTopic(_ topic: String, partitions: Int) async throws(PortError) {
    let operation = PortMethod.log("createTopic")
    guard partitions > 0 else {
      throw operation.error(.invalid, "\(topic) needs at least 1 partition, not \(partitions)")
    }
    let name = settings.prefix + topic
    if try handle.createTopic(name, partitions: partitions, operation) {
      try await awaitTopic(name, partitions: partitions, operation)
      return topics.note(topic, partitions: partitions)
    }
    let existing = try topics.partitions(of: topic, operation)
    if existing != partitions {
      throw operation.error(
        .invalid,
        "\(topic) has \(existing) partitions, not \(partitions) ('\(name)' at "
          + "\(settings.servers)); delete it, or ask for \(existing)")
    }
  }

  /// Waits until the broker that is asked knows a new topic.
  private func awaitTopic(
    _ name: String, partitions: Int, _ operation: PortMethod
  ) async throws(PortError) {
    let deadline = ContinuousClock.now + settings.timeLimit
    while try handle.partitions(of: name, operation) != partitions {
      guard ContinuousClock.now < deadline else {
        throw operation.error(
          .unavailable, "'\(name)' was made, but \(settings.servers) doesn't show it yet")
      }
      handle.pause(.milliseconds(20))
    }
  }

  /// See ``EventLog``, rules 1–3.
  public func append(_ records: [ProducerRecord]) async throws(PortError) -> [RecordPosition] {
    guard !records.isEmpty else { return [] }
    let operation = PortMethod.log("append")
    let addressed = try address(records, operation)
    let deliveries = try producer.append(addressed)
    for (record, offset) in zip(addressed, deliveries.offsets) {
      if let offset {
        topics.note(record.partition, end: offset + 1)
      } else {
        topics.noteDoubt(record.partition)
      }
    }
    let names = Array(Set(addressed.map(\.partition.name)))
    for group in groups.withLock({ $0 }) { group.notify(subscribersTo: names) }
    if let failure = deliveries.failure {
      if failure.code == .notFound { topics.forget(names.map(\.text)) }
      throw failure
    }
    return zip(addressed, deliveries.offsets).map {
      RecordPosition(partition: $0.partition, offset: $1 ?? 0)
    }
  }

  /// The partition of each record; throws before anything is sent.
  private func address(
    _ records: [ProducerRecord], _ operation: PortMethod
  ) throws(PortError) -> [KafkaProducer.Addressed] {
    var counts: [String: Int] = [:]
    var addressed: [KafkaProducer.Addressed] = []
    addressed.reserveCapacity(records.count)
    for record in records {
      let known = counts[record.topic]
      let count =
        if let known { known } else { try topics.partitions(of: record.topic, operation) }
      if known == nil { counts[record.topic] = count }
      let partition =
        record.partition ?? record.recordKey?.partition(of: count) ?? 0
      guard (0..<count).contains(partition) else {
        throw operation.error(.invalid, "\(record.topic) has no partition \(partition)")
      }
      guard record.timestamp.microseconds >= 1000 else {
        throw operation.error(
          .invalid,
          "Kafka keeps timestamps after 1970-01-01T00:00:00Z only, not "
            + "\(record.timestamp.microseconds) µs")
      }
      let bytes = record.value.count + (record.key?.count ?? 0)
      guard bytes <= settings.recordBytes else {
        throw operation.error(
          .invalid,
          "a record for \(record.topic) has \(bytes) bytes; `record_bytes` is "
            + "\(settings.recordBytes)")
      }
      addressed.append(
        KafkaProducer.Addressed(
          record: record, partition: TopicPartition(record.topic, partition)))
    }
    return addressed
  }

  /// See ``EventLog``, rule 5.
  public func read(
    _ partition: TopicPartition, from offset: Int64, limit: Int
  ) async throws(PortError) -> [EventRecord] {
    let operation = PortMethod.log("read")
    try check(partition, operation)
    let start = max(offset, 0)
    let last = start.addingReportingOverflow(Int64(limit))
    let wanted = last.overflow ? .max : last.partialValue
    guard start < wanted else { return [] }
    var end = topics.knownEnd(of: partition) ?? 0
    if end < wanted { end = try topics.end(of: partition, operation) }
    return try reader.withLock { reader throws(PortError) in
      var (records, next) = ([EventRecord](), start)
      while records.count < limit, next < end,
        let record = try reader.record(of: partition, at: next, below: end, operation)
      {
        if record.offset >= end { break }
        records.append(record)
        next = record.offset + 1
      }
      return records
    }
  }

  /// See ``EventLog``, rule 6.
  public func ends(of topic: String) async throws(PortError) -> [Int64] {
    try topics.ends(of: topic, .log("ends"))
  }

  /// See ``EventLog``, rule 7.
  public func offset(
    of partition: TopicPartition, at time: EventTime
  ) async throws(PortError) -> Int64 {
    let operation = PortMethod.log("offset")
    try check(partition, operation)
    // Rounded up: a record of the same millisecond may be older than the instant, never the bound.
    // Negative numbers mean something else to the broker.
    let bound = max((time.microseconds + 999) / 1000, 0)
    let found = try handle.offsets(at: [partition: bound], operation)[partition] ?? -1
    if found >= 0 { return found }
    return try topics.end(of: partition, operation)
  }

  /// See ``EventLog``.
  public func join(
    _ group: String, member: String, topics names: [String]
  ) async throws(PortError) -> any EventConsumer {
    let operation = PortMethod.log("join")
    var subscribed: [ConsumerGroup.Topic] = []
    for (place, name) in names.sorted().enumerated() {
      subscribed.append(
        ConsumerGroup.Topic(
          TopicName(name), place: place,
          partitions: try topics.partitions(of: name, operation)))
    }
    switch settings.membership {
    case .clocked:
      return ClockedConsumer(
        log: self, group: try clockedGroup(group, operation), member: member, topics: subscribed)
    case .broker:
      return BrokerConsumer(log: self, group: group, member: member, topics: subscribed)
    }
  }

  /// A group of this process; it comes into being with what the broker has of it.
  private func clockedGroup(
    _ name: String, _ operation: PortMethod
  ) throws(PortError) -> ClockedGroup {
    try groups.withLock { groups throws(PortError) in
      if let known = groups.first(where: { $0.name == name }) { return known }
      let committed = try handle.committed(settings.prefix + name, operation)
      let group = ClockedGroup(
        name, committed: committed,
        try KafkaHandle(.group(settings.prefix + name), settings))
      groups.append(group)
      return group
    }
  }

  private func check(
    _ partition: TopicPartition, _ operation: PortMethod
  ) throws(PortError) {
    let count = try topics.partitions(of: partition.topic, operation)
    guard (0..<count).contains(partition.partition) else {
      throw operation.error(.notFound, "\(partition) doesn't exist")
    }
  }

  /// Begins anew, as if nothing of the prefix had ever been used.
  func forgetAll() throws(PortError) {
    let fresh = PartitionReader(try KafkaHandle(.reader, settings))
    topics.forget()
    reader.withLock { $0 = fresh }
    groups.withLock { $0 = [] }
  }
}
