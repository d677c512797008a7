import Moderation
import Ports
import Simulation
import Testing

/// Rules 2 to 4: what one poll gives. The others are in `EventConsumerConformance+Groups.swift`.
@Suite("EventConsumer conformance")
struct EventConsumerConformance {
  @Test(
    "2. The first poll reports the assignment, sorted, before any record of it",
    arguments: Adapters.eventLogs)
  func firstPoll(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("b", partitions: 1)
      try await log.createTopic("a", partitions: 2)
      _ = try await log.append([.on("a", 1, "x")])
      let consumer = try await log.join("g", member: "m", topics: ["b", "a"])
      let first = try await consumer.poll(limit: 10, until: environment.now)
      #expect(
        first.assignment == [
          TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("b", 0),
        ]
      )
      #expect(first.records.isEmpty)
      let second = try await consumer.poll(limit: 10, until: environment.now)
      #expect(second.assignment == nil, "it hasn't changed since")
      #expect(second.records.map(\.text) == ["x"])
    }
  }

  @Test(
    "2. A rebalance is reported before records of the new assignment", arguments: Adapters.eventLogs
  )
  func rebalancePoll(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 2)
      let first = try await log.join("g", member: "a", topics: ["t"])
      let second = try await log.join("g", member: "b", topics: ["t"])
      _ = try await first.poll(limit: 10, until: environment.now)
      _ = try await second.poll(limit: 10, until: environment.now)
      _ = try await log.append([.on("t", 0, "x"), .on("t", 1, "y")])
      let poll = try await first.poll(limit: 10, until: environment.now)
      #expect(poll.assignment?.count == 1)
      #expect(poll.records.isEmpty)
      #expect(try await first.poll(limit: 10, until: environment.now).records.count == 1)
    }
  }

  @Test(
    "2. A poll that waits is woken by a rebalance and reports it", arguments: Adapters.eventLogs)
  func wokenByRebalance(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 2)
      let first = try await log.join("g", member: "a", topics: ["t"])
      let second = try await log.join("g", member: "b", topics: ["t"])
      _ = try await first.poll(limit: 10, until: environment.now)
      let deadline = environment.now + .seconds(20)
      async let waiting = first.poll(limit: 10, until: deadline)
      await environment.time.sleep(for: .seconds(5))
      _ = try await second.poll(limit: 10, until: environment.now)
      #expect(try await waiting.assignment?.count == 1)
      #expect(environment.now.asEventTime == Sample.at(5))
    }
  }

  @Test("3. A group without commits reads from the start", arguments: Adapters.eventLogs)
  func fromStart(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      _ = try await log.append([.on("t", 0, "a"), .on("t", 0, "b")])
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      #expect(try await consumer.drain(environment).map(\.text) == ["a", "b"])
    }
  }

  @Test(
    "3. A newly assigned partition is read from the committed offset", arguments: Adapters.eventLogs
  )
  func fromCommitted(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 2)
      _ = try await log.append("abc".map { .on("t", 0, "\($0)") })
      _ = try await log.append("def".map { .on("t", 1, "\($0)", at: 1) })
      let first = try await log.join("g", member: "a", topics: ["t"])
      #expect(try await first.drain(environment).count == 6)
      try await first.commit([TopicPartition("t", 0): 2])
      try await first.leave()
      let second = try await log.join("g", member: "b", topics: ["t"])
      #expect(try await second.drain(environment).map(\.text) == ["c", "d", "e", "f"])
    }
  }

  @Test("3. A seek goes forth and back, whatever is committed", arguments: Adapters.eventLogs)
  func seeks(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      _ = try await log.append("abcd".map { .on("t", 0, "\($0)") })
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      _ = try await consumer.poll(limit: 10, until: environment.now)
      try await consumer.commit([TopicPartition("t", 0): 1])
      for (offset, text) in [(3, "d"), (0, "abcd"), (2, "cd"), (4, "")] as [(Int64, String)] {
        try await consumer.seek([TopicPartition("t", 0): offset])
        let records = try await consumer.drain(environment)
        #expect(records.map(\.text).joined() == text, "from \(offset)")
      }
      #expect(try await consumer.committed() == [TopicPartition("t", 0): 1])
    }
  }

  @Test(
    "4. Records are merged by timestamp, topic, partition and offset", arguments: Adapters.eventLogs
  )
  func mergeOrder(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("b", partitions: 1)
      try await log.createTopic("a", partitions: 2)
      _ = try await log.append([
        .on("b", 0, "b0", at: 1), .on("b", 0, "b1", at: 2), .on("b", 0, "b2", at: 2),
        .on("a", 1, "c0", at: 2), .on("a", 1, "c1", at: 3), .on("a", 0, "a0", at: 2),
        .on("a", 0, "a1", at: 2), .on("a", 0, "a2", at: 3),
      ])
      let consumer = try await log.join("g", member: "m", topics: ["a", "b"])
      let records = try await consumer.drain(environment)
      #expect(records.map(\.text) == ["b0", "a0", "a1", "c0", "b1", "b2", "a2", "c1"])
    }
  }

  @Test(
    "4. Merging keeps the order within a partition when its timestamps go back",
    arguments: Adapters.eventLogs)
  func mergeKeepsPartitions(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 2)
      _ = try await log.append([
        .on("t", 0, "a0", at: 5), .on("t", 0, "a1", at: 3), .on("t", 1, "b0", at: 4),
        .on("t", 1, "b1", at: 6),
      ])
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      #expect(try await consumer.drain(environment).map(\.text) == ["b0", "a0", "a1", "b1"])
    }
  }

  @Test(
    "4. A poll gives at most `limit` records; the next continues",
    arguments: Adapters.eventLogs, [1, 2, 3, 7])
  func limits(adapter: Adapter<any EventLog>, limit: Int) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 2)
      _ = try await log.append((0..<7).map { .on("t", $0 % 2, "\($0)", at: Int64($0)) })
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      _ = try await consumer.poll(limit: limit, until: environment.now)
      var text = ""
      while true {
        let records = try await consumer.poll(limit: limit, until: environment.now).records
        if records.isEmpty { break }
        #expect(records.count <= limit)
        text += records.map(\.text).joined()
      }
      #expect(text == "0123456")
    }
  }

  @Test("4. A poll that waits is woken by an append", arguments: Adapters.eventLogs)
  func wokenByAppend(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      _ = try await consumer.poll(limit: 10, until: environment.now)
      let deadline = environment.now + .seconds(20)
      async let waiting = consumer.poll(limit: 10, until: deadline)
      await environment.time.sleep(for: .seconds(7))
      _ = try await log.append([.on("t", 0, "x")])
      #expect(try await waiting.records.map(\.text) == ["x"])
      #expect(environment.now.asEventTime == Sample.at(7))
    }
  }

  @Test("4. An append to another topic doesn't end a poll", arguments: Adapters.eventLogs)
  func notWokenByOthers(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      try await log.createTopic("other", partitions: 1)
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      _ = try await consumer.poll(limit: 10, until: environment.now)
      let deadline = environment.now + .seconds(20)
      async let waiting = consumer.poll(limit: 10, until: deadline)
      await environment.time.sleep(for: .seconds(7))
      _ = try await log.append([.on("other", 0, "x")])
      #expect(try await waiting.records.isEmpty)
      #expect(environment.now.asEventTime == Sample.at(20))
    }
  }

  @Test(
    "4. A poll without records ends at its deadline", arguments: Adapters.eventLogs, [0, 1, 30])
  func deadlines(adapter: Adapter<any EventLog>, seconds: Int) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      _ = try await consumer.poll(limit: 10, until: environment.now)
      let poll = try await consumer.poll(limit: 10, until: environment.now + .seconds(seconds))
      #expect(poll.records.isEmpty)
      #expect(environment.now.asEventTime == Sample.at(Int64(seconds)))
    }
  }

  @Test("4. A poll past its deadline still gives what is there", arguments: Adapters.eventLogs)
  func pastDeadline(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      let start = environment.now
      _ = try await consumer.poll(limit: 10, until: start)
      _ = try await log.append([.on("t", 0, "x")])
      await environment.time.sleep(for: .seconds(5))
      #expect(try await consumer.poll(limit: 10, until: start).records.map(\.text) == ["x"])
      #expect(try await consumer.poll(limit: 10, until: start).records.isEmpty)
      #expect(environment.now.asEventTime == Sample.at(5))
    }
  }

  @Test("4. Cancellation ends a poll at once", arguments: Adapters.eventLogs)
  func cancelled(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      _ = try await consumer.poll(limit: 10, until: environment.now)
      let deadline = environment.now + .seconds(20)
      await withTaskGroup { group in
        group.addTask { _ = try? await consumer.poll(limit: 10, until: deadline) }
        await environment.time.sleep(for: .seconds(3))
        group.cancelAll()
      }
      #expect(environment.now.asEventTime == Sample.at(3))
    }
  }
}

extension EventConsumer {
  /// All records there are, past any news of an assignment.
  func drain(_ environment: Environment) async throws -> [EventRecord] {
    var records: [EventRecord] = []
    while true {
      let poll = try await poll(limit: 100, until: environment.now)
      if poll.assignment == nil, poll.records.isEmpty { return records }
      records += poll.records
    }
  }
}
