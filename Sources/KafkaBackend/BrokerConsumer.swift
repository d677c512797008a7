import Moderation
import Ports
import Synchronization

/// A member of a group that the broker decides about, in real time.
///
/// A member that is dropped without ``leave()`` is one whose process died: the broker takes its
/// partitions when its session is over. One that doesn't poll for the session's length leaves by
/// itself and comes back with its next poll.
final class BrokerConsumer: EventConsumer {
  /// How long a poll holds its thread before it looks whether it was cancelled.
  private static let slice: Int64 = 100

  private let log: KafkaEventLog
  private let group: String
  private let name: String
  private let topics: [ConsumerGroup.Topic]
  /// Nil before the first poll and after a leave.
  private let membership = Mutex<BrokerMembership?>(nil)

  init(
    log: KafkaEventLog, group: String, member: String, topics: [ConsumerGroup.Topic]
  ) {
    self.log = log
    self.group = group
    self.name = member
    self.topics = topics
  }

  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll {
    var wasDown = false
    while true {
      let left = (deadline.microseconds - log.time.now.microseconds + 999) / 1000
      let isLast = left <= 0 || Task.isCancelled
      let wait = isLast ? 0 : min(left, Self.slice)
      let (poll, isDown) = try look(limit: limit, wait: wait)
      if poll.assignment != nil || !poll.records.isEmpty { return poll }
      wasDown = wasDown || isDown
      guard isLast else {
        await Task.yield()
        continue
      }
      if wasDown, !Task.isCancelled { throw unreachable }
      return poll
    }
  }

  private func look(
    limit: Int, wait: Int64
  ) throws(PortError) -> (poll: Poll, isDown: Bool) {
    try membership.withLock { membership throws(PortError) in
      if membership?.isOver ?? true {
        membership = try BrokerMembership(log, group: group, name: name, topics)
      }
      guard var member = membership else { return (Poll(), false) }
      defer { membership = member }
      return (try member.look(limit: limit, wait: Int32(wait)), member.takeDown())
    }
  }

  private var unreachable: PortError {
    let last = membership.withLock { $0?.lastError }.map { "; it said: \($0)" } ?? ""
    return PortMethod.consumer("poll").error(
      .unavailable,
      "no broker of \(log.settings.servers) answers \(name)\(last); start it, or correct "
        + "`servers`, `security_protocol` or the network")
  }

  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try membership.withLock { membership throws(PortError) in try membership?.seek(offsets) }
  }

  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try membership.withLock { membership throws(PortError) in
      guard let member = membership else {
        throw PortMethod.consumer("commit").error(
          .fenced, "\(name) owns nothing; poll for an assignment")
      }
      try member.commit(offsets)
    }
  }

  func committed() async throws(PortError) -> [TopicPartition: Int64] {
    try log.handle.committed(log.settings.prefix + group, .consumer("committed"))
  }

  func leave() async throws(PortError) {
    membership.withLock { membership in
      membership?.leave()
      membership = nil
    }
  }
}
