import Moderation
import Ports

/// Publishes requests whose instant has come: the anchors after each upload, and whatever a
/// consumer applied but died before publishing.
public struct AnchorScheduler: Service {
  /// The name in traces and faults.
  public let name = "anchor-scheduler"

  private let log: any EventLog
  private let features: any FeatureStore
  private let environment: Environment
  private let policy: PipelinePolicy

  /// A scheduler over its ports.
  public init(
    log: any EventLog, features: any FeatureStore, environment: Environment,
    policy: PipelinePolicy
  ) {
    self.log = log
    self.features = features
    self.environment = environment
    self.policy = policy
  }

  /// Looks for due requests at every tick.
  public func run() async {
    await environment.repeating { () async throws(PortError) in
      await environment.time.sleep(until: environment.nextTick(policy.relayInterval))
      guard !Task.isCancelled else { return }
      try await publishDue()
    }
  }

  /// Publishes every request whose instant has come.
  public func publishDue() async throws(PortError) {
    let now = environment.now.asEventTime
    let bound = min(now, policy.horizon ?? now)
    while true {
      let requests = try await features.pending(asOf: bound, limit: policy.batchLimit)
      guard !requests.isEmpty else { return }
      try await requests.publish(to: log, at: environment.now)
      try await features.acknowledge(requests)
      environment.record("requested", [.integer("requests", requests.count)])
    }
  }
}
