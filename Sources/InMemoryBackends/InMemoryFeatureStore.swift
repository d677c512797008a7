import HeapModule
import Moderation
import Ports
import Synchronization

/// A ``FeatureStore`` in memory.
///
/// *Fidelity.* Modelled: the atomic step, trigger memory, pending requests, late events, retention,
/// a restart from an older save. Not modelled: expiry by the server's clock, eviction of single
/// keys, round trips. That could hide: a reader that depends on keys still being there.
public final class InMemoryFeatureStore: FeatureStore, SaveAndRestore {
  private struct State {
    var images = ImageTable()
    var progress: [TopicPartition: PartitionProgress] = [:]
    var seen = RecentIDs()
    /// What was looked at; says nothing.
    var looked: UInt64 = 0
    /// Requests whose instant hasn't come, by (instant, image, trigger).
    var waiting = Heap<PendingRequest>()
    /// Requests handed out and not acknowledged yet, sorted.
    var due: [PendingRequest] = []
    /// The last batch with events of each first partition, and what it fired.
    var replies: [TopicPartition: (advances: [FeatureBatch.Advance], fired: [FiredTrigger])] = [:]
    /// Acknowledged before their turn came.
    var published: Set<RequestID> = []
    /// The highest horizon that any image was trimmed through.
    var trimmedThrough: EventTime?
  }

  private let state = Mutex(State())
  private let retention: Duration

  /// An empty store.
  ///
  /// - Parameter grace: how long after the watermark a count as of an instant can be asked for.
  public init(grace: Duration = .seconds(86_400)) {
    retention = grace + .microseconds(RollingWindow.oneHour.microseconds)
  }

  /// See ``FeatureStore``, rules 1–5.
  public func apply(
    _ batch: FeatureBatch, policy: TriggerPolicy
  ) async throws(PortError) -> AppliedBatch {
    let result = state.withLock { state -> Result<AppliedBatch, PortError> in
      var applied: [Int64] = []
      for advance in batch.partitions {
        let next = state.progress[advance.partition]?.nextOffset ?? 0
        guard advance.from <= next else {
          return .failure(
            error(
              .conflict, "apply",
              "\(advance.partition) is applied up to \(next), the batch starts at \(advance.from)"))
        }
        applied.append(next)
      }
      return .success(Self.carryOut(batch, applied, policy, retention, &state))
    }
    return try result.get()
  }

  /// See ``FeatureStore``, rules 4 and 8.
  public func counts(
    _ questions: [CountQuestion]
  ) async throws(PortError) -> [EngagementCounts] {
    let result = state.withLock { state -> Result<[EngagementCounts], PortError> in
      if let horizon = state.trimmedThrough {
        let oldest = horizon + .microseconds(RollingWindow.oneHour.microseconds)
        if let question = questions.first(where: { $0.asOf < oldest }) {
          return .failure(
            error(
              .outOfRetention, "counts",
              "\(question.asOf) is before \(oldest), the oldest instant still kept"))
        }
      }
      return .success(
        questions.map { question in
          guard let place = state.images.place(of: question.image) else {
            return EngagementCounts()
          }
          return state.images.windows[place].counts(asOf: question.asOf)
        })
    }
    return try result.get()
  }

  /// See ``FeatureStore``, rule 7.
  public func progress() async throws(PortError) -> [TopicPartition: PartitionProgress] {
    state.withLock { $0.progress }
  }

  /// See ``FeatureStore``, rule 6.
  public func pending(
    asOf bound: EventTime, limit: Int
  ) async throws(PortError) -> [ModerationRequest] {
    state.withLock { state in
      var arrived = false
      while let first = state.waiting.min, first.request.asOf <= bound {
        let request = state.waiting.removeMin()
        guard state.published.remove(request.request.id) == nil else { continue }
        state.due.append(request)
        arrived = true
      }
      if arrived { state.due.sort() }
      return state.due.prefix(limit).lazy.map(\.request).filter { $0.asOf <= bound }
    }
  }

  /// See ``FeatureStore``, rule 5.
  public func acknowledge(_ requests: [ModerationRequest]) async throws(PortError) {
    let ids = Set(requests.map(\.id))
    state.withLock { state in
      let before = state.due.count
      state.due.removeAll { ids.contains($0.request.id) }
      // Requests that a consumer publishes at once were never handed out: they are skipped when
      // their turn comes.
      if before - state.due.count < ids.count { state.published.formUnion(ids) }
    }
  }

  /// See ``SaveAndRestore``: what a server has that was started again from its last save.
  public func save() -> @Sendable () throws(PortError) -> Void {
    let saved = state.withLock { $0 }
    return { [self] in state.withLock { $0 = saved } }
  }

