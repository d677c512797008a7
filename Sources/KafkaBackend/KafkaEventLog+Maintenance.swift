import CKafka
import Moderation
import Ports

extension KafkaEventLog {
  /// Looks whether a run could use the broker: it answers, and a topic of the prefix can be made,
  /// written, read and deleted. Takes as long as the time limits allow when it can't.
  public func check() async -> [BackendCheck] {
    let operation = PortMethod.log("check")
    do throws(PortError) {
      let topics = try handle.topics(operation).filter { $0.name.hasPrefix(settings.prefix) }
      return [
        BackendCheck("reachable", found: "\(settings.servers), cluster \(cluster)"),
        BackendCheck("version", found: version),
        await permissions(),
        BackendCheck("schema", found: schema(topics)),
      ]
    } catch {
      return [BackendCheck(unreachable: error)]
    }
  }

  private var cluster: String {
    guard let id = rd_kafka_clusterid(handle.client.raw, handle.timeout) else { return "unnamed" }
    defer { rd_kafka_mem_free(handle.client.raw, id) }
    return "'\(String(cString: id))'"
  }

  /// Brokers don't tell their version; the client settles with each what both can do.
  private var version: String {
    "librdkafka \(String(cString: rd_kafka_version_str())); the broker's isn't told to clients"
  }

  private func schema(_ topics: [(name: String, partitions: Int)]) -> String {
    let names = topics.sorted { $0.name < $1.name }.map { "\($0.name) (\($0.partitions))" }
    return names.isEmpty
      ? "no topics of the prefix '\(settings.prefix)' yet" : names.joined(separator: ", ")
  }

  /// Makes a topic, writes and reads one record that is older than any usual retention, and removes
  /// the topic.
  private func permissions() async -> BackendCheck {
    let topic = "rehearsal-check"
    let stamp = EventTime(microseconds: 1_000_000_000_000_000)
    let record = ProducerRecord(topic: topic, key: nil, value: [1], timestamp: stamp)
    do throws(PortError) {
      try handle.deleteTopics([settings.prefix + topic], .log("check"))
      // Its clients are its own: they end with what they know of a topic that is gone.
      let probe = try KafkaEventLog(settings, time: time, session: session)
      try await probe.createTopic(topic, partitions: 1)
      let position = try await probe.append([record])
      let stored = try await probe.read(TopicPartition(topic, 0), from: 0, limit: 1)
      try handle.deleteTopics([settings.prefix + topic], .log("check"))
      return BackendCheck(
        "permissions", found: "topics can be made, written, read and deleted",
        problem: position.count == stored.count && stored.first?.value == [1]
          && stored.first?.timestampMilliseconds == stamp.microseconds / 1000
          ? nil : "a record didn't come back as it was written: use another broker")
    } catch {
      return BackendCheck(
        "permissions", found: "topics of the prefix '\(settings.prefix)' can't be used",
        problem: error.description)
    }
  }

  /// Removes the topics and groups whose names begin with the prefix, with all that is in them.
  /// Members of groups of this log must not be used afterwards.
  ///
  /// - Throws: `invalid` with an empty prefix, which would mean everything at the broker.
  public func clean() throws(PortError) {
    let operation = PortMethod.log("clean")
    guard !settings.prefix.isEmpty else {
      throw operation.error(
        .invalid,
        "with an empty `prefix` that would remove all topics and groups at "
          + "\(settings.servers); remove them by name with Kafka's own tools")
    }
    try forgetAll()
    let names = try topicsOfPrefix(operation)
    try handle.deleteTopics(names, operation)
    try handle.deleteGroups(
      try handle.groups(operation).filter { $0.hasPrefix(settings.prefix) }, operation)
    let deadline = ContinuousClock.now + settings.timeLimit
    while case let left = try topicsOfPrefix(operation), !left.isEmpty {
      guard ContinuousClock.now < deadline else {
        throw operation.error(
          .unavailable,
          "\(left.count) topics of '\(settings.prefix)' aren't gone yet, \(left[0]) "
            + "for one; try again later")
      }
      handle.pause(.milliseconds(20))
    }
  }

  private func topicsOfPrefix(_ operation: PortMethod) throws(PortError) -> [String] {
    try handle.topics(operation).map(\.name).filter { $0.hasPrefix(settings.prefix) }.sorted()
  }
}
