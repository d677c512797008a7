import CKafka
import Ports

/// Questions about topics and offsets: every name here is the broker's, unless said otherwise.
extension KafkaHandle {
  /// A topic's number of partitions; nil when there is no such topic.
  func partitions(of name: String, _ operation: PortMethod) throws(PortError) -> Int? {
    guard let topic = rd_kafka_topic_new(client.raw, name, nil) else {
      throw operation.error(.invalid, "'\(name)' can't be a topic's name")
    }
    defer { rd_kafka_topic_destroy(topic) }
    let found = try metadata(of: KafkaPointer(raw: topic), operation).first { $0.name == name }
    return found.flatMap { $0.partitions > 0 ? $0.partitions : nil }
  }

  /// All topics that the account may see.
  func topics(_ operation: PortMethod) throws(PortError) -> [(name: String, partitions: Int)] {
    try metadata(of: nil, operation)
  }

  private func metadata(
    of topic: KafkaPointer?, _ operation: PortMethod
  ) throws(PortError) -> [(name: String, partitions: Int)] {
    var metadata: UnsafePointer<rd_kafka_metadata>?
    let all: Int32 = topic == nil ? 1 : 0
    let code = KafkaCode(rd_kafka_metadata(client.raw, all, topic?.raw, &metadata, timeout))
    defer { rd_kafka_metadata_destroy(metadata) }
    guard code.raw == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
      throw error(code, operation, "the list of topics")
    }
    let topics = UnsafeBufferPointer(
      start: metadata.pointee.topics, count: Int(metadata.pointee.topic_cnt))
    var found: [(name: String, partitions: Int)] = []
    for topic in topics {
      let (name, code) = (String(cString: topic.topic), KafkaCode(topic.err))
      let isThere = code.raw == RD_KAFKA_RESP_ERR_NO_ERROR || code.portCode == .unavailable
      guard isThere || code.portCode == .notFound else {
        throw error(code, operation, "topic '\(name)'")
      }
      if isThere { found.append((name, Int(topic.partition_cnt))) }
    }
    return found
  }

  /// For each partition the first offset at or after a timestamp in milliseconds; -1 stands for the
  /// end as a question, and for "there is none" as an answer. By the callers' names.
  func offsets(
    at timestamps: [TopicPartition: Int64], _ operation: PortMethod
  ) throws(PortError) -> [TopicPartition: Int64] {
    let list = PartitionList(timestamps, prefix: settings.prefix)
    let code = KafkaCode(rd_kafka_offsets_for_times(client.raw, list.raw, timeout))
    if code.raw != RD_KAFKA_RESP_ERR_NO_ERROR {
      throw error(code, operation, "the offsets of \(timestamps.count) partitions")
    }
    if let (partition, code) = list.firstError {
      throw error(code, operation, "the offset of \(partition)")
    }
    return list.offsets(prefix: settings.prefix)
  }
}
