import Moderation
import Pipeline
import Ports
import Synchronization

/// Something that a backend did, or a service reported, while a scenario ran.
public enum Observation: Sendable {
  /// A poll of a consumer group gave these records.
  case polled(group: String, [EventRecord])
  /// The feature store applied a batch with these advances.
  case advanced([FeatureBatch.Advance])
  /// The feature store said how far it is.
  case progress([TopicPartition: PartitionProgress])
  /// The feature store lost what it had applied since its last save: from here on it may say less.
  case featuresLost
  /// The risk scorer reported a score as stored.
  case scored(ScoredRequest)
  /// A consumer group has these offsets committed; those not named are as they were.
  case groupOffsets(group: String, [TopicPartition: Int64])
  /// A job's checkpoint was saved.
  case checkpoint(String, Checkpoint)
  /// A table of the lake has this snapshot.
  case snapshot(TableName, TableSnapshot)
}

/// Looks at one run while it happens.
public protocol RunMonitor: Sendable {
  /// What is wrong with an observation, given those before it; nil when nothing is.
  mutating func fault(in observation: Observation) -> String?
}

/// A checker that also watches: its verdict is the first violation that its monitor saw.
public protocol WatchingChecker: Checker {
  /// A monitor for one run, from its start.
  func monitor() -> any RunMonitor
}

/// The first violation that a monitor saw.
public struct SeenViolation: Hashable, Sendable {
  /// The checker's name.
  public var checker: String
  /// When it was seen, in virtual time.
  public var at: ProcessingTime
  /// What is wrong.
  public var fault: String
}

/// Shows a run's monitors what happens, and keeps the first violation of each.
public final class RunWatch: Sendable {
  private struct Post {
    var checker: String
    var monitor: any RunMonitor
    var violation: SeenViolation?
  }

  private let posts: Mutex<[Post]>
  private let environment: Environment

  /// The monitors of checkers, over the run's clock and trace.
  init(_ checkers: [any Checker], environment: Environment) {
    self.environment = environment
    posts = Mutex(
      checkers.compactMap { $0 as? any WatchingChecker }.map {
        Post(checker: $0.name, monitor: $0.monitor())
      })
  }

  /// The present.
  var now: ProcessingTime { environment.now }

  /// The violations, one per monitor at most, in the checkers' order.
  var violations: [SeenViolation] { posts.withLock { $0.compactMap(\.violation) } }

  /// Shows the monitors what happened now; one that saw a violation sees no more.
  public func see(_ observation: Observation) {
    let now = environment.now
    let fresh = posts.withLock { posts -> [SeenViolation] in
      posts.indices.compactMap { index in
        guard posts[index].violation == nil,
          let fault = posts[index].monitor.fault(in: observation)
        else { return nil }
        let violation = SeenViolation(checker: posts[index].checker, at: now, fault: fault)
        posts[index].violation = violation
        return violation
      }
    }
    for violation in fresh {
      environment.record(
        "violated", [.text("checker", violation.checker), .text("fault", violation.fault)])
    }
  }
}
