import Moderation

/// A consumer group's state: who is in it, who owns what, what is committed. No I/O, no clock:
/// event logs that decide about their groups in this process share these rules.
///
/// The rules: a member is in from its first poll on, and out when it leaves, or when it has neither
/// polled for the session's length nor waits in a poll. Each such change is a new generation, which
/// gives every partition anew, round robin over the sorted partitions and members; a member learns
/// its share at its next poll. A member that starts anew under its old name keeps its place.
public struct ConsumerGroup: Sendable {
  /// A topic that a member subscribes to. Its partitions never change.
  public struct Topic: Hashable, Sendable {
    /// The topic's name.
    public var name: TopicName
    /// Where the log keeps the topic; ``Lane/topic`` hands it back.
    public var place: Int
    /// How many partitions it has.
    public var partitions: Int

    /// A topic as a log knows it.
    public init(_ name: TopicName, place: Int, partitions: Int) {
      self.name = name
      self.place = place
      self.partitions = partitions
    }
  }

  /// One owned partition and the next offset to read of it.
  @frozen public struct Lane: Sendable {
    /// The partition.
    public var partition: TopicPartition
    /// The topic's place in the log.
    public var topic: Int
    /// The next offset to read.
    public var position: Int
  }

  @usableFromInline struct Member: Sendable {
    var topics: [Topic]
    var signal: Signal
    var lastPoll: ProcessingTime
    /// Whether it waits inside a poll: then its client sends heartbeats all the while.
    var isPolling = false
    /// The generation whose assignment the member knows; nil before its first poll.
    var knownGeneration: Int?
    /// What it owns, by (topic, partition).
    @usableFromInline var lanes: [Lane] = []
  }

  @usableFromInline var members: [String: Member] = [:]
  /// The next offsets to read, as committed.
  public private(set) var committed: [TopicPartition: Int64]
  private var generation = 0
  private var owners: [TopicPartition: String] = [:]

  /// A group without members.
  ///
  /// - Parameter committed: what an earlier process committed.
  public init(committed: [TopicPartition: Int64] = [:]) { self.committed = committed }

  /// The signals of the members that subscribe to any of the topics, by member name.
  public func signals(subscribedTo topics: [TopicName]) -> [Signal] {
    if members.count == 1, let only = members.values.first {
      return only.topics.contains { topics.contains($0.name) } ? [only.signal] : []
    }
    return members.sorted { $0.key < $1.key }.compactMap { _, member in
      member.topics.contains { topics.contains($0.name) } ? member.signal : nil
    }
  }

  /// Notes a poll: expires who stayed away, takes in who is new. Gives the signals of the members
  /// to wake because of a rebalance.
  public mutating func notePoll(
    of name: String, topics: [Topic], signal: Signal, at now: ProcessingTime, session: Duration
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
    rebalance()
    return members.filter { $0.key != name }.sorted { $0.key < $1.key }.map(\.value.signal)
  }

  /// Notes that a poll came back.
  public mutating func notePollEnd(of name: String, at now: ProcessingTime) {
    members[name]?.isPolling = false
    members[name]?.lastPoll = now
  }

  /// A member that starts anew under its old name (a process restarted within its session) gets
  /// its assignment again.
  public mutating func restart(_ name: String, topics: [Topic], signal: Signal) {
    guard let old = members[name] else { return }
    members[name]?.knownGeneration = nil
    members[name]?.signal = signal
    members[name]?.topics = topics
    members[name]?.isPolling = false
    if old.topics != topics { rebalance() }
  }

  /// The member's assignment, when it doesn't know it yet; positions start at the committed
  /// offsets.
  public mutating func takeAssignment(_ name: String) -> [TopicPartition]? {
    guard let index = members.index(forKey: name),
      members.values[index].knownGeneration != generation
    else { return nil }
    let assignment = owners.filter { $0.value == name }.keys.sorted()
    let topics = members.values[index].topics
    members.values[index].knownGeneration = generation
    members.values[index].lanes = assignment.map { partition in
      Lane(
        partition: partition, topic: topics.first { $0.name == partition.name }?.place ?? 0,
        position: Int(committed[partition] ?? 0))
    }
    return assignment
  }

  /// Lets `read` take records from the member's lanes and move their positions.
  @inlinable public mutating func withLanes<Value, Failure: Error>(
    of name: String, _ read: (inout [Lane]) throws(Failure) -> Value
  ) throws(Failure) -> Value? {
    guard let index = members.index(forKey: name) else { return nil }
    return try read(&members.values[index].lanes)
  }

  /// Moves the member's positions of partitions that it owns.
  public mutating func seek(_ name: String, _ offsets: [TopicPartition: Int64]) {
    guard let index = members.index(forKey: name) else { return }
    for lane in members.values[index].lanes.indices {
      if let offset = offsets[members.values[index].lanes[lane].partition] {
        members.values[index].lanes[lane].position = Int(offset)
      }
    }
  }

  /// The first of the partitions that the member doesn't own.
  public func foreign(to name: String, _ offsets: [TopicPartition: Int64]) -> TopicPartition? {
    offsets.keys.sorted().first { owners[$0] != name }
  }

  /// Commits, or names the partition that the member doesn't own.
  public mutating func commit(
    _ name: String, _ offsets: [TopicPartition: Int64]
  ) -> TopicPartition? {
    if let foreign = foreign(to: name, offsets) { return foreign }
    committed.merge(offsets) { $1 }
    return nil
  }

  /// Removes a member; gives the signals of the others.
  public mutating func leave(_ name: String) -> [Signal] {
    guard members.removeValue(forKey: name) != nil else { return [] }
    rebalance()
    return members.sorted { $0.key < $1.key }.map(\.value.signal)
  }

  /// Round robin over the sorted partitions and members.
  private mutating func rebalance() {
    generation += 1
    owners = [:]
    let names = members.keys.sorted()
    let topics = Set(members.values.flatMap(\.topics)).sorted { $0.name < $1.name }
    var turn = 0
    for topic in topics {
      let subscribers = names.filter { members[$0]?.topics.contains(topic) ?? false }
      for partition in 0..<topic.partitions {
        owners[TopicPartition(topic.name, partition)] = subscribers[turn % subscribers.count]
        turn += 1
      }
    }
  }
}
