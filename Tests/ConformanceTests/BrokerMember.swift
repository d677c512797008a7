import Moderation
import Ports
import Synchronization
import Testing

/// A member of a group that a broker decides about, with all that its polls gave.
final class BrokerMember: Sendable {
  let consumer: any EventConsumer
  private let state = Mutex<(owned: [TopicPartition], records: [EventRecord])>(
    ([], []))

  init(_ consumer: any EventConsumer) { self.consumer = consumer }

  /// What it owns by its last news.
  var owned: [TopicPartition] { state.withLock { $0.owned } }
  /// What it read.
  var records: [EventRecord] { state.withLock { $0.records } }

  /// One poll.
  func poll(limit: Int = 100, until deadline: ProcessingTime) async throws {
    let poll = try await consumer.poll(limit: limit, until: deadline)
    #expect(poll.assignment == nil || poll.records.isEmpty, "an assignment comes before records")
    state.withLock { state in
      if let assignment = poll.assignment { state.owned = assignment }
      state.records += poll.records
    }
  }

  /// Polls members in turn until a condition holds, and records an issue when it never does.
  static func poll(
    _ members: [BrokerMember], until deadline: ProcessingTime,
    sourceLocation: SourceLocation = #_sourceLocation, _ isEnough: () -> Bool
  ) async throws {
    let time = RealTime()
    var rounds = 0
    // Beside other tests a task may get no thread until the deadline is long over.
    while !isEnough(), time.now < deadline || rounds < 400 {
      for member in members { try await member.poll(until: time.after(.milliseconds(100))) }
      rounds += 1
    }
    #expect(isEnough(), sourceLocation: sourceLocation)
  }
}
