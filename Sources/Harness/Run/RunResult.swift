import Lakehouse
import Moderation
import Pipeline
import Ports

/// The events of an image in one window.
public typealias WindowCount = (image: String, start: Int64, count: Int64)

/// What came of a run.
public struct RunResult: Sendable {
  /// The scenario that was run.
  public let scenario: Scenario
  /// The backends' name.
  public let backends: String
  /// The database at the end.
  public let tables: ApplicationSnapshot
  /// Records of the source topics in the order in which they were applied.
  public let applied: [AppliedRecord]
  /// Events that came late, by event time.
  public let late: [LateEvent]
  /// Requests that were made, each once, by (instant, image, trigger); anchors included.
  public let requests: [ModerationRequest]
  /// Triggers that are only logged.
  public let logged: [FiredTrigger]
  /// Scores in the order in which they were stored.
  public let scores: [ScoredRequest]
  /// Dead letters, each once.
  public let deadLetters: [EventRecord]
  /// The lake's tables at the end, by name.
  public let lake: [TableName: RecordBatch]
  /// The names of the tables' columns, those that others added included, by table.
  public let columns: [String: [String]]
  /// The lake's history.
  public let snapshots: [TableName: [TableSnapshot]]
  /// How far the last training-set build knew the history; nil when none ran.
  public let trainingKnownUntil: EventTime?
  /// The training rows as the last training-set build wrote them, before any erasure.
  public let builtRows: [TrainingRow]
  /// The lake's bronze rows when that build ran.
  public let builtHistory: [Metric: RecordBatch]
  /// The training rows at the end.
  public let trainingRows: [TrainingRow]
  /// Each applied record that is an event, decoded, in the order of `applied`; redelivered ones
  /// stand again.
  let events: [LoggedEvent]
  /// The same by image, each event once.
  let history: ImageHistory
  /// The scorer's vectors against the training rows.
  public private(set) var skew = SkewReport()
  /// The run's counts by name, as `summary.json` and expectations know them.
  public private(set) var counts: [(name: String, value: Int)] = []
  /// Tables without a column that the jobs need, and, where the whole history is read, snapshots
  /// that have other rows than they say.
  public let unreadable: [String]
  /// Where the images and users of `erased` expectations, and those sought, still stand: by the
  /// name that was given.
  public let proofs: [String: ErasureProof]
  /// Runs of jobs, in the order in which they ended.
  public let jobs: [JobRun]
  /// What checkers saw go wrong while it happened: the first violation of each.
  public let violations: [Violation]
  /// Crashes of services.
  public let crashes: Int
  /// Requests to the API, and how many it refused.
  public let apiRequests: Int
  /// How many of them the API refused.
  public let apiRefused: Int
  /// Records applied before, or whose event was counted before.
  public let duplicates: Int
  /// Readable names of ids.
  public let aliases: Aliases
  /// How long the run was in virtual time.
  public let virtualDuration: Duration
  /// FNV-1a over the trace.
  public internal(set) var fingerprint = ""
  private let windows: [Metric: [WindowCount]]
  /// Lines of the trace.
  public internal(set) var traceLines = 0

  init(
    _ scenario: Scenario, _ platform: Platform, _ source: TrafficSource,
    _ options: RunOptions
  ) async throws(PortError) {
    if let failure = source.failure { throw failure }
    let backends = platform.backends
    let collected = platform.collector.snapshot
    self.scenario = scenario
    self.backends = backends.name
    tables = try await backends.store.snapshot()
    applied = collected.applied
    late = collected.late.values.sorted { ($0.time, $0.id) < ($1.time, $1.id) }
    requests = try await Self.requests(backends.log)
    logged = collected.logged
    scores = collected.scores
    deadLetters = try await Self.deadLetters(backends.log)
    jobs = collected.jobs
    violations = platform.watch.violations
    crashes = collected.crashes
    apiRequests = source.driver.requests
    apiRefused = source.driver.refused
    duplicates = collected.duplicates
    aliases = Aliases(tables, world: source.driver.world)
    virtualDuration = .microseconds(
      platform.environment.now.microseconds - scenario.start.microseconds)
    let state = try await LakeState(backends.lake, readsHistory: options.readsHistory)
    lake = state.tables
    columns = state.columns
    snapshots = state.snapshots
    trainingKnownUntil = state.knownUntil
    builtRows = state.builtRows
    builtHistory = state.builtHistory
    unreadable = state.unreadable
    trainingRows = lake[LakeTables.trainingData].map { TrainingRow.rows(of: $0) } ?? []
    var proofs: [String: ErasureProof] = [:]
    let erased = scenario.expectations.compactMap { expectation -> String? in
      if case .erased(let alias) = expectation.kind { alias } else { nil }
    }
    for name in erased + options.sought {
      guard let id = aliases.id(name) else { continue }
      proofs[name] = try await backends.proof(of: id, at: platform.environment.now.asEventTime)
    }
    self.proofs = proofs
    events = Parallel.compactMap(applied) { LoggedEvent($0.record) }
    history = ImageHistory(events, late: late)
    let sums = Parallel.map(Metric.allCases) { [lake] in Self.windows($0, lake) }
    windows = Dictionary(uniqueKeysWithValues: zip(Metric.allCases, sums))
    skew = SkewReport(self)
    counts = counted()
  }

