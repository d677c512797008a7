import Ports
import Synchronization

/// Members of one consumer group, polled in turn.
final class Group: Sendable {
  /// The members, in the order of their turns.
  let members: [any EventConsumer]
  /// What ``settle(_:only:)`` read on its way.
  let records = Records()

  init(_ members: [any EventConsumer]) { self.members = members }

  /// Joins members to group `g`.
  convenience init(_ log: any EventLog, _ names: [String], topics: [String]) async throws {
    var members: [any EventConsumer] = []
    for name in names { members.append(try await log.join("g", member: name, topics: topics)) }
    self.init(members)
  }

  /// Polls all, or only those at the indices, in turn until there is no news; gives what each of
  /// them owns.
  func settle(
    _ environment: Environment, only indices: [Int]? = nil
  ) async throws -> [[TopicPartition]] {
    let indices = indices ?? Array(members.indices)
    var hasNews = true
    while hasNews {
      hasNews = false
      for index in indices {
        let poll = try await members[index].poll(limit: 100, until: environment.now)
        if let assignment = poll.assignment { owned.withLock { $0[index] = assignment } }
        records.append(poll.records)
        hasNews = hasNews || poll.assignment != nil || !poll.records.isEmpty
      }
    }
    return owned.withLock { owned in indices.map { owned[$0] ?? [] } }
  }

  private let owned = Mutex<[Int: [TopicPartition]]>([:])
}

/// Records in the order in which they were read.
final class Records: Sendable {
  private let stored = Mutex<[EventRecord]>([])

  /// All so far.
  var values: [EventRecord] { stored.withLock { $0 } }

  /// Adds records.
  func append(_ records: [EventRecord]) { stored.withLock { $0 += records } }
}
