import KafkaBackend
import Moderation
import Ports
import Testing

/// Groups that the broker decides about, in real time, on the broker of `REHEARSAL_KAFKA`.
@Suite("Kafka's groups", .serialized, .enabled(if: LiveKafka.servers != nil))
struct KafkaGroupTests {
  private let time = RealTime()
  private var patience: ProcessingTime { time.after(.seconds(40)) }

  /// Runs a body against a log with a topic `t`, and removes all afterwards.
  private func withLog(
    partitions: Int, session: Duration = .seconds(10),
    isStaticMember: Bool = false,
    _ body: (KafkaEventLog) async throws -> Void
  ) async throws {
    var settings = LiveKafka.settings(try #require(LiveKafka.servers))
    settings.membership = .broker
    settings.isStaticMember = isStaticMember
    let log = try KafkaEventLog(settings, time: time, session: session)
    try await log.createTopic("t", partitions: partitions)
    do { try await body(log) } catch { Issue.record(error) }
    // A static member's leave is known to nobody before its session is over.
    #expect(await code { try log.clean() } == (isStaticMember ? .unavailable : nil))
  }

  private func member(_ log: KafkaEventLog, _ name: String) async throws -> BrokerMember {
    BrokerMember(try await log.join("g", member: name, topics: ["t"]))
  }

  @Test("A member is told what it owns, then gets the records, merged")
  func alone() async throws {
    try await withLog(partitions: 2) { log in
      _ = try await log.append((0..<10).map { .on("t", $0 % 2, "\($0)", at: Int64($0)) })
      let only = try await member(log, "a")
      try await BrokerMember.poll([only], until: patience) { only.records.count == 10 }
      #expect(only.owned == [TopicPartition("t", 0), TopicPartition("t", 1)])
      for partition in only.owned {
        let offsets = only.records.filter { $0.partition == partition }.map(\.offset)
        #expect(offsets == [0, 1, 2, 3, 4])
      }
      try await only.consumer.leave()
    }
  }

  @Test("Two members share, what is no longer owned is fenced, and a leave gives it back")
  func joinAndLeave() async throws {
    try await withLog(partitions: 2) { log in
      let first = try await member(log, "a")
      try await BrokerMember.poll([first], until: patience) { first.owned.count == 2 }
      let both = first.owned
      let second = try await member(log, "b")
      try await BrokerMember.poll([first, second], until: patience) {
        first.owned.count == 1 && second.owned.count == 1
      }
      #expect((first.owned + second.owned).sorted() == both)
      let foreign = Dictionary(uniqueKeysWithValues: both.map { ($0, Int64(1)) })
      #expect(await code { try await first.consumer.commit(foreign) } == .fenced)
      #expect(try await first.consumer.committed().isEmpty, "not even what it owns")

      try await first.consumer.commit([first.owned[0]: 0])
      let left = first.owned[0]
      try await first.consumer.leave()
      #expect(await code { try await first.consumer.commit([left: 0]) } == .fenced)
      try await BrokerMember.poll([second], until: patience) { second.owned.count == 2 }
      #expect(second.owned == both)
      try await second.consumer.leave()
    }
  }

  @Test("Committed offsets survive the member")
  func committed() async throws {
    try await withLog(partitions: 1) { log in
      _ = try await log.append("abc".map { .on("t", 0, "\($0)") })
      let first = try await member(log, "a")
      try await BrokerMember.poll([first], until: patience) { first.records.count == 3 }
      try await first.consumer.commit([TopicPartition("t", 0): 2])
      try await first.consumer.leave()
      let second = try await member(log, "b")
      try await BrokerMember.poll([second], until: patience) { !second.records.isEmpty }
      #expect(second.records.map(\.text) == ["c"])
      #expect(try await second.consumer.committed() == [TopicPartition("t", 0): 2])
      try await second.consumer.leave()
    }
  }

  @Test("A seek goes forth and back, right after the assignment too")
  func seeks() async throws {
    try await withLog(partitions: 1) { log in
      _ = try await log.append("abcd".map { .on("t", 0, "\($0)") })
      let only = try await member(log, "a")
      try await BrokerMember.poll([only], until: patience) { !only.owned.isEmpty }
      var seen = ""
      for (offset, text) in [(3, "d"), (0, "abcd"), (2, "cd")] as [(Int64, String)] {
        try await only.consumer.seek([TopicPartition("t", 0): offset])
        seen += text
        let count = seen.count
        try await BrokerMember.poll([only], until: patience) { only.records.count >= count }
        #expect(only.records.map(\.text).joined() == seen)
      }
      try await only.consumer.leave()
    }
  }

  @Test("Who doesn't poll for the session's length loses the partitions, and may come back")
  func expiry() async throws {
    try await withLog(partitions: 2, session: .seconds(6)) { log in
      let (lazy, busy) = (try await member(log, "a"), try await member(log, "b"))
      try await BrokerMember.poll([lazy, busy], until: patience) {
        lazy.owned.count == 1 && busy.owned.count == 1
      }
      let lost = lazy.owned
      try await BrokerMember.poll([busy], until: patience) { busy.owned.count == 2 }
      let offsets = [lost[0]: Int64(0)]
      #expect(await code { try await lazy.consumer.commit(offsets) } == .fenced)
      try await BrokerMember.poll([lazy, busy], until: patience) {
        lazy.owned.count == 1 && busy.owned.count == 1
      }
      for each in [lazy, busy] { try await each.consumer.leave() }
    }
  }

  @Test("A static member that restarts within its session gets its partitions at once")
  func staticMember() async throws {
    try await withLog(partitions: 1, isStaticMember: true) { log in
      do {
        let crashed = try await member(log, "a")
        try await BrokerMember.poll([crashed], until: patience) { crashed.owned.count == 1 }
      }
      let restarted = try await member(log, "a")
      try await BrokerMember.poll([restarted], until: time.after(.seconds(9))) {
        restarted.owned.count == 1
      }
      try await restarted.consumer.leave()
    }
  }

  @Test("A poll without records ends at its deadline, or when it is cancelled")
  func deadlines() async throws {
    try await withLog(partitions: 1) { log in
      let only = try await member(log, "a")
      try await BrokerMember.poll([only], until: patience) { !only.owned.isEmpty }
      let deadline = time.after(.milliseconds(300))
      try await only.poll(until: deadline)
      #expect(time.now >= deadline)
      let far = time.after(.seconds(30))
      await withTaskGroup { group in
        group.addTask { _ = try? await only.poll(until: far) }
        group.cancelAll()
      }
      #expect(time.now < far)
      try await only.consumer.leave()
    }
  }
}
