import Moderation
import Ports

/// A consumer group's state: who is in it, who owns what, what is committed. No I/O, no clock.
struct ConsumerGroup {
  /// One owned partition and the next offset to read of it.
  struct Lane {
    var partition: TopicPartition
    /// The topic's place in the log.
    var topic: Int
    var position: Int
  }

  struct Member {
    var topics: [String]
    var signal: Signal
    var lastPoll: ProcessingTime
    /// Whether it waits inside a poll: then its client sends heartbeats all the while.
    var isPolling = false
    /// The generation whose assignment the member knows; nil before its first poll.
    var knownGeneration: Int?
    /// What it owns, by (topic, partition).
    var lanes: [Lane] = []
  }

  private var members: [String: Member] = [:]
  private(set) var committed: [TopicPartition: Int64] = [:]
  private var generation = 0
  private var owners: [TopicPartition: String] = [:]

  /// The signals of the members that subscribe to any of the topics, by member name.
  func signals(subscribedTo topics: [String]) -> [Signal] {
    if members.count == 1, let only = members.values.first {
      return only.topics.contains { topics.contains($0) } ? [only.signal] : []
    }
    return members.sorted { $0.key < $1.key }.compactMap { _, member in
      member.topics.contains { topics.contains($0) } ? member.signal : nil
    }
  }

  /// Notes a poll: expires who stayed away, takes in who is new. Gives the signals of the members
  /// to wake because of a rebalance.
  mutating func notePoll(
    of name: String, topics: [String], signal: Signal, at now: ProcessingTime, session: Duration,
    in log: TopicLogs
  ) -> [Signal] {
    if let index = members.index(forKey: name) {
      members.values[index].lastPoll = now
      members.values[index].isPolling = true
      if members.count == 1 { return [] }
    }
    let expired = members.filter {
      $0.key != name && !$0.value.isPolling && $0.value.lastPoll + session < now
    }
    for (name, _) in expired { members[name] = nil }
    let isNew = members[name] == nil
    if isNew {
      members[name] = Member(topics: topics, signal: signal, lastPoll: now, isPolling: true)
    }
    guard isNew || !expired.isEmpty else { return [] }
    rebalance(log)
    return members.filter { $0.key != name }.sorted { $0.key < $1.key }.map(\.value.signal)
  }

  /// Notes that a poll came back.
  mutating func notePollEnd(of name: String, at now: ProcessingTime) {
    members[name]?.isPolling = false
    members[name]?.lastPoll = now
  }

  /// A member that starts anew under its old name (a process restarted within its session) gets
  /// its assignment again.
  mutating func restart(_ name: String, topics: [String], signal: Signal, in log: TopicLogs) {
    guard let old = members[name] else { return }
    members[name]?.knownGeneration = nil
    members[name]?.signal = signal
    members[name]?.topics = topics
    members[name]?.isPolling = false
    if old.topics != topics { rebalance(log) }
  }

  /// The member's assignment, when it doesn't know it yet; positions start at the committed
  /// offsets.
  mutating func takeAssignment(_ name: String, in log: TopicLogs) -> [TopicPartition]? {
    guard let index = members.index(forKey: name),
      members.values[index].knownGeneration != generation
    else { return nil }
    let assignment = owners.filter { $0.value == name }.keys.sorted()
    members.values[index].knownGeneration = generation
    members.values[index].lanes = assignment.map { partition in
      Lane(
        partition: partition, topic: log.index(of: partition.topic) ?? 0,
        position: Int(committed[partition] ?? 0))
    }
    return assignment
  }

  /// Lets `read` take records from the member's lanes and move their positions.
  mutating func withLanes<Value>(of name: String, _ read: (inout [Lane]) -> Value) -> Value? {
    guard let index = members.index(forKey: name) else { return nil }
    return read(&members.values[index].lanes)
  }

  /// Moves the member's positions of partitions that it owns.
  mutating func seek(_ name: String, _ offsets: [TopicPartition: Int64]) {
    guard let index = members.index(forKey: name) else { return }
    for lane in members.values[index].lanes.indices {
      if let offset = offsets[members.values[index].lanes[lane].partition] {
        members.values[index].lanes[lane].position = Int(offset)
      }
    }
  }

  /// Commits, or names the partition that the member doesn't own.
  mutating func commit(_ name: String, _ offsets: [TopicPartition: Int64]) -> TopicPartition? {
    if let foreign = offsets.keys.sorted().first(where: { owners[$0] != name }) { return foreign }
    committed.merge(offsets) { $1 }
    return nil
  }

  /// Removes a member; gives the signals of the others.
  mutating func leave(_ name: String, in log: TopicLogs) -> [Signal] {
    guard members.removeValue(forKey: name) != nil else { return [] }
    rebalance(log)
    return members.sorted { $0.key < $1.key }.map(\.value.signal)
  }

  /// Round robin over the sorted partitions and members.
  private mutating func rebalance(_ log: TopicLogs) {
    generation += 1
    owners = [:]
    let names = members.keys.sorted()
    guard !names.isEmpty else { return }
    let topics = Set(members.values.flatMap(\.topics)).sorted()
    var turn = 0
    for topic in topics {
      let subscribers = names.filter { members[$0]?.topics.contains(topic) ?? false }
      for partition in 0..<(log.index(of: topic).map(log.partitionCount) ?? 0) {
        owners[TopicPartition(topic, partition)] = subscribers[turn % subscribers.count]
        turn += 1
      }
    }
  }
}
