import Foundation
import Moderation
import Ports
import Synchronization

/// A ``FeatureStore`` in Redis: the lab's keys (REFERENCE §4), and beside them keys for what the
/// contract needs.
///
/// *Fidelity.* Exact, as long as the server keeps its keys. `apply` is one script, so a batch is
/// applied whole or not at all, whatever other consumers do meanwhile; every other call is one
/// round trip too. A call is sent again when the connection breaks: a batch carries a name, by
/// which the server knows it and gives its first reply again. A server that comes back from an
/// older save has older progress along with older counts, and is fed from there.
///
/// Calls block their thread. Any number of threads may call at once.
public final class RedisFeatureStore: FeatureStore {
  let client: RedisClient
  private let retention: Duration
  /// Names of calls begin with it: no other store's do.
  private let name = UUID().uuidString
  private let calls = Atomic<Int>(0)

  /// A store; it connects when it is first called.
  ///
  /// Throws `invalid` when a setting can't be right.
  ///
  /// - Parameters:
  ///   - grace: how long after the watermark a count as of an instant can be asked for.
  ///   - jitter: numbers in `0..<1` that spread the attempts of several clients.
  public init(
    _ settings: RedisSettings, grace: Duration = .seconds(86_400),
    jitter: @escaping @Sendable () -> Double = { 0.5 }
  ) throws(PortError) {
    retention = grace + .microseconds(RollingWindow.oneHour.microseconds)
    client = RedisClient(settings, jitter: jitter)
    if let problem = settings.problem(retention: retention) {
      throw PortMethod("init").error(.invalid, problem)
    }
  }

  /// See ``FeatureStore``, rules 1–5 and 9.
  public func apply(
    _ batch: FeatureBatch, policy: TriggerPolicy
  ) async throws(PortError) -> AppliedBatch {
    let operation = PortMethod("apply")
    if let problem = FeatureBatchArguments.problem(batch, policy) {
      throw operation.error(.invalid, problem)
    }
    let call = "\(name) \(calls.wrappingAdd(1, ordering: .relaxed).newValue)"
    let timeToLive = client.settings.timeToLive.map { $0.components.seconds } ?? 0
    let reply = try client.run(
      .apply,
      [
        prefix, Array(call.utf8), Array("\(timeToLive)".utf8),
        FeatureBatchArguments(batch, policy, retention: retention).bytes,
      ], for: operation, changes: true)
    let parts = reply.list ?? []
    if parts.first == .text("conflict"), parts.count == 3,
      let slot = parts[1].integer.map(Int.init), let next = parts[2].integer,
      batch.partitions.indices.contains(slot)
    {
      let advance = batch.partitions[slot]
      throw operation.error(
        .conflict,
        "\(advance.partition) is applied up to \(next), the batch starts at \(advance.from)")
    }
    guard let applied = AppliedBatch(parts) else { throw unreadable(reply, operation) }
    return applied
  }

  /// See ``FeatureStore``, rules 4 and 8.
  public func counts(
    _ questions: [CountQuestion]
  ) async throws(PortError) -> [EngagementCounts] {
    let operation = PortMethod("counts")
    var pack = MessagePack()
    pack.list(questions.count * 2)
    for question in questions {
      pack.id(question.image)
      pack.integer(question.asOf.microseconds)
    }
    let reply = try client.run(
      .counts, [prefix, pack.bytes], for: operation, changes: false)
    let parts = reply.list ?? []
    if parts.first == .text("counts"), parts.count == 2,
      let numbers = parts[1].list?.compactMap({ $0.integer.map(Int.init) }),
      numbers.count == questions.count * EngagementCounts.width
    {
      return questions.indices.map { index in
        EngagementCounts(numbers[(index * EngagementCounts.width)...])
      }
    }
    guard parts.count == 3, let index = parts[1].integer.map(Int.init),
      questions.indices.contains(index), let found = parts[2].text
    else { throw unreadable(reply, operation) }
    throw refusal(of: questions[index], parts[0], found, operation)
  }

  /// See ``FeatureStore``, rule 7.
  public func progress() async throws(PortError) -> [TopicPartition: PartitionProgress] {
    let operation = PortMethod("progress")
    let reply = try client.send(
      [RedisCommand("HGETALL", key("progress"))], for: operation, changes: false)[0]
    guard let fields = reply.list?.compactMap(\.text) else { throw unreadable(reply, operation) }
    var progress: [TopicPartition: PartitionProgress] = [:]
    for index in stride(from: 0, to: fields.count - 1, by: 2) {
      guard let partition = TopicPartition(fields[index]),
        let known = PartitionProgress(fields[index + 1])
      else { throw unreadable(.text("\(fields[index]): \(fields[index + 1])"), operation) }
      progress[partition] = known
    }
    return progress
  }

  /// See ``FeatureStore``, rule 6.
  public func pending(
    asOf bound: EventTime, limit: Int
  ) async throws(PortError) -> [ModerationRequest] {
    let operation = PortMethod("pending")
    let seconds = "\(Double(bound.microseconds) / 1e6)"
    let reply = try client.run(
      .pending, [prefix, Array(seconds.utf8), Array("\(limit)".utf8)], for: operation,
      changes: false)
    guard let elements = reply.list else { throw unreadable(reply, operation) }
    var requests: [ModerationRequest] = []
    for element in elements {
      guard let fired = FiredTrigger(pending: element) else { throw unreadable(element, operation) }
      requests.append(ModerationRequest(fired))
    }
    return requests
  }

  /// See ``FeatureStore``, rule 5.
  public func acknowledge(_ requests: [ModerationRequest]) async throws(PortError) {
    guard !requests.isEmpty else { return }
    let members = requests.map { "\($0.image) \($0.trigger.name)" }
    _ = try client.send(
      [
        RedisCommand(["ZREM", key("pending")] + members),
        RedisCommand(["HDEL", key("pending:counts")] + members),
      ], for: PortMethod("acknowledge"), changes: true)
  }

  private var prefix: [UInt8] { Array(client.settings.prefix.utf8) }

  /// A key that isn't an image's.
  private func key(_ name: String) -> String { "\(client.settings.prefix)features:\(name)" }

  private func refusal(
    of question: CountQuestion, _ reason: RedisReply, _ found: String, _ operation: PortMethod
  ) -> PortError {
    if reason == .text("outOfRetention"), let oldest = Int64(found) {
      return operation.error(
        .outOfRetention,
        "\(question.asOf) is before \(EventTime(microseconds: oldest)), the oldest instant still "
          + "kept")
    }
    return operation.error(
      .corrupt,
      "the key '\(found)' of Redis at \(client.settings.address) expired, was evicted or deleted, "
        + "though counts as of \(question.asOf) need it; raise `time_to_live`, set "
        + "`maxmemory-policy noeviction`, then fill a new `prefix` from the log")
  }

  private func unreadable(_ reply: RedisReply, _ operation: PortMethod) -> PortError {
    operation.error(
      .corrupt,
      "Redis at \(client.settings.address) has '\(reply)', which this program didn't write; "
        + "choose another `prefix`")
  }
}
