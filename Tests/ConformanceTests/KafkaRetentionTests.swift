import CKafka
import KafkaBackend
import Moderation
import Ports
import Testing

/// What happens to who asks for records that the broker no longer keeps.
@Suite("Kafka's retention", .serialized, .enabled(if: LiveKafka.servers != nil))
struct KafkaRetentionTests {
  private let time = RealTime()

  /// Removes the records of partition 0 before an offset, as retention does in the end.
  private func deleteRecords(_ topic: String, before offset: Int64, _ servers: String) throws {
    var text = [CChar](repeating: 0, count: 512)
    let configuration = rd_kafka_conf_new()
    rd_kafka_conf_set(configuration, "bootstrap.servers", servers, nil, 0)
    let client = try #require(
      rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, text.count))
    defer { rd_kafka_destroy(client) }
    let queue = try #require(rd_kafka_queue_new(client))
    defer { rd_kafka_queue_destroy(queue) }
    let list = try #require(rd_kafka_topic_partition_list_new(1))
    defer { rd_kafka_topic_partition_list_destroy(list) }
    try #require(rd_kafka_topic_partition_list_add(list, topic, 0)).pointee.offset = offset
    var request = rd_kafka_DeleteRecords_new(list)
    defer { rd_kafka_DeleteRecords_destroy(request) }
    rd_kafka_DeleteRecords(client, &request, 1, nil, queue)
    let event = try #require(rd_kafka_queue_poll(queue, 10_000))
    defer { rd_kafka_event_destroy(event) }
    #expect(rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
  }

  @Test(
    "Records that are gone are out of retention, never skipped in silence",
    arguments: KafkaSettings.Membership.allCases)
  func gone(membership: KafkaSettings.Membership) async throws {
    let servers = try #require(LiveKafka.servers)
    var settings = LiveKafka.settings(servers)
    settings.membership = membership
    let log = try KafkaEventLog(settings, time: time, session: .seconds(10))
    try await log.createTopic("t", partitions: 1)
    _ = try await log.append("abcd".map { .on("t", 0, "\($0)") })
    try deleteRecords(settings.prefix + "t", before: 2, servers)
    let partition = TopicPartition("t", 0)
    #expect(await code { try await log.read(partition, from: 0, limit: 9) } == .outOfRetention)
    #expect(try await log.read(partition, from: 2, limit: 9).map(\.text) == ["c", "d"])

    let member = BrokerMember(try await log.join("g", member: "m", topics: ["t"]))
    try await BrokerMember.poll([member], until: time.after(.seconds(30))) {
      !member.owned.isEmpty
    }
    try await member.consumer.commit([partition: 1])
    try await member.consumer.seek([partition: 1])
    let deadline = time.after(.seconds(10))
    let failed = await code {
      while time.now < deadline {
        _ = try await member.consumer.poll(limit: 9, until: time.after(.milliseconds(100)))
      }
    }
    #expect(failed == .outOfRetention)
    try await member.consumer.seek([partition: 3])
    try await BrokerMember.poll([member], until: time.after(.seconds(30))) {
      member.records.last?.text == "d"
    }
    try await member.consumer.leave()
    try log.clean()
  }
}
