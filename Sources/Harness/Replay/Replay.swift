import Foundation
import Moderation
import Pipeline
import Ports
import Simulation

/// Runs recorded traffic through the pipeline, each event at its own time.
public struct Replay: Sendable {
  /// An image to be scored as of an instant.
  public struct ScorePoint: Hashable, Sendable {
    /// The image.
    public var image: ImageID
    /// The instant.
    public var asOf: EventTime

    /// Reads JSON lines of `image_id` and `now` (µs).
    public static func points(_ text: Data, file: String) throws(ScenarioError) -> [ScorePoint] {
      var points: [ScorePoint] = []
      var number = 0
      for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
        number += 1
        if line.isEmpty { continue }
        guard let object = Recording.parse(Array(line)),
          let image = (object["image_id"] as? String).flatMap({ ImageID($0) }),
          let now = object["now"] as? Int64,
          Scenario.range.contains(EventTime(microseconds: now))
        else {
          throw ScenarioError(
            file: file, line: number, column: 1,
            message:
              "expected {\"image_id\": UUID, \"now\": microseconds} of the years 2000 to 2200")
        }
        points.append(ScorePoint(image: image, asOf: EventTime(microseconds: now)))
      }
      return points
    }
  }

  /// How many ticks of the relay a replay may have: some months at one a second.
  private static let maximumTicks = 10_000_000.0

  private let recording: Recording
  private let tables: RecordedTables?
  private let scenario: Scenario?
  private let points: [ScorePoint]

  /// A replay.
  ///
  /// - Parameters:
  ///   - tables: database rows; without, they are made from the events.
  ///   - scenario: gives the policies and the jobs.
  ///   - points: images to be scored as of instants.
  public init(
    _ recording: Recording, tables: RecordedTables?, scenario: Scenario?, points: [ScorePoint]
  ) {
    self.recording = recording
    self.tables = tables
    self.scenario = scenario
    self.points = points
  }

  /// Runs to the end of the recording.
  public func run(options: RunOptions = RunOptions()) throws -> RunResult {
    let first = recording.entries[0].arrival
    let last = max(
      recording.entries[recording.entries.count - 1].arrival,
      points.map(\.asOf).max() ?? first)
    var played = try scenario ?? Self.plain()
    // A recording of this very scenario is played on the scenario's own calendar.
    if scenario == nil || !(played.start <= first && last <= played.end + .seconds(60)) {
      let second: Int64 = 1_000_000
      played.start = EventTime(microseconds: first.microseconds / second * second)
      let length = last.microseconds - played.start.microseconds
      played.duration = .microseconds(length + 1)
    }
    played.name = scenario?.name ?? "replay"
    played.traffic = []
    played.actions = []
    played.faults = []
    played.expectations = []
    for index in played.jobs.indices where (played.jobs[index].at ?? .zero) > played.duration {
      played.jobs[index].at = nil
    }
    played.policy.horizon = played.end
    let partitions = recording.entries.compactMap(\.record.partition).max() ?? 0
    played.policy.partitions = max(played.policy.partitions, partitions + 1)
    let ticks = played.duration / played.policy.relayInterval
    guard ticks <= Self.maximumTicks else {
      throw ScenarioError(
        file: recording.file,
        message: "the recording lasts \(played.duration.short), from \(first) to \(last): at a "
          + "relay every \(played.policy.relayInterval.short) that is too long",
        hint: "cut it, or name a scenario whose policy has a longer relay_every (at most 30s)")
    }
    return try ScenarioRun(played, options: options, feed: feed(played)).run()
  }

  private static func plain() throws(ScenarioError) -> Scenario {
    try Scenario(
      yaml: """
        name: replay
        about: Recorded traffic under the default policies.
        duration: 1s
        jobs:
          - { at: end, run: event-aggregation }
          - { at: end, run: training-set }
        """, file: "replay")
  }

  private func feed(_ scenario: Scenario) -> ReplayFeed {
    let events = recording.entries.map { EventCodec.decodeOrNil($0.record.value) }
    let rows = tables ?? RecordedTables(madeFrom: events.compactMap { $0 })
    let users = Dictionary(rows.users.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var items: [(at: EventTime, rank: Int, item: ReplayFeed.Item)] = []
    for change in rows.changes(from: scenario.start) {
      items.append((change.at, 0, .rows([change.mutation])))
    }
    for (entry, event) in zip(recording.entries, events) {
      var record = entry.record
      // A producer that stamps nothing leaves it to the tables to say who isn't eligible.
      if var event, event.actorEligible == nil, let user = event.actor.flatMap({ users[$0] }),
        !scenario.policy.governance.isEligible(user, at: event.time)
      {
        event.actorEligible = false
        if event.id != EventID(high: 0, low: 0) { record.value = EventCodec.encode(event) }
      }
      items.append((max(entry.arrival, scenario.start), 1, .record(record)))
    }
    for point in points {
      items.append((max(point.asOf, scenario.start), 2, .score(point.image, asOf: point.asOf)))
    }
    let sorted = items.enumerated().sorted {
      ($0.element.at, $0.element.rank, $0.offset) < ($1.element.at, $1.element.rank, $1.offset)
    }
    return ReplayFeed(items: sorted.map { (at: $0.element.at, item: $0.element.item) })
  }
}
