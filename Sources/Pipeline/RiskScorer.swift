import Moderation
import Ports

/// One score with the vectors behind it: an object, since it is handed on a dozen times, and each
/// time would cost a third of a kilobyte with nine references to count.
public final class ScoredRequest: Hashable, Sendable {
  /// What was asked.
  public let request: ModerationRequest
  /// The instant that the features are about; the request's, or now under `scoring: immediate`.
  public let asOf: EventTime
  /// The row as stored.
  public let row: ModerationRow
  /// Everybody's events: what the heuristic saw.
  public let observed: FeatureVector
  /// Eligible actors' events: what a model saw, or would see.
  public let governed: FeatureVector
  /// The vector that made the score.
  public var deciding: FeatureVector { row.modelVersion == nil ? observed : governed }
  /// The image's category.
  public let category: String?
  /// Whether its uploader is eligible: what the log of features needs.
  let isUploaderEligible: Bool

  init(
    request: ModerationRequest, asOf: EventTime, row: ModerationRow, observed: FeatureVector,
    governed: FeatureVector, category: String?, isUploaderEligible: Bool
  ) {
    self.request = request
    self.asOf = asOf
    self.row = row
    self.observed = observed
    self.governed = governed
    self.category = category
    self.isUploaderEligible = isUploaderEligible
  }

  /// The same score with the row that the database had already.
  func stored(as row: ModerationRow) -> ScoredRequest {
    ScoredRequest(
      request: request, asOf: asOf, row: row, observed: observed, governed: governed,
      category: category, isUploaderEligible: isUploaderEligible)
  }

  /// As the log of features carries it.
  public var logEntry: FeatureLogEntry {
    FeatureLogEntry(
      row, of: request, asOf: asOf, category: category, isUploaderEligible: isUploaderEligible,
      observed: observed, governed: governed)
  }

  /// Compares what the two say.
  public static func == (a: ScoredRequest, b: ScoredRequest) -> Bool {
    a === b
      || a.request == b.request && a.asOf == b.asOf && a.row == b.row && a.observed == b.observed
        && a.governed == b.governed && a.category == b.category
        && a.isUploaderEligible == b.isUploaderEligible
  }

  /// Feeds the row, which two scores hardly share.
  public func hash(into hasher: inout Hasher) { hasher.combine(row) }
}

/// Scores moderation requests and stores the outcome (REFERENCE §5, §6).
///
/// A request waits until the watermark has reached its instant; then its score is a function of the
/// events alone. Rows are unique by request and mode, so a request read twice is stored once. With
/// each row its vectors go to the log of features, in the same transaction where events do.
public struct RiskScorer: Service {
  /// The consumer group.
  public static let group = "gourmetgram-risk-scorer"

  /// The name in traces and faults.
  public let name = "risk-scorer"

  private let log: any EventLog
  private let features: any FeatureStore
  private let store: any ApplicationStore
  private let registry: ModelRegistry
  private let environment: Environment
  private let policy: PipelinePolicy
  private let onScored: @Sendable (ScoredRequest) -> Void

  /// A scorer over its ports.
  ///
  /// - Parameters:
  ///   - registry: asked under `inference: model` and `shadow` only.
  ///   - onScored: gets every score once it is stored; again after a lost reply.
  public init(
    log: any EventLog, features: any FeatureStore, store: any ApplicationStore,
    registry: ModelRegistry, environment: Environment, policy: PipelinePolicy,
    onScored: @escaping @Sendable (ScoredRequest) -> Void = { _ in }
  ) {
    self.log = log
    self.features = features
    self.store = store
    self.registry = registry
    self.environment = environment
    self.policy = policy
    self.onScored = onScored
  }

  private struct Waiting {
    var request: ModerationRequest
    var partition: TopicPartition
    var offset: Int64
  }

  private struct Session {
    let consumer: any EventConsumer
    var waiting: [Waiting] = []
    /// The next offset to read, per owned partition.
    var read: [TopicPartition: Int64] = [:]
    var committed: [TopicPartition: Int64] = [:]
    var models: DeployedModels

    init(consumer: any EventConsumer, models: DeployedModels) {
      self.consumer = consumer
      self.models = models
    }
  }

  /// Scores until cancelled; after an error it joins anew and goes on from what is committed.
  public func run() async {
    await environment.repeating { () async throws(PortError) in
      let partitions = try await sourcePartitions()
      var session = try await Session(
        consumer: log.join(Self.group, member: name, topics: [Topic.moderationRequests]),
        models: DeployedModels(registry))
      while !Task.isCancelled { try await step(&session, partitions) }
      try await session.consumer.leave()
    }
  }

