import Moderation
import Ports

/// The stored records of all topics, by the topic's place and the partition.
struct TopicLogs {
  struct StoredRecord {
    /// Milliseconds since the epoch.
    var timestamp: Int64
    var key: RecordKey?
    var value: [UInt8]
  }

  private var names: [TopicName] = []
  private var topics: [[[StoredRecord]]] = []

  /// A topic's place; nil when there is no such topic. Topics are few.
  func index(of topic: TopicName) -> Int? { names.firstIndex(of: topic) }

  /// A topic as groups know it; nil when there is no such topic.
  func topic(_ name: TopicName) -> ConsumerGroup.Topic? {
    index(of: name).map {
      ConsumerGroup.Topic(name, place: $0, partitions: partitionCount($0))
    }
  }

  /// The names of the topics at `places`, each once.
  func names(of places: [Int]) -> [TopicName] {
    var isThere = names.map { _ in false }
    for place in places { isThere[place] = true }
    return names.indices.filter { isThere[$0] }.map { names[$0] }
  }

  /// A topic's number of partitions.
  func partitionCount(_ topic: Int) -> Int { topics[topic].count }

  /// The records of a partition that is there.
  func records(_ topic: Int, _ partition: Int) -> [StoredRecord] { topics[topic][partition] }

  /// The records of a partition; nil when there is no such partition.
  func records(_ partition: TopicPartition) -> [StoredRecord]? {
    guard let topic = index(of: partition.name),
      topics[topic].indices.contains(partition.partition)
    else { return nil }
    return topics[topic][partition.partition]
  }

  /// The next offsets of a topic's partitions; nil when there is no such topic.
  func ends(of topic: TopicName) -> [Int64]? {
    index(of: topic).map { topics[$0].map { Int64($0.count) } }
  }

  /// Makes a topic; gives the number of partitions that it has had already, if it was there.
  mutating func create(_ topic: TopicName, partitions: Int) -> Int? {
    if let place = index(of: topic) { return topics[place].count }
    names.append(topic)
    topics.append(Array(repeating: [], count: partitions))
    return nil
  }

  /// Appends a record to a topic that is there.
  mutating func append(_ record: ProducerRecord, to topic: Int) -> RecordPosition {
    let count = topics[topic].count
    let partition =
      record.partition ?? record.recordKey?.partition(of: count) ?? 0
    topics[topic][partition].append(
      StoredRecord(
        timestamp: record.timestamp.microseconds / 1000, key: record.recordKey,
        value: record.value))
    return RecordPosition(
      partition: TopicPartition(record.name, partition),
      offset: Int64(topics[topic][partition].count - 1))
  }
}

extension [TopicLogs.StoredRecord] {
  /// A record's timestamp; `Int64.max` at the end.
  func timestamp(_ offset: Int) -> Int64 { offset < count ? self[offset].timestamp : .max }
}
