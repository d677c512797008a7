import Moderation
import Ports
import Synchronization

/// An ``EventLog`` in memory.
///
/// *Fidelity.* Modelled: partitions, offsets, keys by murmur2, timestamps in milliseconds, groups
/// with generations, sessions and fencing, an eager round-robin assignment. Not modelled:
/// replication, retention, batching, compression, transactions, the broker's own latency, and
/// assignment strategies that keep partitions where they are. That could hide: code that relies on
/// records being there at once after an append, or that copes only with round-robin.
public final class InMemoryEventLog: EventLog {
  struct State {
    var logs = TopicLogs()
    var groups: [ConsumerGroup] = []
    var groupPlaces: [String: Int] = [:]

    /// A group's place; a group comes into being when its name is first used.
    mutating func place(of group: String) -> Int {
      if let place = groupPlaces[group] { return place }
      groupPlaces[group] = groups.count
      groups.append(ConsumerGroup())
      return groups.count - 1
    }
  }

  let state = Mutex(State())
  let time: any TimeSource
  let session: Duration

  /// An empty log.
  ///
  /// - Parameter session: how long a member may stay away before its partitions go to others.
  public init(time: any TimeSource, session: Duration = .seconds(45)) {
    self.time = time
    self.session = session
  }

  /// See ``EventLog``, rule 4.
  public func createTopic(_ topic: String, partitions: Int) async throws(PortError) {
    guard partitions > 0 else {
      throw error(.invalid, "createTopic", "\(topic) needs at least 1 partition, not \(partitions)")
    }
    let existing = state.withLock { $0.logs.create(TopicName(topic), partitions: partitions) }
    if let existing, existing != partitions {
      throw error(
        .invalid, "createTopic", "\(topic) has \(existing) partitions, not \(partitions)")
    }
  }

  /// See ``EventLog``, rules 1–3.
  public func append(_ records: [ProducerRecord]) async throws(PortError) -> [RecordPosition] {
    let (result, signals) = state.withLock {
      state -> (Result<[RecordPosition], PortError>, [Signal]) in
      var places: [Int] = []
      places.reserveCapacity(records.count)
      for record in records {
        guard let place = state.logs.index(of: record.name) else {
          return (.failure(error(.notFound, "append", "topic \(record.topic) doesn't exist")), [])
        }
        let count = state.logs.partitionCount(place)
        if let partition = record.partition, !(0..<count).contains(partition) {
          let hint = "\(record.topic) has no partition \(partition)"
          return (.failure(error(.invalid, "append", hint)), [])
        }
        places.append(place)
      }
      let positions = zip(records, places).map { state.logs.append($0, to: $1) }
      let topics = state.logs.names(of: places)
      return (.success(positions), state.groups.flatMap { $0.signals(subscribedTo: topics) })
    }
    for signal in signals { signal.notify() }
    return try result.get()
  }

  /// See ``EventLog``, rule 5.
  public func read(
    _ partition: TopicPartition, from offset: Int64, limit: Int
  ) async throws(PortError) -> [EventRecord] {
    try withPartition(partition, "read") { records in
      let start = min(max(Int(offset), 0), records.count)
      let end = start + min(limit, records.count - start)
      return (start..<end).map { Self.record(records[$0], partition, Int64($0)) }
    }
  }

  /// See ``EventLog``, rule 6.
  public func ends(of topic: String) async throws(PortError) -> [Int64] {
    guard let ends = state.withLock({ $0.logs.ends(of: TopicName(topic)) }) else {
      throw error(.notFound, "ends", "topic \(topic) doesn't exist")
    }
    return ends
  }

  /// See ``EventLog``, rule 7.
  public func offset(
    of partition: TopicPartition, at time: EventTime
  ) async throws(PortError) -> Int64 {
    // Rounded up: a record of the same millisecond may be older than the instant, never the bound.
    let bound = (time.microseconds + 999) / 1000
    return try withPartition(partition, "offset") { records in
      Int64(records.firstIndex { $0.timestamp >= bound } ?? records.count)
    }
  }

  /// See ``EventLog``.
  public func join(
    _ group: String, member: String, topics: [String]
  ) async throws(PortError) -> any EventConsumer {
    let known = state.withLock { state in topics.sorted().map { state.logs.topic(TopicName($0)) } }
    if let unknown = zip(topics.sorted(), known).first(where: { $1 == nil })?.0 {
      throw error(.notFound, "join", "topic \(unknown) doesn't exist")
    }
    let (subscribed, signal) = (known.compactMap(\.self), Signal())
    let place = state.withLock { state in
      let place = state.place(of: group)
      state.groups[place].restart(member, topics: subscribed, signal: signal)
      return place
    }
    return InMemoryEventConsumer(
      log: self, group: place, member: member, topics: subscribed, signal: signal)
  }

  static func record(
    _ stored: TopicLogs.StoredRecord, _ partition: TopicPartition, _ offset: Int64
  ) -> EventRecord {
    EventRecord(
      partition: partition, offset: offset, timestampMilliseconds: stored.timestamp,
      recordKey: stored.key, value: stored.value)
  }

  func error(_ code: PortError.Code, _ operation: String, _ hint: String) -> PortError {
    PortError(code, port: "EventLog", operation: operation, hint: hint)
  }

  private func withPartition<Value: Sendable>(
    _ partition: TopicPartition, _ operation: String,
    _ body: @Sendable ([TopicLogs.StoredRecord]) -> Value
  ) throws(PortError) -> Value {
    guard let value = state.withLock({ $0.logs.records(partition).map(body) }) else {
      throw error(.notFound, operation, "\(partition) doesn't exist")
    }
    return value
  }
}
