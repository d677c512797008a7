import Moderation
import Ports
import Simulation
import Testing

extension EventConsumerConformance {
  @Test(
    "1. Every partition belongs to exactly one member", arguments: Adapters.eventLogs, 1...4)
  func partitioned(adapter: Adapter<any EventLog>, members: Int) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("a", partitions: 3)
      try await log.createTopic("b", partitions: 2)
      let group = try await Group(log, (0..<members).map { "m\($0)" }, topics: ["a", "b"])
      let owned = try await group.settle(environment)
      #expect(owned.flatMap(\.self).sorted() == Self.partitions(["a": 3, "b": 2]))
      #expect(owned.allSatisfy { !$0.isEmpty }, "5 partitions are enough for all")
    }
  }

  @Test(
    "1. A partition goes only to members that subscribe to its topic", arguments: Adapters.eventLogs
  )
  func subscriptions(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("a", partitions: 2)
      try await log.createTopic("b", partitions: 2)
      let both = try await log.join("g", member: "both", topics: ["a", "b"])
      let one = try await log.join("g", member: "one", topics: ["b"])
      let owned = try await Group([both, one]).settle(environment)
      #expect(owned.flatMap(\.self).sorted() == Self.partitions(["a": 2, "b": 2]))
      #expect(owned[1].allSatisfy { $0.topic == "b" })
    }
  }

  @Test("1. Groups don't share partitions", arguments: Adapters.eventLogs)
  func groups(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      _ = try await log.append([.on("t", 0, "x")])
      let first = try await log.join("g", member: "m", topics: ["t"])
      let second = try await log.join("h", member: "m", topics: ["t"])
      #expect(try await first.drain(environment).map(\.text) == ["x"])
      try await first.commit([TopicPartition("t", 0): 1])
      #expect(try await second.drain(environment).map(\.text) == ["x"])
      #expect(try await second.committed().isEmpty)
    }
  }

  @Test(
    "1. Partitions go to members that join, and back when they leave", arguments: Adapters.eventLogs
  )
  func joinAndLeave(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 6)
      let all = try await Group(log, ["a", "b", "c"], topics: ["t"])
      for (members, shares) in [(1, [6]), (2, [3, 3]), (3, [2, 2, 2])] {
        let owned = try await all.settle(environment, only: Array(0..<members))
        #expect(owned.map(\.count) == shares)
      }
      try await all.members[1].leave()
      #expect(try await all.settle(environment, only: [0, 2]).map(\.count) == [3, 3])
    }
  }

  @Test(
    "1. Who doesn't poll for the session's length loses the partitions",
    arguments: Adapters.eventLogs)
  func expiry(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 2)
      let group = try await Group(log, ["a", "b"], topics: ["t"])
      _ = try await group.settle(environment)
      await environment.time.sleep(for: Adapters.session / 2)
      #expect(try await group.members[0].poll(limit: 1, until: environment.now).assignment == nil)
      await environment.time.sleep(for: Adapters.session / 2 + .seconds(1))
      let poll = try await group.members[0].poll(limit: 1, until: environment.now)
      #expect(poll.assignment == Self.partitions(["t": 2]))
      let failed = await code { try await group.members[1].commit([TopicPartition("t", 1): 1]) }
      #expect(failed == .fenced)
      #expect(try await group.settle(environment).map(\.count) == [1, 1], "it may come back")
    }
  }

  @Test("1. Who waits in a poll hasn't stayed away, however long", arguments: Adapters.eventLogs)
  func waitingIsPresence(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 2)
      let group = try await Group(log, ["a", "b"], topics: ["t"])
      _ = try await group.settle(environment)
      let (waiter, other) = (group.members[0], group.members[1])
      let deadline = environment.now + Adapters.session * 3
      async let waiting = waiter.poll(limit: 10, until: deadline)
      for _ in 0..<4 {
        await environment.time.sleep(for: Adapters.session / 2)
        let poll = try await other.poll(limit: 10, until: environment.now)
        #expect(poll.assignment == nil, "no rebalance at \(environment.now.asEventTime)")
      }
      #expect(try await waiting.assignment == nil)
    }
  }

  @Test(
    "5. A commit of a partition that went to another member is fenced",
    arguments: Adapters.eventLogs)
  func fenced(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 2)
      let group = try await Group(log, ["a", "b"], topics: ["t"])
      #expect(try await group.settle(environment, only: [0]).map(\.count) == [2])
      let owned = try await group.settle(environment)
      let both = Dictionary(uniqueKeysWithValues: (owned[0] + owned[1]).map { ($0, Int64(1)) })
      #expect(await code { try await group.members[0].commit(both) } == .fenced)
      #expect(try await group.members[1].committed().isEmpty, "not even what it owns")
      for (member, partitions) in zip(group.members, owned) {
        try await member.commit(
          Dictionary(uniqueKeysWithValues: partitions.map { ($0, Int64(1)) }))
      }
      #expect(try await group.members[0].committed() == both)
    }
  }

  @Test("5. Who owns nothing can commit nothing", arguments: Adapters.eventLogs)
  func fencedOutside(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      let consumer = try await log.join("g", member: "m", topics: ["t"])
      let offsets = [TopicPartition("t", 0): Int64(0)]
      #expect(await code { try await consumer.commit(offsets) } == .fenced, "before its first poll")
      _ = try await consumer.drain(environment)
      #expect(await code { try await consumer.commit(offsets) } == nil)
      try await consumer.leave()
      #expect(await code { try await consumer.commit(offsets) } == .fenced, "after it left")
    }
  }

  @Test(
    "6. A member that restarts gets its assignment anew and reads from the committed offsets",
    arguments: Adapters.eventLogs)
  func restart(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      _ = try await log.append("abc".map { .on("t", 0, "\($0)") })
      let crashed = try await log.join("g", member: "m", topics: ["t"])
      #expect(try await crashed.drain(environment).count == 3)
      try await crashed.commit([TopicPartition("t", 0): 1])
      let restarted = try await log.join("g", member: "m", topics: ["t"])
      let poll = try await restarted.poll(limit: 10, until: environment.now)
      #expect(poll.assignment == [TopicPartition("t", 0)])
      #expect(try await restarted.drain(environment).map(\.text) == ["b", "c"])
    }
  }

  @Test("6. A member that restarts may subscribe to other topics", arguments: Adapters.eventLogs)
  func restartElsewhere(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      for topic in ["a", "b"] { try await log.createTopic(topic, partitions: 1) }
      let crashed = try await log.join("g", member: "m", topics: ["a"])
      _ = try await crashed.drain(environment)
      let restarted = try await log.join("g", member: "m", topics: ["b"])
      let poll = try await restarted.poll(limit: 10, until: environment.now)
      #expect(poll.assignment == [TopicPartition("b", 0)])
    }
  }

  @Test("6. A member that restarts is woken by appends as before", arguments: Adapters.eventLogs)
  func restartWakes(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      let crashed = try await log.join("g", member: "m", topics: ["t"])
      _ = try await crashed.drain(environment)
      let restarted = try await log.join("g", member: "m", topics: ["t"])
      _ = try await restarted.drain(environment)
      let deadline = environment.now + .seconds(20)
      async let waiting = restarted.poll(limit: 10, until: deadline)
      await environment.time.sleep(for: .seconds(7))
      _ = try await log.append([.on("t", 0, "x")])
      #expect(try await waiting.records.map(\.text) == ["x"])
      #expect(environment.now.asEventTime == Sample.at(7))
    }
  }

  @Test("6. Committed offsets survive a member whose session ended", arguments: Adapters.eventLogs)
  func survivesExpiry(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 1)
      _ = try await log.append("abc".map { .on("t", 0, "\($0)") })
      let crashed = try await log.join("g", member: "a", topics: ["t"])
      _ = try await crashed.drain(environment)
      try await crashed.commit([TopicPartition("t", 0): 2])
      await environment.time.sleep(for: Adapters.session + .seconds(1))
      let other = try await log.join("g", member: "b", topics: ["t"])
      #expect(try await other.drain(environment).map(\.text) == ["c"])
      #expect(try await other.committed() == [TopicPartition("t", 0): 2])
    }
  }

  @Test("7. After a leave the others own and read its partitions", arguments: Adapters.eventLogs)
  func leave(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 3)
      let group = try await Group(log, ["a", "b", "c"], topics: ["t"])
      let owned = try await group.settle(environment)
      let gone = try #require(owned[2].first)
      _ = try await log.append("xyz".map { .on("t", gone.partition, "\($0)") })
      _ = try await group.members[2].poll(limit: 10, until: environment.now)
      try await group.members[2].commit([gone: 1])
      try await group.members[2].leave()
      let before = group.records.values.count
      #expect(try await group.settle(environment, only: [0, 1]).map(\.count).sorted() == [1, 2])
      let seen = group.records.values.dropFirst(before)
      #expect(seen.map(\.text) == ["y", "z"], "from the committed offset on")
    }
  }

  @Test("7. A leave wakes the others' polls", arguments: Adapters.eventLogs)
  func leaveWakes(adapter: Adapter<any EventLog>) throws {
    try simulate(adapter) { log, environment in
      try await log.createTopic("t", partitions: 2)
      let group = try await Group(log, ["a", "b"], topics: ["t"])
      _ = try await group.settle(environment)
      let deadline = environment.now + .seconds(20)
      let stays = group.members[0]
      async let waiting = stays.poll(limit: 10, until: deadline)
      await environment.time.sleep(for: .seconds(4))
      try await group.members[1].leave()
      #expect(try await waiting.assignment == Self.partitions(["t": 2]))
      #expect(environment.now.asEventTime == Sample.at(4))
    }
  }

  private static func partitions(_ counts: [String: Int]) -> [TopicPartition] {
    counts.flatMap { topic, count in (0..<count).map { TopicPartition(topic, $0) } }.sorted()
  }
}
