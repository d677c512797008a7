import Moderation

/// Every choice that the pipeline leaves to its operator; a scenario's `policy:` sets it.
public struct PipelinePolicy: Hashable, Sendable {
  /// When a request is scored.
  public enum Scoring: String, Hashable, Sendable, CaseIterable {
    /// As of the request's instant, once the watermark has passed it (ours).
    case watermark
    /// At once, as of now (the lab's).
    case immediate
  }

  /// How events reach the log.
  public enum Publication: String, Hashable, Sendable, CaseIterable {
    /// Through the outbox, in the transaction of the rows (ours).
    case outbox
    /// After the transaction, by the API itself (the lab's): a crash in between loses the event.
    case direct
    /// Not at all: the API's v1.
    case none
  }

  /// Who scores.
  public enum Inference: String, Hashable, Sendable, CaseIterable {
    /// The rules.
    case heuristic
    /// The deployed model; the rules where there is none that can.
    case model
    /// The rules decide, and the shadow model scores beside them.
    case shadow
  }

  /// How training features are computed.
  public enum Offline: String, Hashable, Sendable, CaseIterable {
    /// The governed value as of each decision point, from event-level history (ours).
    case pointInTime = "point-in-time"
    /// From whole 5-minute windows (the lab's).
    case lab
  }

  /// The rules of the heuristic score.
  public var heuristic: HeuristicPolicy
  /// When a request is scored.
  public var scoring = Scoring.watermark
  /// Who scores.
  public var inference = Inference.heuristic
  /// How models are trained.
  public var training = TrainingOptions()
  /// How events reach the log.
  public var publication = Publication.outbox
  /// The thresholds.
  public var triggers = TriggerPolicy()
  /// How a minor is recognised.
  public var governance = Governance()
  /// How training features are computed.
  public var offline = Offline.pointInTime
  /// How training labels are taken.
  public var labels = LabelRule.ripe
  /// Partitions of each topic.
  public var partitions = 3
  /// How often the outbox is drained and a resolved timestamp published.
  public var relayInterval = Duration.seconds(1)
  /// The most records that one poll or one outbox read takes.
  public var batchLimit = 500
  /// The longest that a transaction may take between its rows' `created_at` and its commit; a
  /// resolved timestamp stays that far behind the clock.
  public var commitGrace = Duration.seconds(1)
  /// How far a drained partition's watermark follows behind the clock when nobody publishes
  /// resolved timestamps (`publish: direct`).
  public var idleWait = Duration.seconds(5)
  /// The longest poll. A scenario that slows the relay slows this with it: nothing new comes in
  /// between.
  public var pollWait = Duration.seconds(1)
  /// How long a lake table's old snapshots are kept before `expire` drops them.
  public var snapshotRetention = Duration.zero
  /// The end of a scenario's world: nothing after it is asked for, scored or trained on. Nil in a
  /// deployment, where time goes on.
  public var horizon: EventTime?

  /// The defaults over a heuristic.
  public init(heuristic: HeuristicPolicy) { self.heuristic = heuristic }
}

/// The topics and tables that the pipeline works on.
public enum Catalog {
  /// Topics whose records the stream consumer applies, sorted.
  public static let sourceTopics = EventKind.allCases.map(\.topic).sorted()

  /// Topics with `partitions` partitions; the others have one.
  public static let partitionedTopics =
    sourceTopics + [Topic.moderationRequests, Topic.featureLog]

  /// Topics with one partition.
  public static let singleTopics = [Topic.deadLetters, Topic.resolved]
}