  private func step(
    _ session: inout Session, _ partitions: Set<TopicPartition>
  ) async throws(PortError) {
    let poll = try await session.consumer.poll(
      limit: policy.batchLimit, until: environment.now + policy.pollWait)
    if poll.assignment != nil {
      session.waiting = []
      session.read = [:]
    }
    // What a broker hands out again was read already, and its offset may be committed.
    for record in poll.records where record.offset >= session.read[record.partition] ?? 0 {
      session.read[record.partition] = record.offset + 1
      do throws(EventDecodingError) {
        session.waiting.append(
          Waiting(
            request: try ModerationRequest.decodeFast(record.value), partition: record.partition,
            offset: record.offset))
      } catch {
        environment.record("bad-request", [.text("reason", error.description)])
      }
    }
    let ready = try await takeReady(&session, partitions)
    if !ready.isEmpty {
      if policy.inference != .heuristic { try await session.models.refresh() }
      try await score(ready, session.models)
    }
    try await commitOffsets(&session)
  }

  /// The requests whose instant the watermark has reached, by (instant, id).
  private func takeReady(
    _ session: inout Session, _ partitions: Set<TopicPartition>
  ) async throws(PortError) -> [ModerationRequest] {
    guard !session.waiting.isEmpty else { return [] }
    var watermark: EventTime?
    if policy.scoring == .watermark {
      let progress = try await features.progress()
      watermark = partitions.compactMap { progress[$0]?.watermark }.min()
      guard partitions.allSatisfy({ progress[$0]?.watermark != nil }) else { return [] }
    }
    var ready: [ModerationRequest] = []
    session.waiting.removeAll { waiting in
      let isReady = watermark.map { waiting.request.asOf <= $0 } ?? true
      if isReady { ready.append(waiting.request) }
      return isReady
    }
    return ready.sorted { ($0.asOf, $0.id) < ($1.asOf, $1.id) }
  }

  private func score(
    _ requests: [ModerationRequest], _ models: DeployedModels
  ) async throws(PortError) {
    let now = environment.now.asEventTime
    let questions = requests.map { CountQuestion(image: $0.image, asOf: instant($0, now)) }
    let subjects = try await store.subjects(questions)
    let counts = try await self.counts(questions)
    var scored: [ScoredRequest] = []
    scored.reserveCapacity(requests.count)
    for (index, request) in requests.enumerated() {
      guard let subject = subjects[index], let counts = counts[index] else {
        let reason = subjects[index] == nil ? "unknown image" : "out of retention"
        environment.record(
          "unscorable", [.id("image_id", request.image), .text("reason", reason)])
        continue
      }
      evaluate(
        request, subject, counts, asOf: questions[index].asOf, models, now: now, into: &scored)
    }
    for (score, outcome) in zip(scored, try await commit(scored)) {
      var score = score
      if case .existing(.moderation(let row)) = outcome { score = score.stored(as: row) }
      record(score)
      onScored(score)
    }
  }

  /// Stores the rows; their vectors go the way that events go. A request that is scored again logs
  /// its vectors again, behind the first.
  private func commit(_ scored: [ScoredRequest]) async throws(PortError) -> [MutationOutcome] {
    var mutations: [Mutation] = scored.map { .insertModeration($0.row) }
    let messages = policy.publication == .none ? [] : scored.map(\.logMessage)
    if policy.publication == .outbox { mutations += messages.map { .enqueue($0) } }
    let outcomes = try await store.commit(mutations)
    if policy.publication == .direct, !messages.isEmpty {
      _ = try await log.append(messages.map(ProducerRecord.init))
    }
    return outcomes
  }

  /// The counts of each question; nil for an instant that is no longer kept, which mustn't hold up
  /// the others.
  private func counts(
    _ questions: [CountQuestion]
  ) async throws(PortError) -> [EngagementCounts?] {
    do throws(PortError) {
      // Not left to the compiler, which casts one by one at run time.
      return try await features.counts(questions).map(Optional.some)
    } catch {
      guard error.code == .outOfRetention else { throw error }
    }
    var counts: [EngagementCounts?] = []
    for question in questions {
      do throws(PortError) {
        counts.append(try await features.counts([question]).first)
      } catch {
        guard error.code == .outOfRetention else { throw error }
        counts.append(nil)
      }
    }
    return counts
  }

