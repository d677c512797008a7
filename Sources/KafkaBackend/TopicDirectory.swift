import Ports
import Synchronization

/// What is known of the topics: their partitions, which never change, and the next offsets as far
/// as this process can tell without asking. By the callers' names.
final class TopicDirectory: Sendable {
  private struct Topic {
    var partitions: Int
    /// The next offset of each partition; nil where the broker has to be asked.
    var ends: [Int64?]
  }

  private let handle: KafkaHandle
  private let topics = Mutex<[String: Topic]>([:])

  init(_ handle: KafkaHandle) { self.handle = handle }

  /// A topic's number of partitions; throws `notFound`.
  func partitions(of topic: String, _ operation: PortMethod) throws(PortError) -> Int {
    if let known = topics.withLock({ $0[topic]?.partitions }) { return known }
    let name = handle.settings.prefix + topic
    guard let partitions = try handle.partitions(of: name, operation) else {
      throw operation.error(
        .notFound,
        "topic \(topic) doesn't exist ('\(name)' at \(handle.settings.servers)); create it first")
    }
    note(topic, partitions: partitions)
    return partitions
  }

  /// Notes a topic that exists.
  func note(_ topic: String, partitions: Int) {
    topics.withLock { topics in
      guard topics[topic] == nil else { return }
      topics[topic] = Topic(
        partitions: partitions, ends: Array(repeating: nil, count: partitions))
    }
  }

  /// Forgets topics that may be gone.
  func forget(_ names: [String]? = nil) {
    topics.withLock { topics in
      for name in names ?? Array(topics.keys) { topics[name] = nil }
    }
  }

  /// The next offsets of a topic's partitions, as the broker has them now.
  private func freshEnds(of topic: String, _ operation: PortMethod) throws(PortError) -> [Int64] {
    let count = try partitions(of: topic, operation)
    let questions = (0..<count).map { (TopicPartition(topic, $0), Int64(-1)) }
    let found = try handle.offsets(
      at: Dictionary(questions, uniquingKeysWith: { $1 }), operation)
    let ends = (0..<count).map { max(found[TopicPartition(topic, $0)] ?? 0, 0) }
    for (partition, end) in ends.enumerated() { note(TopicPartition(topic, partition), end: end) }
    return ends
  }

  /// The next offsets of a topic's partitions: as known when this process alone decides about its
  /// groups, for it is then the only one that appends; else as the broker has them now.
  func ends(of topic: String, _ operation: PortMethod) throws(PortError) -> [Int64] {
    if handle.settings.membership == .clocked, let ends = topics.withLock({ $0[topic]?.ends }) {
      let known = ends.compactMap(\.self)
      if known.count == ends.count { return known }
    }
    return try freshEnds(of: topic, operation)
  }

  /// The next offset of a partition; see ``ends(of:_:)``.
  func end(of partition: TopicPartition, _ operation: PortMethod) throws(PortError) -> Int64 {
    if handle.settings.membership == .clocked, let known = knownEnd(of: partition) { return known }
    let ends = try freshEnds(of: partition.topic, operation)
    return ends.indices.contains(partition.partition) ? ends[partition.partition] : 0
  }

  /// The next offset of a partition; nil when the broker has to be asked.
  func knownEnd(of partition: TopicPartition) -> Int64? {
    topics.withLock { topics in
      guard let ends = topics[partition.topic]?.ends, ends.indices.contains(partition.partition)
      else { return nil }
      return ends[partition.partition]
    }
  }

  /// Notes that a partition reaches to an offset at least.
  func note(_ partition: TopicPartition, end: Int64) {
    topics.withLock { topics in
      guard topics[partition.topic]?.ends.indices.contains(partition.partition) == true else {
        return
      }
      let known = topics[partition.topic]?.ends[partition.partition] ?? 0
      topics[partition.topic]?.ends[partition.partition] = max(known, end)
    }
  }

  /// Notes that a record may or may not be stored.
  func noteDoubt(_ partition: TopicPartition) {
    topics.withLock { topics in
      guard topics[partition.topic]?.ends.indices.contains(partition.partition) == true else {
        return
      }
      topics[partition.topic]?.ends[partition.partition] = nil
    }
  }
}
