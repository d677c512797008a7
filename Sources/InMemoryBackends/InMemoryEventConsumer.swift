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
    let stored = lanes.map { logs.records($0.topic, $0.partition.partition) }
    let available = zip(stored, lanes).reduce(0) { $0 + max(0, $1.0.count - $1.1.position) }
    guard available > 0 else { return [] }
    // The timestamp of each lane's next record; the end of a lane is later than any.
    var heads = lanes.indices.map { stored[$0].timestamp(lanes[$0].position) }
    let wanted = min(limit, available)
    var merged: [EventRecord] = []
    merged.reserveCapacity(wanted)
    while merged.count < wanted {
      // Lanes are sorted, so the first of equal timestamps is the right one.
      var best = 0
      var earliest = heads[0]
      for index in heads.indices where heads[index] < earliest {
        (best, earliest) = (index, heads[index])
      }
      let position = lanes[best].position
      merged.append(
        InMemoryEventLog.record(stored[best][position], lanes[best].partition, Int64(position)))
      lanes[best].position = position + 1
      heads[best] = stored[best].timestamp(position + 1)
    }
    return merged
  }
}
