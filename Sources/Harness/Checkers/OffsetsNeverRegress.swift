import Moderation
import Pipeline
import Ports

/// Offsets and watermarks never go back: of the feature store, of consumer groups, of checkpoints,
/// and of lake tables from one snapshot to the next. None runs ahead, either: nothing is applied or
/// committed that wasn't read, no request's offset is committed before its score is stored, and no
/// checkpoint lies beyond what the tables hold.
///
/// Watches while the run happens. A feature store that lost what it applied since its last save may
/// go back, once it is said (``Observation/featuresLost``). Doesn't check: that records between two
/// offsets were understood, a request that is never scored (see ``EveryRequestScoredOnce``), tables
/// while nobody commits to them or lists their snapshots.
public struct OffsetsNeverRegress: WatchingChecker {
  /// `OffsetsNeverRegress`.
  public let name = "OffsetsNeverRegress"

  /// See ``WatchingChecker``.
  public func monitor() -> any RunMonitor { OffsetMonitor() }

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.scenario.policy.publication != .none else { return nil }
    return run.violations.filter { $0.checker == name }.map { "at \($0.at): \($0.fault)" }
  }
}

/// Remembers the furthest offset of each kind.
struct OffsetMonitor: RunMonitor {
  private typealias Offsets = [TopicPartition: Int64]

  /// What is known of a consumer group.
  private struct Group {
    let name: String
    var hasPolled = false
    /// The offset after the last record polled.
    var read: Offsets = [:]
    var committed: Offsets = [:]
  }

  /// Few, so that a name is found by looking at each.
  private var groups: [Group] = []
  /// What the feature store has applied, by its batches and its word.
  private var applied: [TopicPartition: PartitionProgress] = [:]
  /// Whether the feature store lost something: then a partition goes on from wherever it does.
  private var hasLost = false
  /// Requests that were polled and not scored yet.
  private var waiting: [RequestID: RecordPosition] = [:]
  private var scored: Set<RequestID> = []
  private var checkpoints: [String: Checkpoint] = [:]
  /// The next offsets that each snapshot of a table notes.
  private var notes: [TableName: [SnapshotID: [Int64]]] = [:]
  /// The furthest of them, by table.
  private var held: [TableName: [Int64]] = [:]

  mutating func fault(in observation: Observation) -> String? {
    switch observation {
    case .polled(let group, let records):
      note(records, of: group)
      return nil
    case .advanced(let advances):
      let read = groups[place(of: StreamConsumer.group)].read
      return Self.first(advances) { advanced($0, read: read) }
    case .progress(let progress):
      return Self.first(progress) { progressed($0.key, $0.value) }
    case .featuresLost:
      applied = [:]
      hasLost = true
      return nil
    case .scored(let score): return noteScore(score.request)
    case .groupOffsets(let group, let offsets):
      let place = place(of: group)
      return Self.first(offsets) { Self.committed($0.key, $0.value, by: &groups[place]) }
    case .checkpoint(let name, let checkpoint): return saved(checkpoint, as: name)
    case .snapshot(let table, let snapshot): return noted(snapshot, of: table)
    }
  }

  /// The first of the faults by their text: what comes from a dictionary has no order of its own.
  private static func first<Items: Sequence>(
    _ items: Items, _ look: (Items.Element) -> String?
  ) -> String? {
    var first: String?
    for item in items {
      if let fault = look(item) { first = min(first ?? fault, fault) }
    }
    return first
  }

  /// A group's place in ``groups``.
  private mutating func place(of name: String) -> Int {
    if let place = groups.firstIndex(where: { $0.name == name }) { return place }
    groups.append(Group(name: name))
    return groups.count - 1
  }

  private mutating func note(_ records: [EventRecord], of group: String) {
    let place = place(of: group)
    let asksForScores = group == RiskScorer.group
    groups[place].hasPolled = true
    for record in records {
      Self.raise(&groups[place].read[record.partition, default: 0], to: record.offset + 1)
      guard asksForScores, let id = ModerationRequest.id(in: record.value), !scored.contains(id)
      else { continue }
      waiting[id] = RecordPosition(partition: record.partition, offset: record.offset)
    }
  }

  private static func raise(_ offset: inout Int64, to next: Int64) { offset = max(offset, next) }

