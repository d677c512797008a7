import CKafka
import KafkaBackend
import Moderation
import Ports
import Synchronization
import Testing

/// How clients of librdkafka end: the library itself waits without end while something refers to a
/// broker of theirs.
@Suite("Kafka clients' end", .serialized)
struct KafkaFarewellTests {
  /// A reader of a topic that nobody has removed anything from.
  private static func client(of cluster: MockCluster) throws -> OpaquePointer {
    let configuration = try #require(rd_kafka_conf_new())
    rd_kafka_conf_set(configuration, "bootstrap.servers", cluster.servers, nil, 0)
    return try #require(rd_kafka_new(RD_KAFKA_CONSUMER, configuration, nil, 0))
  }

  /// Whether a client came to its end in time; `flag` is raised when it does.
  private static func end(_ client: OpaquePointer, seconds: Int32, _ flag: EndFlag) -> Bool {
    let context = Unmanaged.passRetained(flag).toOpaque()
    return ckafka_destroy(
      client, seconds,
      { context in
        guard let context else { return }
        Unmanaged<EndFlag>.fromOpaque(context).takeRetainedValue().raise()
      }, context) == 1
  }

  @Test("A client that nothing refers to ends at once")
  func atOnce() throws {
    let cluster = try MockCluster()
    let flag = EndFlag()
    #expect(Self.end(try Self.client(of: cluster), seconds: 30, flag))
    #expect(flag.isRaised)
  }

  @Test("A client that something refers to is left behind, and ends once nothing does")
  func leftBehind() async throws {
    let time = RealTime()
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let client = try Self.client(of: cluster)
    var settings = KafkaSettings()
    settings.servers = cluster.servers
    settings.prefix = ""
    _ = try await KafkaEventLog(settings, time: time).append([.on("t", 0, "a")])
    let topic = try #require(rd_kafka_topic_new(client, "t", nil))
    #expect(rd_kafka_consume_start(topic, 0, Int64(RD_KAFKA_OFFSET_BEGINNING)) == 0)
    let record = try #require(rd_kafka_consume(topic, 0, 20_000))
    #expect(record.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR)
    rd_kafka_consume_stop(topic, 0)
    rd_kafka_topic_destroy(topic)
    let flag = EndFlag()
    #expect(!Self.end(client, seconds: 1, flag))
    #expect(!flag.isRaised)
    rd_kafka_message_destroy(record)
    let patience = time.after(.seconds(20))
    while !flag.isRaised, time.now < patience { await time.sleep(for: .milliseconds(10)) }
    #expect(flag.isRaised)
  }
}

/// Raised when a client is gone.
private final class EndFlag: Sendable {
  private let value = Atomic(false)

  var isRaised: Bool { value.load(ordering: .acquiring) }

  func raise() { value.store(true, ordering: .releasing) }
}
