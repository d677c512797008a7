import Moderation

/// The event stream: topics of partitions of records, as the Kafka protocol has them.
///
/// Contract (rule N is test N of `EventLogConformance`):
/// 1. Records of one partition are read in the order of their append; offsets are consecutive
///    from 0.
/// 2. A record with a key and no partition goes to `murmur2(key) mod partitions`; one without a key
///    to partition 0.
/// 3. `append` answers after all its records are stored, with a position for each, in order; it
///    throws when a topic doesn't exist, and then nothing was stored.
/// 4. `createTopic` is idempotent; a different number of partitions is an error.
/// 5. `read` gives records from an offset on, at most `limit`, without touching any group; beyond
///    the end it gives nothing.
/// 6. `ends` is the next offset of each partition, in the order of the partitions.
/// 7. `offset(of:at:)` is the first offset whose timestamp is at or after the instant, in
///    milliseconds; the end when there is none.
/// 8. Key, value and timestamp come back as they were; a nil key stays nil, an empty value empty.
public protocol EventLog: Sendable {
  /// Makes a topic.
  func createTopic(_ topic: String, partitions: Int) async throws(PortError)

  /// Appends records.
  func append(_ records: [ProducerRecord]) async throws(PortError) -> [RecordPosition]

  /// Reads one partition outside any group.
  func read(_ partition: TopicPartition, from offset: Int64, limit: Int) async throws(PortError)
    -> [EventRecord]

  /// The next offsets of a topic's partitions.
  func ends(of topic: String) async throws(PortError) -> [Int64]

  /// The first offset at or after an instant.
  func offset(of partition: TopicPartition, at time: EventTime) async throws(PortError) -> Int64

  /// Joins a consumer group; the subscription starts with the first poll.
  func join(_ group: String, member: String, topics: [String]) async throws(PortError)
    -> any EventConsumer
}

/// A member of a consumer group.
///
/// Contract (rule N is test N of `EventConsumerConformance`):
/// 1. Every partition of the subscribed topics belongs to exactly one member; members that join,
///    leave, or don't poll for the session's length cause a rebalance.
/// 2. A poll that finds a new assignment reports it, before any record of it.
/// 3. A newly assigned partition is read from the group's committed offset, else from the start,
///    unless ``seek(_:)`` says otherwise.
/// 4. A poll gives the available records of the assigned partitions merged by (timestamp, topic,
///    partition, offset), at most `limit`; with none it waits until there are some, until its
///    deadline, or until the task is cancelled.
/// 5. A commit of a partition that the member no longer owns throws `fenced` and commits nothing.
/// 6. Committed offsets survive the member.
/// 7. After `leave` the member's partitions go to the others.
public protocol EventConsumer: Sendable {
  /// Waits for records or for a new assignment.
  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll

  /// Continues partitions at offsets of the caller's choice.
  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError)

  /// Commits offsets for the group.
  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError)

  /// The group's committed offsets.
  func committed() async throws(PortError) -> [TopicPartition: Int64]

  /// Leaves the group.
  func leave() async throws(PortError)
}

/// What one poll found.
public struct Poll: Sendable {
  /// The partitions now owned, when that changed since the last poll; sorted.
  public var assignment: [TopicPartition]?
  /// Records in merge order.
  public var records: [EventRecord]

  /// A poll's result.
  public init(assignment: [TopicPartition]? = nil, records: [EventRecord] = []) {
    self.assignment = assignment
    self.records = records
  }
}

/// A partition of a topic.
public struct TopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The topic's name.
  public var name: TopicName
  /// From 0.
  public var partition: Int

  /// A partition of a topic.
  public init(_ topic: String, _ partition: Int) { self.init(TopicName(topic), partition) }

  /// A partition of a topic.
  public init(_ name: TopicName, _ partition: Int) {
    self.name = name
    self.partition = partition
  }

  /// The topic.
  public var topic: String { name.text }

  /// Feeds both parts.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(partition)
  }

  /// One multiplication: every record is looked up by its partition. See ``ID``.
  public func _rawHashValue(seed: Int) -> Int { name.mixed(with: partition, seed: seed) }

  /// Orders by topic, then partition.
  public static func < (a: Self, b: Self) -> Bool {
    a.name != b.name ? a.name < b.name : a.partition < b.partition
  }

  /// `topic-partition`.
  public var description: String { "\(topic)-\(partition)" }
}

/// A record to append.
public struct ProducerRecord: Hashable, Sendable {
  /// The topic's name.
  public var name: TopicName
  /// The partition; nil lets the key decide.
  public var partition: Int?
  /// What decides the partition, unless that is given.
  public var recordKey: RecordKey?
  /// The value.
  public var value: [UInt8]
  /// CreateTime; kept in whole milliseconds, as Kafka keeps it.
  public var timestamp: EventTime

  /// A record to append.
  public init(
    topic: String, partition: Int? = nil, key: [UInt8]?, value: [UInt8], timestamp: EventTime
  ) {
    self.init(
      topic: topic, partition: partition, recordKey: key.map(RecordKey.init), value: value,
      timestamp: timestamp)
  }

  /// A record to append.
  public init(
    topic: String, partition: Int? = nil, recordKey: RecordKey?, value: [UInt8],
    timestamp: EventTime
  ) {
    self.init(
      TopicName(topic), partition: partition, recordKey: recordKey, value: value,
      timestamp: timestamp)
  }

  /// A record to append.
  public init(
    _ name: TopicName, partition: Int? = nil, recordKey: RecordKey?, value: [UInt8],
    timestamp: EventTime
  ) {
    self.name = name
    self.partition = partition
    self.recordKey = recordKey
    self.value = value
    self.timestamp = timestamp
  }

  /// The topic.
  public var topic: String { name.text }

  /// The key's bytes: UTF-8 text of an id, usually.
  public var key: [UInt8]? { recordKey?.bytes }
}

/// Where a record stands.
public struct RecordPosition: Hashable, Sendable {
  /// The partition.
  public var partition: TopicPartition
  /// The offset in it.
  public var offset: Int64

  /// A position.
  public init(partition: TopicPartition, offset: Int64) {
    self.partition = partition
    self.offset = offset
  }

  /// Feeds both parts.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(partition)
    hasher.combine(offset)
  }

  /// A multiplication for each part: whole logs are looked up by position. See ``ID``.
  public func _rawHashValue(seed: Int) -> Int {
    let spread = UInt64(bitPattern: offset) &* 0x9e37_79b9_7f4a_7c15
    return partition._rawHashValue(seed: seed ^ Int(truncatingIfNeeded: spread))
  }
}

/// A record as read.
public struct EventRecord: Hashable, Sendable {
  /// Where it stands.
  public var partition: TopicPartition
  /// The offset in its partition.
  public var offset: Int64
  /// CreateTime in milliseconds since the epoch.
  public var timestampMilliseconds: Int64
  /// The key, if any.
  public var recordKey: RecordKey?
  /// The value.
  public var value: [UInt8]

  /// A record as read.
  public init(
    partition: TopicPartition, offset: Int64, timestampMilliseconds: Int64, recordKey: RecordKey?,
    value: [UInt8]
  ) {
    self.partition = partition
    self.offset = offset
    self.timestampMilliseconds = timestampMilliseconds
    self.recordKey = recordKey
    self.value = value
  }

  /// The key's bytes.
  public var key: [UInt8]? { recordKey?.bytes }
}