  private mutating func advanced(
    _ advance: FeatureBatch.Advance, read: Offsets
  ) -> String? {
    let (partition, before) = (advance.partition, applied[advance.partition])
    let known = before?.nextOffset ?? (hasLost ? advance.from : 0)
    applied[partition] = PartitionProgress(
      nextOffset: max(known, advance.to), watermark: before?.watermark)
    if advance.from > known {
      return "\(partition) was applied from \(advance.from), though only up to \(known) before"
    }
    guard advance.to > known else { return nil }
    let polled = max(read[partition] ?? 0, known)
    guard advance.to > polled else { return nil }
    return "\(partition) was applied up to \(advance.to), but read only up to \(polled)"
  }

  private mutating func progressed(
    _ partition: TopicPartition, _ progress: PartitionProgress
  ) -> String? {
    // What an earlier run left is where this one begins.
    guard let known = applied.updateValue(progress, forKey: partition) else { return nil }
    if known.nextOffset != progress.nextOffset {
      return "\(partition) is applied up to \(progress.nextOffset), says the feature store, "
        + "after batches up to \(known.nextOffset)"
    }
    guard let watermark = known.watermark, progress.watermark.map({ $0 < watermark }) ?? true
    else { return nil }
    return "\(partition)'s watermark went back from \(watermark) to "
      + (progress.watermark?.description ?? "none")
  }

  private mutating func noteScore(_ request: ModerationRequest) -> String? {
    scored.insert(request.id)
    guard let asked = waiting.removeValue(forKey: request.id),
      let next = groups[place(of: RiskScorer.group)].committed[asked.partition],
      next > asked.offset
    else { return nil }
    return "\(RiskScorer.group) had committed \(asked.partition) up to \(next) before the request "
      + "at \(asked.offset) was scored"
  }

  private static func committed(
    _ partition: TopicPartition, _ offset: Int64, by group: inout Group
  ) -> String? {
    let known = group.committed.updateValue(offset, forKey: partition)
    if let known, offset < known {
      return "\(group.name)'s offset of \(partition) went back from \(known) to \(offset)"
    }
    // What an earlier run left is where this one begins.
    let polled = group.read[partition] ?? 0
    guard group.hasPolled, offset > max(polled, known ?? 0) else { return nil }
    return "\(group.name) committed \(partition) up to \(offset), but read only up to "
      + "\(polled)"
  }

  private mutating func saved(_ checkpoint: Checkpoint, as name: String) -> String? {
    let known = checkpoints[name]
    checkpoints[name] = checkpoint
    let regress = Self.first(known?.offsets ?? [:]) { partition, offset -> String? in
      let next = checkpoint.offsets[partition] ?? 0
      guard next < offset else { return nil }
      return "\(name)'s offset of \(partition) went back from \(offset) to \(next)"
    }
    if let regress { return regress }
    if let before = known?.completeThrough, checkpoint.completeThrough.map({ $0 < before }) ?? true
    {
      return "\(name) was complete through \(before), and then through "
        + (checkpoint.completeThrough?.description ?? "nothing")
    }
    guard name == EventAggregation.checkpointName else { return nil }
    return Self.first(checkpoint.offsets) { partition, next in
      guard let metric = Metric.allCases.first(where: { $0.topic == partition.topic }) else {
        return nil
      }
      return Self.first([LakeTables.events(metric), LakeTables.windows(metric)]) { table in
        let rows = held[table].map { $0.indices.contains(partition.partition) ? $0 : [] } ?? []
        let reached = rows.isEmpty ? 0 : rows[partition.partition]
        guard next > reached else { return nil }
        return "\(name) says \(partition) up to \(next), but \(table) holds it up to \(reached)"
      }
    }
  }

  private mutating func noted(_ snapshot: TableSnapshot, of table: TableName) -> String? {
    guard notes[table]?[snapshot.id] == nil else { return nil }
    let offsets = RunResult.offsets(of: snapshot)
    let before = snapshot.parent.flatMap { notes[table]?[$0] } ?? []
    notes[table, default: [:]][snapshot.id] = offsets
    let furthest = held[table] ?? []
    held[table] = (0..<max(furthest.count, offsets.count)).map { index in
      max(
        furthest.indices.contains(index) ? furthest[index] : 0,
        offsets.indices.contains(index) ? offsets[index] : 0)
    }
    for (index, offset) in before.enumerated() {
      let next = offsets.indices.contains(index) ? offsets[index] : 0
      guard next < offset else { continue }
      return "\(table)'s offset of partition \(index) went back from \(offset) to \(next)"
    }
    return nil
  }
}
