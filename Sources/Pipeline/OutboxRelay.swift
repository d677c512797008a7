import Moderation
import Ports

/// Publishes the outbox in commit order, and after each drain a resolved timestamp.
///
/// A crash between the append and the mark publishes an event twice, with the same event id.
public struct OutboxRelay: Service {
  /// The name in traces and faults.
  public let name = "outbox-relay"

  private let store: any ApplicationStore
  private let log: any EventLog
  private let environment: Environment
  private let policy: PipelinePolicy

  /// A relay over its ports.
  public init(
    store: any ApplicationStore, log: any EventLog, environment: Environment,
    policy: PipelinePolicy
  ) {
    self.store = store
    self.log = log
    self.environment = environment
    self.policy = policy
  }

  /// Drains the outbox at every tick.
  public func run() async {
    await environment.repeating { () async throws(PortError) in
      await environment.time.sleep(until: environment.nextTick(policy.relayInterval))
      guard !Task.isCancelled else { return }
      try await drain()
    }
  }

  /// Publishes everything that was committed by now.
  public func drain() async throws(PortError) {
    // Read before the outbox: what commits after this instant isn't claimed to be published.
    let resolvedAt = environment.now.asEventTime - policy.commitGrace
    var published = 0
    while true {
      let entries = try await store.outbox(limit: policy.batchLimit)
      guard !entries.isEmpty else { break }
      _ = try await log.append(entries.map { ProducerRecord($0.event) })
      try await store.markPublished(entries.map(\.sequence))
      published += entries.count
      if entries.count < policy.batchLimit { break }
    }
    if published > 0 { environment.record("published", [.integer("events", published)]) }
    try await ResolvedMark.publish(resolvedAt, to: log, at: environment.now)
  }
}
