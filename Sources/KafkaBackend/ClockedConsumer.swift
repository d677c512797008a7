import Moderation
import Ports

/// A member of a ``ClockedGroup``: it waits on the log's clock, for its deadline or for an append
/// by this process, never in real time.
final class ClockedConsumer: EventConsumer {
  let log: KafkaEventLog
  let name: String
  let topics: [ConsumerGroup.Topic]
  let signal = Signal()
  private let group: ClockedGroup

  init(
    log: KafkaEventLog, group: ClockedGroup, member: String, topics: [ConsumerGroup.Topic]
  ) {
    self.log = log
    self.group = group
    self.name = member
    self.topics = topics
    group.restart(member, topics: topics, signal: signal)
  }

  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll {
    while true {
      let now = log.time.now
      let isLast = now >= deadline || Task.isCancelled
      let (poll, others) = try group.poll(self, limit: limit, at: now, isLast: isLast)
      for other in others { other.notify() }
      if isLast || poll.assignment != nil || !poll.records.isEmpty { return poll }
      await log.time.wait(until: deadline, for: signal, reason: "records for \(name)")
    }
  }

  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    group.seek(name, offsets)
  }

  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError) {
    try group.commit(name, offsets)
  }

  func committed() async throws(PortError) -> [TopicPartition: Int64] { group.committed }

  func leave() async throws(PortError) { group.leave(name) }
}
