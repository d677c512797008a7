import Moderation
import Ports

/// The stored records of all topics, by the topic's place and the partition.
struct TopicLogs {
  struct StoredRecord {
    /// Milliseconds since the epoch.
    var timestamp: Int64
    var key: [UInt8]?
    var value: [UInt8]
  }

  private var places: [String: Int] = [:]
  private var topics: [[[StoredRecord]]] = []

  /// A topic's place; nil when there is no such topic.
  func index(of topic: String) -> Int? { places[topic] }

  /// A topic's number of partitions; 0 when there is no such topic.
  func partitionCount(of topic: String) -> Int { places[topic].map { topics[$0].count } ?? 0 }

  /// How many records a partition holds.
  func count(_ topic: Int, _ partition: Int) -> Int { topics[topic][partition].count }

  /// A record.
  func record(_ topic: Int, _ partition: Int, _ offset: Int) -> StoredRecord {
    topics[topic][partition][offset]
  }

  /// The records of a partition; nil when there is no such partition.
  func records(_ partition: TopicPartition) -> [StoredRecord]? {
    guard let topic = places[partition.topic], topics[topic].indices.contains(partition.partition)
    else { return nil }
    return topics[topic][partition.partition]
  }

  /// The next offsets of a topic's partitions; nil when there is no such topic.
  func ends(of topic: String) -> [Int64]? {
    places[topic].map { topics[$0].map { Int64($0.count) } }
  }

  /// Makes a topic; gives the number of partitions that it has had already, if it was there.
  mutating func create(_ topic: String, partitions: Int) -> Int? {
    if let place = places[topic] { return topics[place].count }
    places[topic] = topics.count
    topics.append(Array(repeating: [], count: partitions))
    return nil
  }

  /// Appends a record to a topic that is there.
  mutating func append(_ record: ProducerRecord, to topic: Int) -> RecordPosition {
    let count = topics[topic].count
    let partition =
      record.partition ?? record.key.map { Murmur2.partition(of: $0, count: count) } ?? 0
    topics[topic][partition].append(
      StoredRecord(
        timestamp: record.timestamp.microseconds / 1000, key: record.key, value: record.value))
    return RecordPosition(
      partition: TopicPartition(record.topic, partition),
      offset: Int64(topics[topic][partition].count - 1))
  }
}
