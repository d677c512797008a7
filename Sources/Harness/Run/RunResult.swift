import Lakehouse
import Moderation
import Pipeline
import Ports
import Simulation

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
  /// The training rows as the last training-set build wrote them, before any erasure; what is left
  /// of them where its snapshot expired.
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
  /// Of each score, in the order of `scores`, how many records had been applied by then.
  let appliedBeforeScore: [Int]
  /// The first record of each request.
  let requestRecords: RequestRecords
  /// The resolved marks, as the log has them.
  let marks: [EventRecord]
  /// What the database said when a job last made training rows from it.
  let extracts: [JobName: ApplicationSnapshot]
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
  /// The registry's models, and what came of them.
  public let models: ModelsOfRun
  /// Runs of jobs, in the order in which they ended.
  public let jobs: [JobRun]
  /// What checkers saw go wrong while it happened: the first violation of each.
  public let violations: [SeenViolation]
  /// Crashes of components.
  public let crashes: Int
  /// How often each of the scenario's faults hit something, in their order.
  public let faultHits: [Int]
  /// Requests to the API, and how many it refused.
  public let apiRequests: Int
  /// How many of them the API refused.
  public let apiRefused: Int
  /// The images that the traffic planted as bad ones, in the order of their uploads.
  public let planted: [ImageID]
  /// Records applied before, or whose event was counted before.
  public let duplicates: Int
  /// Readable names of ids.
  public let aliases: Aliases
  /// How long the run was in virtual time.
  public let virtualDuration: Duration
  /// FNV-1a over the trace.
  public internal(set) var fingerprint = ""
  /// What came of the scenario without what disturbs it, where an expectation asks for it.
  public internal(set) var undisturbed: RunOutcome?
  /// What the traffic did at random, as entries of a scenario; empty unless it was to be recorded.
  public let played: [TrafficEntry]
  private let windows: [Metric: [WindowCount]]
  /// Lines of the trace.
  public internal(set) var traceLines = 0

  init(
    _ scenario: Scenario, _ platform: Platform, _ source: TrafficSource,
    _ options: RunOptions, _ known: Past? = nil
  ) async throws(PortError) {
    if let failure = source.failure { throw failure }
    let backends = platform.backends
    let collected = platform.collector.snapshot
    self.scenario = scenario
    self.backends = backends.name
    tables = try await backends.store.snapshot()
    // Meanwhile the lake is read.
    let past =
      if let known, try await known.isAll(of: platform) { known } else { try await Past(platform) }
    late = past.late
    marks = try await backends.log.all(Topic.resolved)
    logged = collected.logged.sorted {
      ($0.asOf, $0.image, $0.trigger) < ($1.asOf, $1.image, $1.trigger)
    }
    scores = collected.scores
    appliedBeforeScore = collected.appliedBeforeScore
    extracts = collected.extracts
    deadLetters = try await Self.deadLetters(backends.log)
    jobs = collected.jobs
    violations = platform.watch.violations
    faultHits = platform.faults.hits
    crashes = collected.crashes + Self.crashesOfOthers(scenario, faultHits)
    apiRequests = source.driver.requests
    apiRefused = source.driver.refused
    played = source.driver.recorded
    planted = source.driver.planted.bad.map { source.driver.world.pictures[$0].id }
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
    trainingRows = state.trainingRows
    models = try await ModelsOfRun(ModelRegistry(backends.objects), backends.lake)
    var proofs: [String: ErasureProof] = [:]
    let erased = scenario.expectations.compactMap { expectation -> String? in
      if case .erased(let alias) = expectation.kind { alias } else { nil }
    }
    for name in erased + options.sought {
      guard let id = aliases.id(name) else { continue }
      proofs[name] = try await backends.proof(of: id, at: platform.environment.now.asEventTime)
    }
    self.proofs = proofs
    (applied, events, history) = past.told
    (requests, requestRecords) = past.requests
    let sums = Parallel.map(Metric.allCases) { [lake] in Self.windows($0, lake) }
    windows = Dictionary(uniqueKeysWithValues: zip(Metric.allCases, sums))
    skew = SkewReport(self)
    counts = counted()
  }

  /// Crashes of jobs and of the API, which no supervisor notes.
  private static func crashesOfOthers(_ scenario: Scenario, _ hits: [Int]) -> Int {
    zip(scenario.faults, hits).filter { fault, _ in
      fault.kind == .crash && ServiceName(rawValue: fault.component ?? "") == nil
    }.reduce(0) { $0 + $1.1 }
  }

  /// A consumer that fails between a dead letter and its offset writes it again, under one key.
  private static func deadLetters(_ log: any EventLog) async throws(PortError) -> [EventRecord] {
    var seen: Set<[UInt8]> = []
    return try await log.all(Topic.deadLetters).filter { seen.insert($0.key ?? []).inserted }
  }

  /// The window tables at the end, partial rows of a window added up.
  public func windows(_ metric: Metric) -> [WindowCount] { windows[metric] ?? [] }

  private static func windows(_ metric: Metric, _ lake: [TableName: RecordBatch]) -> [WindowCount] {
    guard let rows = lake[LakeTables.windows(metric)] else { return [] }
    let starts = rows.integers("window_start")
    let counts = rows.integers("event_count")
    // By the first eight bytes first: few images share them, and they compare in one step.
    let sorted = rows.strings("image_id").enumerated().map { row, image in
      (prefix: image.prefixWord, row: (image: image, start: starts[row], count: counts[row]))
    }.sorted { a, b in
      if a.prefix != b.prefix { return a.prefix < b.prefix }
      return a.row.image == b.row.image ? a.row.start < b.row.start : a.row.image < b.row.image
    }
    var sums: [WindowCount] = []
    for (_, row) in sorted {
      if let last = sums.last, last.start == row.start, last.image == row.image {
        sums[sums.count - 1].count += row.count
      } else {
        sums.append(row)
      }
    }
    return sums
  }

  /// The names of all counts that a run may have, in their order: those from `fault_hits` on only
  /// where there are faults, models or a feature log.
  static let countNames = [
    "requests", "refused", "events", "users", "images", "comments", "flags", "late", "duplicates",
    "dead_letters", "triggers", "viral", "suspicious", "flagged", "popular", "scores", "windows",
    "training_rows", "labelled", "positive", "jobs", "crashes", "fault_hits", "models",
    "model_scores", "model_rows", "model_unripe", "logged_vectors",
  ]

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
      ("jobs", jobs.count { !$0.isRepeated }), ("crashes", crashes),
    ]
    if !faultHits.isEmpty { counts.append(("fault_hits", faultHits.reduce(0, +))) }
    if let last = models.journal.versions.last {
      counts.append(("models", models.journal.versions.count))
      counts.append(("model_scores", scores.count { $0.row.modelVersion != nil }))
      counts.append(("model_rows", models.summaries[last]?.rows ?? 0))
      counts.append(("model_unripe", models.summaries[last]?.unripe ?? 0))
    }
    if let logged = lake[LakeTables.featureLog] { counts.append(("logged_vectors", logged.count)) }
    return counts
  }
}

extension String {
  /// The first eight bytes as a number that orders as they do.
  fileprivate var prefixWord: UInt64 {
    var word: UInt64 = 0
    for byte in utf8.prefix(8) { word = word << 8 | UInt64(byte) }
    return word << UInt64(8 * max(0, 8 - utf8.count))
  }
}
