import CKafka
import Ports

/// The Admin API: every name here is the broker's.
extension KafkaHandle {
  /// Makes a topic; false when there is one of that name.
  func createTopic(
    _ name: String, partitions: Int, _ operation: PortMethod
  ) throws(PortError) -> Bool {
    var text = [CChar](repeating: 0, count: 512)
    var topic = rd_kafka_NewTopic_new(
      name, Int32(clamping: partitions), Int32(clamping: settings.replicationFactor), &text,
      text.count)
    guard topic != nil else {
      throw operation.error(.invalid, "'\(name)' can't be made: \(String(text))")
    }
    defer { rd_kafka_NewTopic_destroy(topic) }
    for (option, value) in newTopicOptions {
      rd_kafka_NewTopic_set_config(topic, option, value)
    }
    return try administer(RD_KAFKA_ADMIN_OP_CREATETOPICS, operation, "topic '\(name)'") {
      rd_kafka_CreateTopics($0, &topic, 1, $1, $2)
    } read: { event in
      var count = 0
      let results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event), &count)
      let (code, text) = Self.topicResult(results, count)
      if code.raw == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { return .success(false) }
      if code.raw == RD_KAFKA_RESP_ERR_NO_ERROR { return .success(true) }
      return .failure(self.error(code, operation, "topic '\(name)' can't be made\(text)"))
    }
  }

  private var newTopicOptions: [(String, String)] {
    var options = ["message.timestamp.type": "CreateTime"]
    options["retention.ms"] = settings.retention.map { "\($0.milliseconds)" } ?? "-1"
    return options.merging(settings.topicOptions) { $1 }.sorted { $0.key < $1.key }
  }

  /// Removes topics; one that isn't there is fine.
  func deleteTopics(_ names: [String], _ operation: PortMethod) throws(PortError) {
    guard !names.isEmpty else { return }
    var topics = names.map { rd_kafka_DeleteTopic_new($0) }
    defer { for topic in topics { rd_kafka_DeleteTopic_destroy(topic) } }
    try administer(RD_KAFKA_ADMIN_OP_DELETETOPICS, operation, "\(names.count) topics") {
      rd_kafka_DeleteTopics($0, &topics, topics.count, $1, $2)
    } read: { event -> Result<Void, PortError> in
      var count = 0
      let results = rd_kafka_DeleteTopics_result_topics(
        rd_kafka_event_DeleteTopics_result(event), &count)
      for index in 0..<count {
        let (code, text) = Self.topicResult(results, count, at: index)
        if ![.notFound].contains(code.portCode), code.raw != RD_KAFKA_RESP_ERR_NO_ERROR {
          return .failure(self.error(code, operation, "a topic can't be deleted\(text)"))
        }
      }
      return .success(())
    }
  }

  private static func topicResult(
    _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, at index: Int = 0
  ) -> (code: KafkaCode, text: String) {
    guard index < count, let result = results?[index] else {
      return (KafkaCode(RD_KAFKA_RESP_ERR__BAD_MSG), "")
    }
    let text = rd_kafka_topic_result_error_string(result).map { ": \(String(cString: $0))" } ?? ""
    return (KafkaCode(rd_kafka_topic_result_error(result)), text)
  }

  /// All groups that the brokers know.
  func groups(_ operation: PortMethod) throws(PortError) -> [String] {
    try administer(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, operation, "the groups") {
      rd_kafka_ListConsumerGroups($0, $1, $2)
    } read: { event in
      var count = 0
      let groups = rd_kafka_ListConsumerGroups_result_valid(
        rd_kafka_event_ListConsumerGroups_result(event), &count)
      return .success(
        (0..<count).compactMap { groups?[$0] }.compactMap {
          rd_kafka_ConsumerGroupListing_group_id($0).map { String(cString: $0) }
        })
    }
  }

  /// Removes groups with their offsets; one that isn't there is fine.
  func deleteGroups(_ names: [String], _ operation: PortMethod) throws(PortError) {
    guard !names.isEmpty else { return }
    var groups = names.map { rd_kafka_DeleteGroup_new($0) }
    defer { for group in groups { rd_kafka_DeleteGroup_destroy(group) } }
    try administer(RD_KAFKA_ADMIN_OP_DELETEGROUPS, operation, "\(names.count) groups") {
      rd_kafka_DeleteGroups($0, &groups, groups.count, $1, $2)
    } read: { event -> Result<Void, PortError> in
      var count = 0
      let results = rd_kafka_DeleteGroups_result_groups(
        rd_kafka_event_DeleteGroups_result(event), &count)
      for index in 0..<count {
        guard let result = results?[index], let error = rd_kafka_group_result_error(result) else {
          continue
        }
        let code = KafkaCode(rd_kafka_error_code(error))
        if code.portCode == .notFound { continue }
        let name = rd_kafka_group_result_name(result).map { String(cString: $0) } ?? ""
        return .failure(self.error(code, operation, "group '\(name)' can't be deleted"))
      }
      return .success(())
    }
  }

  /// The committed offsets of a group, by the callers' names of topics.
  func committed(
    _ group: String, _ operation: PortMethod
  ) throws(PortError) -> [TopicPartition: Int64] {
    var request = rd_kafka_ListConsumerGroupOffsets_new(group, nil)
    defer { rd_kafka_ListConsumerGroupOffsets_destroy(request) }
    let prefix = settings.prefix
    let subject = "the offsets of group '\(group)'"
    return try administer(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, operation, subject) {
      rd_kafka_ListConsumerGroupOffsets($0, &request, 1, $1, $2)
    } read: { event in
      var count = 0
      let results = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event), &count)
      guard count > 0, let result = results?[0] else { return .success([:]) }
      if let error = rd_kafka_group_result_error(result) {
        let code = KafkaCode(rd_kafka_error_code(error))
        return code.portCode == .notFound
          ? .success([:]) : .failure(self.error(code, operation, subject))
      }
      guard let list = rd_kafka_group_result_partitions(result) else { return .success([:]) }
      return .success(PartitionList.offsets(of: list, prefix: prefix).filter { $0.value >= 0 })
    }
  }

  /// Sends one request and reads its answer, which lives as long as the reading.
  private func administer<Value>(
    _ kind: rd_kafka_admin_op_t, _ operation: PortMethod, _ subject: String,
    send: (_ client: OpaquePointer, _ options: OpaquePointer?, _ queue: OpaquePointer) -> Void,
    read: (_ event: OpaquePointer) -> Result<Value, PortError>
  ) throws(PortError) -> Value {
    guard let queue = rd_kafka_queue_new(client.raw) else {
      throw operation.error(.kafka, "librdkafka makes no queue")
    }
    defer { rd_kafka_queue_destroy(queue) }
    let options = rd_kafka_AdminOptions_new(client.raw, kind)
    defer { rd_kafka_AdminOptions_destroy(options) }
    rd_kafka_AdminOptions_set_request_timeout(options, timeout, nil, 0)
    if [RD_KAFKA_ADMIN_OP_CREATETOPICS, RD_KAFKA_ADMIN_OP_DELETETOPICS].contains(kind) {
      // The broker answers when the change has reached all brokers.
      rd_kafka_AdminOptions_set_operation_timeout(options, timeout, nil, 0)
    }
    send(client.raw, options, queue)
    // The library answers within its own time limit; the second is for its threads.
    guard let event = rd_kafka_queue_poll(queue, timeout &+ 1000) else {
      throw error(KafkaCode(RD_KAFKA_RESP_ERR__TIMED_OUT), operation, subject)
    }
    defer { rd_kafka_event_destroy(event) }
    let code = KafkaCode(rd_kafka_event_error(event))
    guard code.raw == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw error(code, operation, subject)
    }
    return try read(event).get()
  }
}
