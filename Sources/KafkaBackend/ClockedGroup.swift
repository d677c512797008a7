import CKafka
import Moderation
import Ports
import Synchronization

/// A consumer group that this process decides about: the in-memory log's rules on the same clock,
/// with records and committed offsets at the broker.
final class ClockedGroup: Sendable {
  private struct State {
    var group: ConsumerGroup
    var reader: PartitionReader
  }

  /// The callers' name.
  let name: String
  private let handle: KafkaHandle
  private let state: Mutex<State>

  /// A group without members.
  ///
  /// - Parameters:
  ///   - committed: what the broker has.
  ///   - handle: a client with the group's id, of its own.
  init(_ name: String, committed: [TopicPartition: Int64], _ handle: KafkaHandle) {
    self.name = name
    self.handle = handle
    state = Mutex(
      State(group: ConsumerGroup(committed: committed), reader: PartitionReader(handle)))
  }

  /// Wakes the members that subscribe to any of the topics.
  func notify(subscribersTo topics: [TopicName]) {
    for signal in state.withLock({ $0.group.signals(subscribedTo: topics) }) { signal.notify() }
  }

  /// A member that may have been here before.
  func restart(_ member: String, topics: [ConsumerGroup.Topic], signal: Signal) {
    state.withLock { $0.group.restart(member, topics: topics, signal: signal) }
  }

  /// One look: news of the assignment, else the records there are.
  ///
  /// - Parameter isLast: whether the caller returns even without records.
  func poll(
    _ member: ClockedConsumer, limit: Int, at now: ProcessingTime, isLast: Bool
  ) throws(PortError) -> (poll: Poll, toWake: [Signal]) {
    try state.withLock { state throws(PortError) in
      let others = state.group.notePoll(
        of: member.name, topics: member.topics, signal: member.signal, at: now,
        session: member.log.session)
      if let assignment = state.group.takeAssignment(member.name) {
        state.group.notePollEnd(of: member.name, at: now)
        return (Poll(assignment: assignment), others)
      }
      do throws(PortError) {
        let records = try Self.take(&state.group, &state.reader, member, limit)
        if isLast || !records.isEmpty { state.group.notePollEnd(of: member.name, at: now) }
        return (Poll(records: records), others)
      } catch {
        state.group.notePollEnd(of: member.name, at: now)
        throw error
      }
    }
  }

  /// Takes the next records in the order of (timestamp, topic, partition, offset), up to the ends
  /// as they are now. What fails moves no position.
  private static func take(
    _ group: inout ConsumerGroup, _ reader: inout PartitionReader, _ member: ClockedConsumer,
    _ limit: Int
  ) throws(PortError) -> [EventRecord] {
    let operation = PortMethod.consumer("poll")
    let topics = member.log.topics
    let taken = try group.withLanes(of: member.name) {
      lanes throws(PortError) -> [EventRecord] in
      var ends: [Int64] = []
      for lane in lanes { ends.append(try topics.end(of: lane.partition, operation)) }
      let (records, positions) = try Merge.take(limit, from: lanes.map { Int64($0.position) }) {
        index, offset throws(PortError) -> EventRecord? in
        guard offset < ends[index] else { return nil }
        return try reader.record(
          of: lanes[index].partition, at: offset, below: ends[index], operation)
      }
      for index in lanes.indices { lanes[index].position = Int(positions[index]) }
      return records
    }
    return taken ?? []
  }

  /// Moves a member's positions.
  func seek(_ member: String, _ offsets: [TopicPartition: Int64]) {
    state.withLock { $0.group.seek(member, offsets) }
  }

  /// Commits at the broker, then here; what the member doesn't own is fenced before anything.
  func commit(_ member: String, _ offsets: [TopicPartition: Int64]) throws(PortError) {
    let operation = PortMethod.consumer("commit")
    try state.withLock { state throws(PortError) in
      if let foreign = state.group.foreign(to: member, offsets) {
        throw operation.error(
          .fenced, "\(member) no longer owns \(foreign); poll for the new assignment")
      }
      try handle.commit(offsets, of: name, operation)
      _ = state.group.commit(member, offsets)
    }
  }

  /// What the group committed.
  var committed: [TopicPartition: Int64] { state.withLock { $0.group.committed } }

  /// Removes a member.
  func leave(_ member: String) {
    for signal in state.withLock({ $0.group.leave(member) }) { signal.notify() }
  }
}

extension KafkaHandle {
  /// Commits offsets for the client's group, by the callers' names, and waits for the answer.
  func commit(
    _ offsets: [TopicPartition: Int64], of group: String, _ operation: PortMethod
  ) throws(PortError) {
    guard !offsets.isEmpty else { return }
    let list = PartitionList(offsets, prefix: settings.prefix)
    let code = KafkaCode(rd_kafka_commit(client.raw, list.raw, 0))
    let failure = code.raw == RD_KAFKA_RESP_ERR_NO_ERROR ? list.firstError?.code : code
    guard let failure else { return }
    throw error(failure, operation, "the offsets of group \(group) aren't committed")
  }
}
