import InMemoryBackends
import Moderation
import Ports
import Simulation
import Testing

@Suite("EventLog conformance")
struct EventLogConformance {
  @Test("1. Offsets of a partition are consecutive from 0", arguments: Adapters.eventLogs)
  func offsets(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: 2)
      let first = try await log.append([.on("t", 0, "a"), .on("t", 1, "b"), .on("t", 0, "c")])
      let second = try await log.append([.on("t", 1, "d"), .on("t", 0, "e")])
      #expect((first + second).map(\.offset) == [0, 0, 1, 1, 2])
    }
  }

  @Test(
    "1. A partition is read in the order of its appends, whatever the timestamps",
    arguments: Adapters.eventLogs)
  func appendOrder(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: 1)
      _ = try await log.append([.on("t", 0, "a", at: 5), .on("t", 0, "b", at: 3)])
      _ = try await log.append([.on("t", 0, "c", at: 4)])
      let records = try await log.read(TopicPartition("t", 0), from: 0, limit: 10)
      #expect(records.map(\.text) == ["a", "b", "c"])
      #expect(records.map(\.offset) == [0, 1, 2])
    }
  }

  /// Hashes as Kafka's own `UtilsTest.testMurmur2` lists them.
  static let murmur2: [(key: String, hash: Int32)] = [
    ("21", -973_932_308), ("foobar", -790_332_482), ("abc", 479_470_107),
    ("a-little-bit-long-string", -985_981_536), ("a-little-bit-longer-string", -1_486_304_829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
  ]

  @Test(
    "2. A key decides the partition by murmur2 modulo the partitions",
    arguments: Adapters.eventLogs, [1, 2, 3, 6, 7])
  func keyed(adapter: Adapter<any EventLog>, partitions: Int) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: partitions)
      for (key, hash) in Self.murmur2 {
        let positions = try await log.append([
          ProducerRecord(topic: "t", key: Array(key.utf8), value: [], timestamp: Sample.start)
        ])
        let expected = Int(hash & Int32.max) % partitions
        #expect(positions.map(\.partition) == [TopicPartition("t", expected)], "\(key)")
      }
    }
  }

  @Test("2. A record without a key goes to partition 0", arguments: Adapters.eventLogs)
  func keyless(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: 3)
      let record = ProducerRecord(topic: "t", key: nil, value: [1], timestamp: Sample.start)
      let positions = try await log.append([record, record])
      #expect(positions.map(\.partition.partition) == [0, 0])
    }
  }

  @Test(
    "3. An append answers with a position for each record, in order", arguments: Adapters.eventLogs)
  func positions(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("a", partitions: 1)
      try await log.createTopic("b", partitions: 2)
      let records: [ProducerRecord] = [
        .on("b", 1, "0"), .on("a", 0, "1"), .on("b", 0, "2"), .on("b", 1, "3"),
      ]
      let positions = try await log.append(records)
      for (index, position) in positions.enumerated() {
        let stored = try await log.read(position.partition, from: position.offset, limit: 1)
        #expect(stored.map(\.text) == ["\(index)"])
      }
      #expect(positions.count == 4)
      #expect(try await log.append([]).isEmpty)
    }
  }

  @Test(
    "3. An append to a topic that doesn't exist throws, and nothing was stored",
    arguments: Adapters.eventLogs)
  func unknownTopic(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: 1)
      let failed = await code {
        try await log.append([.on("t", 0, "a"), .on("nowhere", 0, "b"), .on("t", 0, "c")])
      }
      #expect(failed == .notFound)
      #expect(try await log.ends(of: "t") == [0])
      #expect(await code { try await log.ends(of: "nowhere") } == .notFound)
    }
  }

  @Test("4. Making a topic again changes nothing", arguments: Adapters.eventLogs)
  func createdTwice(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: 2)
      _ = try await log.append([.on("t", 1, "a")])
      try await log.createTopic("t", partitions: 2)
      #expect(try await log.ends(of: "t") == [0, 1])
    }
  }

  @Test("4. Another number of partitions is an error", arguments: Adapters.eventLogs, [1, 3])
  func otherPartitions(adapter: Adapter<any EventLog>, partitions: Int) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: 2)
      let failed = await code { try await log.createTopic("t", partitions: partitions) }
      #expect(failed != nil)
      #expect(try await log.ends(of: "t") == [0, 0])
    }
  }

  @Test(
    "5. A read gives at most `limit` records from an offset on, and nothing beyond the end",
    arguments: Adapters.eventLogs)
  func reads(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: 2)
      _ = try await log.append("abcde".map { .on("t", 1, "\($0)") })
      let partition = TopicPartition("t", 1)
      let cases: [(from: Int64, limit: Int, text: String)] = [
        (0, 10, "abcde"), (0, 5, "abcde"), (0, 2, "ab"), (3, 1, "d"), (3, 10, "de"), (4, 10, "e"),
        (5, 10, ""), (99, 10, ""), (0, 0, ""),
      ]
      for (from, limit, text) in cases {
        let records = try await log.read(partition, from: from, limit: limit)
        #expect(records.map(\.text).joined() == text, "from \(from), limit \(limit)")
        #expect(records.map(\.offset) == (0..<records.count).map { from + Int64($0) })
      }
      #expect(try await log.read(TopicPartition("t", 0), from: 0, limit: 10).isEmpty)
    }
  }

  @Test("5. A read touches no group", arguments: Adapters.eventLogs)
  func readsOutsideGroups(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      _ = try await log.append([.on("t", 0, "a"), .on("t", 0, "b")])
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      _ = try await consumer.poll(limit: 10, until: environment.now)
      _ = try await log.read(TopicPartition("t", 0), from: 0, limit: 2)
      #expect(try await consumer.committed().isEmpty)
      let poll = try await consumer.poll(limit: 10, until: environment.now)
      #expect(poll.records.map(\.text) == ["a", "b"])
    }
  }

  @Test("5. The largest limit reads to the end")
  func largestLimit() async {
    // In a process of its own: an overflow would trap, and take all tests with it.
    await #expect(processExitsWith: .success) {
      for adapter in Adapters.eventLogs {
        try simulate(adapter) { log, _ in
          try await log.createTopic("t", partitions: 1)
          _ = try await log.append([.on("t", 0, "a"), .on("t", 0, "b")])
          let records = try await log.read(TopicPartition("t", 0), from: 1, limit: .max)
          #expect(records.map(\.text) == ["b"])
        }
      }
    }
  }

  @Test(
    "6. Ends are the next offsets, in the order of the partitions", arguments: Adapters.eventLogs)
  func ends(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: 3)
      #expect(try await log.ends(of: "t") == [0, 0, 0])
      _ = try await log.append([.on("t", 2, "a"), .on("t", 0, "b"), .on("t", 2, "c")])
      #expect(try await log.ends(of: "t") == [1, 0, 2])
    }
  }

  @Test(
    "7. An instant's offset is the first whose timestamp is at or after it, else the end",
    arguments: Adapters.eventLogs)
  func offsetAtInstant(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: 1)
      _ = try await log.append([10, 20, 20, 15, 30].map { .on("t", 0, "", at: $0) })
      let cases: [(microseconds: Int64, offset: Int64)] = [
        (0, 0), (10_000, 0), (10_001, 1), (15_000, 1), (20_000, 1), (20_001, 4), (30_000, 4),
        (30_001, 5), (99_000, 5),
      ]
      for (microseconds, offset) in cases {
        let found = try await log.offset(
          of: TopicPartition("t", 0), at: Sample.start.later(microseconds))
        #expect(found == offset, "\(microseconds) µs")
      }
    }
  }

  @Test(
    "8. Key and value come back as they were, the timestamp in whole milliseconds",
    arguments: Adapters.eventLogs)
  func roundTrip(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, _ in
      try await log.createTopic("t", partitions: 1)
      let bytes = (0...255).map { UInt8($0) }
      let cases: [(key: [UInt8]?, value: [UInt8])] = [
        (nil, []), (nil, bytes), ([], [0]), (bytes, bytes), (Array("é".utf8), Array("😀".utf8)),
      ]
      let records = cases.enumerated().map { index, pair in
        ProducerRecord(
          topic: "t", key: pair.key, value: pair.value,
          timestamp: Sample.start.later(Int64(index) * 1999))
      }
      _ = try await log.append(records)
      let stored = try await log.read(TopicPartition("t", 0), from: 0, limit: 10)
      #expect(stored.map(\.key) == cases.map(\.key))
      #expect(stored.map(\.value) == cases.map(\.value))
      let start = Sample.start.microseconds / 1000
      #expect(stored.map { $0.timestampMilliseconds - start } == [0, 1, 3, 5, 7])
    }
  }
}

extension ProducerRecord {
  /// A record of text on a partition, so many milliseconds after the start.
  static func on(
    _ topic: String, _ partition: Int, _ text: String, at milliseconds: Int64 = 0
  ) -> Self {
    ProducerRecord(
      topic: topic, partition: partition, key: nil, value: Array(text.utf8),
      timestamp: Sample.start.later(milliseconds * 1000))
  }
}

extension EventRecord {
  /// The value as text.
  var text: String { String(decoding: value, as: UTF8.self) }
}