  private static func requests(
    _ log: any EventLog
  ) async throws(PortError) -> [ModerationRequest] {
    var seen: Set<RequestID> = []
    var requests: [ModerationRequest] = []
    let records = try await all(Topic.moderationRequests, log)
    // The scorer has traced those that aren't requests.
    let decoded = Parallel.compactMap(records) { try? ModerationRequest.decodeFast($0.value) }
    for request in decoded where seen.insert(request.id).inserted { requests.append(request) }
    return requests.sorted { a, b in
      if a.asOf != b.asOf { return a.asOf < b.asOf }
      return a.image != b.image ? a.image < b.image : a.trigger < b.trigger
    }
  }

  /// A consumer that fails between a dead letter and its offset writes it again, under one key.
  private static func deadLetters(_ log: any EventLog) async throws(PortError) -> [EventRecord] {
    var seen: Set<[UInt8]> = []
    return try await all(Topic.deadLetters, log).filter { seen.insert($0.key ?? []).inserted }
  }

  private static func all(
    _ topic: String, _ log: any EventLog
  ) async throws(PortError) -> [EventRecord] {
    let ends = try await log.ends(of: topic)
    return try await log.records(of: topic, from: ends.map { _ in 0 }, to: ends, limit: .max)
  }

  /// The window tables at the end, partial rows of a window added up.
  public func windows(_ metric: Metric) -> [WindowCount] { windows[metric] ?? [] }

  private static func windows(_ metric: Metric, _ lake: [TableName: RecordBatch]) -> [WindowCount] {
    guard let rows = lake[LakeTables.windows(metric)] else { return [] }
    var sums: [String: [Int64: Int64]] = [:]
    let starts = rows.integers("window_start")
    let counts = rows.integers("event_count")
    for (row, image) in rows.strings("image_id").enumerated() {
      sums[image, default: [:]][starts[row], default: 0] += counts[row]
    }
    return sums.flatMap { image, windows in
      windows.map { (image: image, start: $0.key, count: $0.value) }
    }.sorted { ($0.image, $0.start) < ($1.image, $1.start) }
  }

  private func counted() -> [(name: String, value: Int)] {
    let rows = trainingRows
    func requested(_ trigger: Trigger) -> Int { requests.count { $0.trigger == trigger } }
    var counts: [(name: String, value: Int)] = [
      ("requests", apiRequests), ("refused", apiRefused), ("events", applied.count),
      ("users", tables.users.count), ("images", tables.images.count),
      ("comments", tables.comments.count), ("flags", tables.flags.count),
      ("late", late.count), ("duplicates", duplicates), ("dead_letters", deadLetters.count),
      ("triggers", requests.count), ("viral", requested(.viral)),
      ("suspicious", requested(.suspicious)), ("flagged", requested(.flagged)),
      ("popular", logged.count { $0.trigger == .popular }), ("scores", scores.count),
      ("windows", Metric.allCases.reduce(0) { $0 + windows($1).count }),
      ("training_rows", rows.count), ("labelled", rows.count { $0.label != nil }),
      ("positive", rows.count { $0.label == true }),
      ("jobs", jobs.count), ("crashes", crashes),
    ]
    if let logged = lake[LakeTables.featureLog] { counts.append(("logged_vectors", logged.count)) }
    return counts
  }
}
