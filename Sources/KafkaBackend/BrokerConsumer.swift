import CKafka
import Moderation
import Ports
import Synchronization

/// placeholder
final class BrokerConsumer: EventConsumer {
  init(log: KafkaEventLog, group: String, member: String, topics: [ConsumerGroup.Topic]) {}
  func poll(limit: Int, until deadline: ProcessingTime) async throws(PortError) -> Poll { Poll() }
  func seek(_ offsets: [TopicPartition: Int64]) async throws(PortError) {}
  func commit(_ offsets: [TopicPartition: Int64]) async throws(PortError) {}
  func committed() async throws(PortError) -> [TopicPartition: Int64] { [:] }
  func leave() async throws(PortError) {}
}
