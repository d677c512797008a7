import Moderation
import Pipeline
import Ports
import Simulation

/// What a replay plays instead of generated traffic: recorded events, table rows, and instants at
/// which images are to be scored.
struct ReplayFeed: Sendable {
  /// Something at an instant.
  enum Item: Sendable {
    case rows([Mutation])
    case record(ProducerRecord)
    case score(ImageID, asOf: EventTime)
  }

  /// By instant; at one instant rows, then records, then scores.
  var items: [(at: EventTime, item: Item)]

  /// Plays the feed: each item at its own time, and at each tick a resolved mark, as the relay
  /// would publish one.
  func play(
    _ platform: Platform, end: EventTime, progress: @Sendable (Double) -> Void
  ) async throws(PortError) {
    let environment = platform.environment("replay")
    let step = platform.policy.relayInterval.microseconds
    let start = environment.now.microseconds
    var next = 0
    var tick = (start / step + 1) * step
    while true {
      let due = next < items.count ? items[next].at.microseconds : Int64.max
      let at = min(due, tick)
      // A mark resolves what is a grace behind it: the watermark needs one after the end.
      let last = end + platform.policy.commitGrace + platform.policy.relayInterval
      if due == .max && at > last.microseconds { break }
      await environment.time.sleep(until: ProcessingTime(microseconds: at))
      if Task.isCancelled { return }
      progress(Double(at - start) / Double(max(1, end.microseconds - start)))
      var batch: [ProducerRecord] = []
      while next < items.count, items[next].at.microseconds <= at {
        switch items[next].item {
        case .rows(let mutations): _ = try await platform.backends.store.commit(mutations)
        case .record(let record): batch.append(record)
        case .score(let image, let asOf):
          try await flush(&batch, platform)
          try await request(image, asOf, platform, environment)
        }
        next += 1
      }
      try await flush(&batch, platform)
      if at == tick {
        tick += step
        try await mark(platform, environment)
      }
    }
  }

  private func flush(
    _ batch: inout [ProducerRecord], _ platform: Platform
  ) async throws(PortError) {
    guard !batch.isEmpty else { return }
    _ = try await platform.backends.log.append(batch)
    batch = []
  }

  private func mark(_ platform: Platform, _ environment: Environment) async throws(PortError) {
    guard platform.policy.publication == .outbox else { return }
    try await OutboxRelay(
      store: platform.backends.store, log: platform.backends.log, environment: environment,
      policy: platform.policy
    ).drain()
  }

  private func request(
    _ image: ImageID, _ asOf: EventTime, _ platform: Platform, _ environment: Environment
  ) async throws(PortError) {
    let request = ModerationRequest(
      FiredTrigger(image: image, trigger: .scoreAt, asOf: asOf))
    _ = try await platform.backends.log.append([
      ProducerRecord(
        topic: Topic.moderationRequests, key: Array(image.description.utf8),
        value: request.encoded(), timestamp: environment.now.asEventTime)
    ])
  }
}

/// Where a run's requests come from: generated traffic or a recording.
struct TrafficSource {
  private(set) var driver: TrafficDriver
  private let platform: Platform
  private let feed: ReplayFeed?
  private let progress: @Sendable (Double) -> Void
  /// Why the replay ended early, if it did.
  private(set) var failure: PortError?

  init(
    _ scenario: Scenario, _ platform: Platform, _ streams: RandomStreams, _ options: RunOptions,
    _ feed: ReplayFeed?
  ) {
    driver = TrafficDriver(
      scenario: scenario, intake: platform.intake, desk: platform.desk, log: platform.backends.log,
      lake: platform.backends.lake, environment: platform.environment("traffic"), streams: streams,
      records: options.recordsTraffic, progress: options.progress)
    self.platform = platform
    self.feed = feed
    progress = options.progress
  }

  mutating func prepare() async {
    if feed == nil { await driver.populate() }
  }

  mutating func play() async {
    guard let feed else { return await driver.play() }
    let end = driver.scenario.end
    do throws(PortError) {
      try await feed.play(platform, end: end, progress: progress)
    } catch {
      failure = error
    }
    await platform.environment.time.sleep(
      until: ProcessingTime(microseconds: end.microseconds))
  }
}