  private static func carryOut(
    _ batch: FeatureBatch, _ applied: [Int64], _ policy: TriggerPolicy, _ retention: Duration,
    _ state: inout State
  ) -> AppliedBatch {
    var result = AppliedBatch()
    let horizon = advance(&state, batch.partitions, retention)
    if let horizon { state.trimmedThrough = max(state.trimmedThrough ?? horizon, horizon) }
    // In passes: what each event needs lies anywhere in memory, and the processor fetches for
    // several events at once as long as nothing depends on what it fetches.
    for index in batch.entries.indices {
      state.looked ^= state.seen.look(at: batch.entries[index].event.id)
      if let image = batch.entries[index].event.image {
        state.looked ^= state.images.look(at: image)
      }
    }
    let fresh = batch.entries.indices.filter { index in
      let isOld = batch.entries[index].offset < applied[batch.entries[index].slot]
      let isAboutImage = batch.entries[index].event.image != nil
      if !isOld, isAboutImage, state.seen.insert(batch.entries[index].event.id) { return true }
      if isOld || isAboutImage { result.duplicates.append(index) }
      return false
    }
    let places = fresh.map { index in
      batch.entries[index].event.image.map { state.images.placeOrNew(of: $0) } ?? 0
    }
    for (index, place) in zip(fresh, places) {
      state.images.windows[place].touch(batch.entries[index].event.kind.metric)
    }
    for (index, place) in zip(fresh, places) {
      let firedBefore = result.fired.count
      count(batch.entries[index], place, policy, &state, &result.fired)
      for fired in result.fired[firedBefore...] where fired.trigger.asksForScore {
        state.waiting.insert(PendingRequest(request: ModerationRequest(fired)))
      }
    }
    // After all is counted: the horizon is that of the batch's end. Now and then is often enough,
    // since only half of a counter is trimmed at once.
    if let horizon {
      for (index, place) in zip(fresh, places) where batch.entries[index].offset % 64 == 0 {
        state.images.windows[place].trim(through: horizon)
      }
    }
    if let first = batch.partitions.first, !batch.entries.isEmpty {
      if let reply = state.replies[first.partition], reply.advances == batch.partitions {
        result.firedBefore = reply.fired
      } else {
        state.replies[first.partition] = (batch.partitions, result.fired)
      }
    }
    return result
  }

  /// Moves progress and watermarks; gives the horizon through which images may be trimmed.
  private static func advance(
    _ state: inout State, _ partitions: [FeatureBatch.Advance], _ retention: Duration
  ) -> EventTime? {
    for advance in partitions {
      state.progress[advance.partition, default: PartitionProgress(nextOffset: 0, watermark: nil)]
        .advance(to: advance.to, watermark: advance.watermark)
    }
    var least: EventTime?
    for progress in state.progress.values {
      guard let watermark = progress.watermark else { return nil }
      least = min(least ?? watermark, watermark)
    }
    guard let least else { return nil }
    state.seen.forget(asOf: least, retention: retention)
    return least - retention
  }

  private static func count(
    _ entry: FeatureBatch.Entry, _ place: Int, _ policy: TriggerPolicy, _ state: inout State,
    _ fired: inout [FiredTrigger]
  ) {
    guard let image = entry.event.image else { return }
    if let metric = entry.event.kind.metric {
      state.images.windows[place].record(
        metric, at: entry.event.time, visibleFrom: entry.visibleFrom,
        isEligible: entry.event.actorEligible ?? true, image: image, policy: policy,
        fired: &fired)
    } else if case .upload(_, let category, let caption, _) = entry.event.subject {
      let metadata = ImageWindows.Metadata(
        category: category, captionLength: caption?.scalarCount ?? 0,
        uploadedAt: entry.event.time, user: entry.event.actor)
      fired += state.images.windows[place].upload(metadata, image: image, policy: policy)
    }
  }

  private func error(_ code: PortError.Code, _ operation: String, _ hint: String) -> PortError {
    PortError(code, port: "FeatureStore", operation: operation, hint: hint)
  }
}

/// The windows of all images, side by side; a dictionary that held them itself would spread them
/// over twice the memory.
private struct ImageTable {
  private var places = IDTable<Image, Int>(filler: 0)
  var windows: ContiguousArray<ImageWindows> = []

  /// See ``IDTable/look(at:)``.
  func look(at image: ImageID) -> UInt64 { places.look(at: image) }

  /// Where an image's windows are; nil when nothing is known of it.
  func place(of image: ImageID) -> Int? { places[image] }

  /// Where an image's windows are, made when there are none.
  mutating func placeOrNew(of image: ImageID) -> Int {
    if let place = places.insert(image, windows.count) { return place }
    windows.append(ImageWindows())
    return windows.count - 1
  }
}

extension PartitionProgress {
  /// Neither part ever goes back.
  fileprivate mutating func advance(to offset: Int64, watermark new: EventTime?) {
    nextOffset = max(nextOffset, offset)
    if let new { watermark = max(watermark ?? new, new) }
  }
}

/// A request in the order in which `pending` gives it.
private struct PendingRequest: Comparable {
  let request: ModerationRequest

  static func < (a: Self, b: Self) -> Bool {
    if a.request.asOf != b.request.asOf { return a.request.asOf < b.request.asOf }
    if a.request.image != b.request.image { return a.request.image < b.request.image }
    return a.request.trigger < b.request.trigger
  }
}

/// The event ids of the last one to two retentions, in two generations.
private struct RecentIDs {
  private var current = IDTable<PlatformEvent, Void>(filler: ())
  private var previous = IDTable<PlatformEvent, Void>(filler: ())
  private var rotatedAt: EventTime?

  /// See ``IDTable/look(at:)``.
  func look(at id: EventID) -> UInt64 { current.look(at: id) }

  /// Whether the id is new; remembers it.
  mutating func insert(_ id: EventID) -> Bool {
    previous[id] == nil && current.insert(id, ()) == nil
  }

  /// Forgets the older generation once it is a retention old.
  mutating func forget(asOf watermark: EventTime, retention: Duration) {
    guard let rotatedAt else {
      self.rotatedAt = watermark
      return
    }
    if watermark >= rotatedAt + retention {
      previous = current
      current = IDTable(filler: ())
      self.rotatedAt = watermark
    }
  }
}
