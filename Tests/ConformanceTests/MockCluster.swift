import CKafka
import Testing

/// librdkafka's own imitation of a cluster, inside this process: it has no Admin API, but it ends
/// sessions, and it can be taken down and slowed.
final class MockCluster {
  private let client: OpaquePointer
  private let cluster: OpaquePointer

  /// A cluster of one broker.
  init() throws {
    var text = [CChar](repeating: 0, count: 512)
    client = try #require(
      rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), &text, text.count))
    cluster = try #require(rd_kafka_mock_cluster_new(client, 1))
  }

  deinit {
    rd_kafka_mock_cluster_destroy(cluster)
    rd_kafka_destroy(client)
  }

  /// Its address.
  var servers: String { String(cString: rd_kafka_mock_cluster_bootstraps(cluster)) }

  /// Makes a topic, by the broker's name.
  func createTopic(_ name: String, partitions: Int) {
    rd_kafka_mock_topic_create(cluster, name, Int32(partitions), 1)
  }

  /// Closes all connections and takes no new ones.
  func setDown() { rd_kafka_mock_broker_set_down(cluster, 1) }

  /// Takes connections again.
  func setUp() { rd_kafka_mock_broker_set_up(cluster, 1) }

  /// Lets every answer take so long.
  func setRoundTrip(_ duration: Duration) {
    rd_kafka_mock_broker_set_rtt(cluster, 1, Int32(duration / .milliseconds(1)))
  }
}
