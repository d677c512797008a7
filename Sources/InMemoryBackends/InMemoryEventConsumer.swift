import Moderation
import Ports
import Synchronization

/// A member of a consumer group of ``InMemoryEventLog``.
final class InMemoryEventConsumer: EventConsumer {
  private let log: InMemoryEventLog
  private let group: String
  private let member: String
  private let topics: [String]
  private let signal: Signal

  init(
    log: InMemoryEventLog, group: String, member: String, topics: [String], signal: Signal
  ) {
    self.signal = signal
    self.log = log
    self.group = group
    self.member = member
    self.topics = topics.sorted()
  }

  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll {
    while true {
      let now = log.time.now
      let (poll, others) = pollOnce(limit: limit, at: now)
      for other in others { other.notify() }
      if poll.assignment != nil || !poll.records.isEmpty || now >= deadline || Task.isCancelled {
        log.state.withLock { $0.groups[group]?.notePollEnd(of: member, at: now) }
        return poll
      }
      await log.time.wait(until: deadline, for: signal, reason: "records for \(group)/\(member)")
    }
  }

  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    log.state.withLock { $0.groups[group]?.seek(member, offsets) }
  }

  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    let foreign = log.state.withLock { state in
      state.groups[group, default: ConsumerGroup()].commit(member, offsets)
    }
    if let foreign {
      throw PortError(
        .fenced, port: "EventConsumer", operation: "commit",
        hint: "\(member) no longer owns \(foreign); poll for the new assignment")
    }
  }

  func committed() async throws(PortError) -> [TopicPartition: Int64] {
    log.state.withLock { $0.groups[group]?.committed ?? [:] }
  }

  func leave() async throws(PortError) {
    let others = log.state.withLock { state -> [Signal] in
      let topics = state.topics
      return state.groups[group]?.leave(member) { topics[$0]?.count ?? 0 } ?? []
    }
    for other in others { other.notify() }
  }

  private func pollOnce(limit: Int, at now: ProcessingTime) -> (Poll, [Signal]) {
    log.state.withLock { state in
      // Taken out while it changes, so that it is changed in place.
      var own = state.groups[group] ?? ConsumerGroup()
      state.groups[group] = nil
      defer { state.groups[group] = own }
      let others = own.notePoll(
        of: member, topics: topics, signal: signal, at: now, session: log.session,
        partitions: { state.topics[$0]?.count ?? 0 })
      if let assignment = own.takeAssignment(member) {
        return (Poll(assignment: assignment), others)
      }
      return (Poll(records: merge(&own, state, limit: limit)), others)
    }
  }

  /// Takes the next records in the order of (timestamp, topic, partition, offset).
  private func merge(
    _ own: inout ConsumerGroup, _ state: InMemoryEventLog.State, limit: Int
  ) -> [EventRecord] {
    var lanes: [Lane] = []
    for (partition, position) in own.positions(of: member) {
      guard let records = state.topics[partition.topic]?[partition.partition],
        position < records.count
      else { continue }
      lanes.append(Lane(partition: partition, records: records, position: Int(position)))
    }
    guard !lanes.isEmpty else { return [] }
    var merged: [EventRecord] = []
    while merged.count < limit, let next = Self.earliest(lanes) {
      let lane = lanes[next]
      merged.append(
        InMemoryEventLog.record(
          lane.records[lane.position], lane.partition, Int64(lane.position)))
      lanes[next].position += 1
    }
    own.seek(
      member,
      Dictionary(uniqueKeysWithValues: lanes.map { ($0.partition, Int64($0.position)) }))
    return merged
  }

  /// Lanes are sorted by (topic, partition), so the first of equal timestamps is the right one.
  private static func earliest(_ lanes: [Lane]) -> Int? {
    var best: Int?
    var bestTimestamp = Int64.max
    for (index, lane) in lanes.enumerated() where lane.position < lane.records.count {
      let timestamp = lane.records[lane.position].timestamp
      if timestamp < bestTimestamp {
        best = index
        bestTimestamp = timestamp
      }
    }
    return best
  }

  private struct Lane {
    let partition: TopicPartition
    let records: [InMemoryEventLog.StoredRecord]
    var position: Int
  }
}