  /// Appends the scores of a request: one that decides, and a shadow's beside it.
  private func evaluate(
    _ request: ModerationRequest, _ record: SubjectRecord, _ counts: EngagementCounts,
    asOf: EventTime, _ models: DeployedModels, now: EventTime, into scored: inout [ScoredRequest]
  ) {
    let subject = record.subject(countsDeletedImages: policy.scoring == .immediate)
    let observed = FeatureVector(subject, counts: counts, flavour: .observed, asOf: asOf)
    // The same, and the same memory, where everybody was eligible: nearly always.
    let governed =
      counts.areAllGoverned
      ? observed : FeatureVector(subject, counts: counts, flavour: .governed, asOf: asOf)
    let isEligible = policy.governance.isEligible(record.uploader, at: record.image.createdAt)
    // Only a model asks for them.
    var inputs: ModelInputs { ModelInputs(governed.numeric, category: subject.category) }
    func add(_ row: ModerationRow) {
      scored.append(
        ScoredRequest(
          request: request, asOf: asOf, row: row, observed: observed, governed: governed,
          category: subject.category, isUploaderEligible: isEligible))
    }
    switch policy.inference {
    case .heuristic: add(byHeuristic(request, observed, now: now))
    case .model:
      switch models.answer(.deployed, at: asOf) {
      case .model(let version, let model):
        add(row(request, inputs, version, model, mode: "model", now: now))
      case .none(let reason): add(byHeuristic(request, observed, insteadOf: reason, now: now))
      }
    case .shadow:
      add(byHeuristic(request, observed, now: now))
      switch models.answer(.shadow, at: asOf) {
      case .model(let version, let model):
        add(row(request, inputs, version, model, mode: "shadow", now: now))
      case .none(let reason): note(request, reason)
      }
    }
  }

  /// The heuristic's row.
  ///
  /// - Parameter reason: why no model scored, where one should have.
  private func byHeuristic(
    _ request: ModerationRequest, _ observed: FeatureVector, insteadOf reason: String? = nil,
    now: EventTime
  ) -> ModerationRow {
    let score = policy.heuristic.score(observed)
    if let reason { note(request, reason) }
    return ModerationRow(
      id: request.id.reinterpreted(as: ModerationRow.self), requestID: request.id,
      target: .image(request.image), inferenceMode: "heuristic", riskScore: score.risk,
      triggerType: request.trigger.name, policyVersion: policy.heuristic.version,
      rationale: reason.map { "fallback: \($0); \(score.rationale)" } ?? score.rationale,
      createdAt: now)
  }

  /// A model's row; its reasons are the three features that weigh most.
  private func row(
    _ request: ModerationRequest, _ inputs: ModelInputs, _ version: String,
    _ model: LearnedModel, mode: String, now: EventTime
  ) -> ModerationRow {
    // Another mode's row of the same request has the request's id.
    var id = request.id.reinterpreted(as: ModerationRow.self)
    id.low ^= 1
    let reasons = model.reasons(inputs, limit: 3).map { "\($0.feature) \(Self.brief($0.value))" }
    return ModerationRow(
      id: id, requestID: request.id, target: .image(request.image), inferenceMode: mode,
      modelVersion: version, riskScore: model.probability(inputs),
      triggerType: request.trigger.name, policyVersion: "model",
      rationale: reasons.isEmpty ? nil : reasons.joined(separator: ", "), createdAt: now)
  }

  /// A contribution in thousandths: `+1.25`.
  private static func brief(_ value: Double) -> String {
    "\(value < 0 ? "" : "+")\((value * 1000).rounded() / 1000)"
  }

  private func note(_ request: ModerationRequest, _ reason: String) {
    environment.record(
      "no-model",
      [
        .id("image_id", request.image), .text("trigger", request.trigger.name),
        .text("reason", reason),
      ])
  }

  /// The lab scores as of whenever it gets to a request, except where the instant was asked for.
  private func instant(_ request: ModerationRequest, _ now: EventTime) -> EventTime {
    policy.scoring == .immediate && request.trigger != .scoreAt ? now : request.asOf
  }

  private func record(_ result: ScoredRequest) {
    environment.record(
      "scored",
      [
        .id("image_id", result.request.image), .text("trigger", result.request.trigger.name),
        .time("as_of", result.asOf), .number("risk_score", result.row.riskScore),
      ])
  }

  /// Commits up to the first request that still waits, per partition.
  private func commitOffsets(_ session: inout Session) async throws(PortError) {
    var offsets = session.read
    for waiting in session.waiting {
      offsets[waiting.partition] = min(offsets[waiting.partition] ?? .max, waiting.offset)
    }
    let changed = offsets.filter { session.committed[$0.key] != $0.value }
    guard !changed.isEmpty else { return }
    try await session.consumer.commit(changed)
    session.committed.merge(changed) { $1 }
  }

  private func sourcePartitions() async throws(PortError) -> Set<TopicPartition> {
    var partitions: Set<TopicPartition> = []
    for topic in Catalog.sourceTopics {
      for partition in try await log.ends(of: topic).indices {
        partitions.insert(TopicPartition(topic, partition))
      }
    }
    return partitions
  }
}

extension ScoredRequest {
  /// The record of ``logEntry``.
  fileprivate var logMessage: OutboxEvent {
    OutboxEvent(
      .featureLog, key: request.image, value: logEntry.encoded(), time: row.createdAt)
  }
}
