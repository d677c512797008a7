import CKafka
import Ports

/// librdkafka's list of partitions with offsets, by the broker's names; it ends with this object.
final class PartitionList {
  let raw: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  /// A list in the order of the partitions.
  ///
  /// - Parameter prefix: what the broker's names of topics begin with.
  init(_ offsets: [TopicPartition: Int64], prefix: String) {
    raw = rd_kafka_topic_partition_list_new(Int32(offsets.count))
    for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
      let element = rd_kafka_topic_partition_list_add(
        raw, prefix + partition.topic, Int32(partition.partition))
      element?.pointee.offset = offset
    }
  }

  deinit { rd_kafka_topic_partition_list_destroy(raw) }

  /// The first error of one of the partitions.
  var firstError: (partition: String, code: KafkaCode)? {
    Self.elements(of: raw).first { $0.err != RD_KAFKA_RESP_ERR_NO_ERROR }.map {
      ("\(String(cString: $0.topic))-\($0.partition)", KafkaCode($0.err))
    }
  }

  /// The errors of partitions, by the callers' names.
  func failed(prefix: String) -> [TopicPartition: KafkaCode] {
    Dictionary(
      Self.elements(of: raw).filter { $0.err != RD_KAFKA_RESP_ERR_NO_ERROR }.map { element in
        let topic = String(cString: element.topic).dropFirst(prefix.count)
        return (TopicPartition(String(topic), Int(element.partition)), KafkaCode(element.err))
      }, uniquingKeysWith: { $1 })
  }

  /// The offsets, by the callers' names.
  func offsets(prefix: String) -> [TopicPartition: Int64] {
    Self.offsets(of: raw, prefix: prefix)
  }

  /// The offsets of a list, by the callers' names.
  static func offsets(
    of list: UnsafePointer<rd_kafka_topic_partition_list_t>, prefix: String
  ) -> [TopicPartition: Int64] {
    Dictionary(
      elements(of: list).map { element in
        let topic = String(cString: element.topic)
        let name = topic.hasPrefix(prefix) ? String(topic.dropFirst(prefix.count)) : topic
        return (TopicPartition(name, Int(element.partition)), element.offset)
      }, uniquingKeysWith: { $1 })
  }

  /// The partitions of a list, by the broker's names.
  static func partitions(
    of list: UnsafePointer<rd_kafka_topic_partition_list_t>
  ) -> [TopicPartition] {
    elements(of: list).map { TopicPartition(String(cString: $0.topic), Int($0.partition)) }
  }

  private static func elements(
    of list: UnsafePointer<rd_kafka_topic_partition_list_t>
  ) -> UnsafeBufferPointer<rd_kafka_topic_partition_t> {
    UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt))
  }
}
