import KafkaBackend
import Moderation
import Ports
import Simulation
import Testing

/// What is particular to the adapter of Kafka, on the broker of `REHEARSAL_KAFKA`.
@Suite("Kafka adapter", .enabled(if: LiveKafka.servers != nil))
struct KafkaAdapterTests {
  /// Runs a body on the virtual clock, with settings that only this test has.
  private func simulateKafka(
    _ body: @escaping @Sendable (KafkaSettings, Environment) async throws -> Void
  ) throws {
    let settings = LiveKafka.settings(try #require(LiveKafka.servers))
    try simulate { environment in
      try await body(settings, environment)
      try KafkaEventLog(settings, time: environment.time).clean()
    }
  }

  @Test("Topics and committed offsets survive the process")
  func survives() throws {
    try simulateKafka { settings, environment in
      let first = try KafkaEventLog(settings, time: environment.time)
      try await first.createTopic("t", partitions: 2)
      _ = try await first.append("abc".map { .on("t", 1, "\($0)") })
      let crashed = try await first.join("g", member: "m", topics: ["t"])
      _ = try await crashed.drain(environment)
      try await crashed.commit([TopicPartition("t", 1): 1])

      let second = try KafkaEventLog(settings, time: environment.time)
      try await second.createTopic("t", partitions: 2)
      #expect(try await second.ends(of: "t") == [0, 3])
      let restarted = try await second.join("g", member: "m", topics: ["t"])
      #expect(try await restarted.committed() == [TopicPartition("t", 1): 1])
      #expect(try await restarted.drain(environment).map(\.text) == ["b", "c"])
      _ = try await second.append([.on("t", 0, "d")])
      #expect(try await restarted.drain(environment).map(\.text) == ["d"])
    }
  }

  @Test("Logs with other prefixes don't meet, and cleaning takes only one's own")
  func prefixes() throws {
    try simulateKafka { settings, environment in
      var others = settings
      others.prefix = "x" + settings.prefix
      let log = try KafkaEventLog(settings, time: environment.time)
      let other = try KafkaEventLog(others, time: environment.time)
      for (log, partitions) in [(log, 1), (other, 2)] {
        try await log.createTopic("t", partitions: partitions)
        let consumer = try await log.join("g", member: "m", topics: ["t"])
        _ = try await log.append([.on("t", 0, "\(partitions)")])
        #expect(try await consumer.drain(environment).map(\.text) == ["\(partitions)"])
        try await consumer.commit([TopicPartition("t", 0): Int64(partitions)])
      }
      try log.clean()
      #expect(await code { try await log.ends(of: "t") } == .notFound)
      #expect(try await other.ends(of: "t") == [1, 0])
      let again = try KafkaEventLog(others, time: environment.time)
      let consumer = try await again.join("g", member: "m", topics: ["t"])
      #expect(try await consumer.committed() == [TopicPartition("t", 0): 2])

      try await log.createTopic("t", partitions: 1)
      let fresh = try await log.join("g", member: "m", topics: ["t"])
      #expect(try await fresh.committed().isEmpty, "the group went too")
      #expect(try await fresh.drain(environment).isEmpty)
      try other.clean()
    }
  }

  @Test("Without a prefix nothing is cleaned")
  func emptyPrefix() throws {
    var settings = LiveKafka.settings(try #require(LiveKafka.servers))
    settings.prefix = ""
    let log = try KafkaEventLog(settings, time: RealTime())
    #expect(throws: PortError.self) { try log.clean() }
  }

  @Test("An append of more records than the queue holds waits for room")
  func backPressure() throws {
    try simulateKafka { settings, environment in
      var settings = settings
      settings.queuedRecords = 10
      let log = try KafkaEventLog(settings, time: environment.time)
      try await log.createTopic("t", partitions: 3)
      let positions = try await log.append((0..<500).map { .on("t", $0 % 3, "\($0)") })
      #expect(positions.map(\.offset) == (0..<500).map { Int64($0 / 3) })
    }
  }

  @Test("A record over the limit is refused before anything is sent")
  func recordBytes() throws {
    try simulateKafka { settings, environment in
      var settings = settings
      settings.recordBytes = 1000
      let log = try KafkaEventLog(settings, time: environment.time)
      try await log.createTopic("t", partitions: 1)
      let long = String(repeating: "x", count: 1001)
      #expect(
        await code { try await log.append([.on("t", 0, "a"), .on("t", 0, long)]) } == .invalid)
      #expect(try await log.ends(of: "t") == [0])
    }
  }

  @Test("A record without a time that Kafka keeps is refused")
  func timestamps() throws {
    try simulateKafka { settings, environment in
      let log = try KafkaEventLog(settings, time: environment.time)
      try await log.createTopic("t", partitions: 1)
      let record = ProducerRecord(
        topic: "t", key: nil, value: [], timestamp: EventTime(microseconds: 0))
      #expect(await code { try await log.append([record]) } == .invalid)
    }
  }

  @Test("All compressions give the same records", arguments: KafkaSettings.Compression.allCases)
  func compressions(compression: KafkaSettings.Compression) throws {
    try simulateKafka { settings, environment in
      var settings = settings
      settings.compression = compression
      let log = try KafkaEventLog(settings, time: environment.time)
      try await log.createTopic("t", partitions: 1)
      let text = String(repeating: "compressible ", count: 100)
      _ = try await log.append((0..<50).map { _ in .on("t", 0, text) })
      let stored = try await log.read(TopicPartition("t", 0), from: 0, limit: 100)
      #expect(stored.map(\.text) == Array(repeating: text, count: 50))
    }
  }

  @Test("Batches smaller than what there is make no difference", arguments: [1, 3, 1000])
  func batches(size: Int) throws {
    try simulateKafka { settings, environment in
      var settings = settings
      settings.fetchRecords = size
      let log = try KafkaEventLog(settings, time: environment.time)
      try await log.createTopic("t", partitions: 2)
      _ = try await log.append((0..<20).map { .on("t", $0 % 2, "\($0) ", at: Int64($0)) })
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      let text = try await consumer.drain(environment).map(\.text).joined()
      #expect(text == (0..<20).map { "\($0) " }.joined())
    }
  }

  @Test("A check of a broker that is fine finds nothing wrong, and leaves nothing")
  func checked() async throws {
    let settings = LiveKafka.settings(try #require(LiveKafka.servers))
    let log = try KafkaEventLog(settings, time: RealTime())
    let checks = await log.check()
    #expect(checks.map(\.what) == ["reachable", "version", "permissions", "schema"])
    #expect(checks.compactMap(\.problem) == [])
    #expect(await code { try await log.ends(of: "rehearsal-check") } == .notFound)
  }

  @Test("Appends of many tasks at once keep their own positions")
  func concurrent() async throws {
    let settings = LiveKafka.settings(try #require(LiveKafka.servers))
    let log = try KafkaEventLog(settings, time: RealTime())
    try await log.createTopic("t", partitions: 2)
    try await withThrowingTaskGroup { group in
      for task in 0..<8 {
        group.addTask {
          for round in 0..<20 {
            let texts = (0..<3).map { "\(task)/\(round)/\($0)" }
            let positions = try await log.append(texts.map { .on("t", task % 2, $0) })
            for (text, position) in zip(texts, positions) {
              let stored = try await log.read(position.partition, from: position.offset, limit: 1)
              #expect(stored.map(\.text) == [text])
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await log.ends(of: "t") == [240, 240])
    try log.clean()
  }
}
