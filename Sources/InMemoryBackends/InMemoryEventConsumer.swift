import Moderation
import Ports
import Synchronization

/// A member of a consumer group of ``InMemoryEventLog``.
final class InMemoryEventConsumer: EventConsumer {
  private let log: InMemoryEventLog
  /// The group's place in the log's state.
  private let group: Int
  private let member: String
  private let topics: [ConsumerGroup.Topic]
  private let signal: Signal

  init(
    log: InMemoryEventLog, group: Int, member: String, topics: [ConsumerGroup.Topic], signal: Signal
  ) {
    self.log = log
    self.group = group
    self.member = member
    self.topics = topics
    self.signal = signal
  }

  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll {
    while true {
      let now = log.time.now
      let isLast = now >= deadline || Task.isCancelled
      let (poll, others) = pollOnce(limit: limit, at: now, isLast: isLast)
      for other in others { other.notify() }
      if isLast || poll.assignment != nil || !poll.records.isEmpty { return poll }
      await log.time.wait(until: deadline, for: signal, reason: "records for \(member)")
    }
  }

  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    log.state.withLock { $0.groups[group].seek(member, offsets) }
  }

  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    let foreign = log.state.withLock { $0.groups[group].commit(member, offsets) }
    if let foreign {
      throw PortError(
        .fenced, port: "EventConsumer", operation: "commit",
        hint: "\(member) no longer owns \(foreign); poll for the new assignment")
    }
  }

  func committed() async throws(PortError) -> [TopicPartition: Int64] {
    log.state.withLock { $0.groups[group].committed }
  }

  func leave() async throws(PortError) {
    let others = log.state.withLock { $0.groups[group].leave(member) }
    for other in others { other.notify() }
  }

  /// - Parameter isLast: whether the caller returns even without records.
  private func pollOnce(
    limit: Int, at now: ProcessingTime, isLast: Bool
  ) -> (Poll, [Signal]) {
    log.state.withLock { state in
      let others = state.groups[group].notePoll(
        of: member, topics: topics, signal: signal, at: now, session: log.session)
      var poll = Poll()
      if let assignment = state.groups[group].takeAssignment(member) {
        poll.assignment = assignment
      } else {
        let logs = state.logs
        poll.records =
          state.groups[group].withLanes(of: member) { Self.merge(&$0, logs, limit) } ?? []
      }
      if isLast || poll.assignment != nil || !poll.records.isEmpty {
        state.groups[group].notePollEnd(of: member, at: now)
      }
      return (poll, others)
    }
  }

  /// Takes the next records in the order of (timestamp, topic, partition, offset).
  private static func merge(
    _ lanes: inout [ConsumerGroup.Lane], _ logs: TopicLogs, _ limit: Int
  ) -> [EventRecord] {
    // The timestamp of each lane's next record; the end of a lane is later than any.
    var heads = lanes.map { logs.timestamp($0.topic, $0.partition.partition, $0.position) }
    var merged: [EventRecord] = []
    while merged.count < limit {
      // Lanes are sorted, so the first of equal timestamps is the right one.
      var best = 0
      for index in heads.indices where heads[index] < heads[best] { best = index }
      guard best < heads.count, heads[best] < .max else { break }
      let (topic, partition) = (lanes[best].topic, lanes[best].partition.partition)
      merged.append(
        InMemoryEventLog.record(
          logs.record(topic, partition, lanes[best].position), lanes[best].partition,
          Int64(lanes[best].position)))
      lanes[best].position += 1
      heads[best] = logs.timestamp(topic, partition, lanes[best].position)
    }
    return merged
  }
}
