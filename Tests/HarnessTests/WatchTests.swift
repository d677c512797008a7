import Moderation
import Ports
import Simulation
import Synchronization
import Testing

@testable import Harness
@testable import Pipeline

/// What a monitor sees while a run happens.
@Suite("Watch")
struct WatchTests {
  private static let views = TopicPartition("gourmetgram.views", 0)
  private static let requests = TopicPartition(Topic.moderationRequests, 0)
  private static let table = LakeTables.events(.views)
  private static let request = ModerationRequest(
    FiredTrigger(image: ImageID(high: 1, low: 2), trigger: .viral, asOf: at(9)))

  private static func at(_ seconds: Int64) -> EventTime {
    EventTime(microseconds: seconds * 1_000_000)
  }

  private static func polled(
    _ offsets: Range<Int64>, group: String = StreamConsumer.group
  ) -> Observation {
    let isRequests = group == RiskScorer.group
    return .polled(
      group: group,
      offsets.map {
        EventRecord(
          partition: isRequests ? requests : views, offset: $0, timestampMilliseconds: 0,
          recordKey: nil, value: isRequests ? request.encoded() : [])
      })
  }

  private static func advance(_ from: Int64, _ to: Int64) -> FeatureBatch.Advance {
    FeatureBatch.Advance(partition: views, from: from, to: to, watermark: nil)
  }

  private static func advanced(_ from: Int64, _ to: Int64) -> Observation {
    .advanced([advance(from, to)])
  }

  private static func progress(_ next: Int64, _ watermark: Int64? = nil) -> Observation {
    .progress([views: PartitionProgress(nextOffset: next, watermark: watermark.map { at($0) })])
  }

  private static func committed(_ offset: Int64) -> Observation {
    .groupOffsets(group: RiskScorer.group, [requests: offset])
  }

  private static var scored: Observation {
    let vector = FeatureVector(
      ScoringSubject(
        uploadedAt: at(0), category: nil, captionLength: 0, accountCreatedAt: at(0),
        userImageCount: 1), counts: EngagementCounts(), flavour: .observed, asOf: at(9))
    return .scored(
      ScoredRequest(
        request: request, asOf: at(9),
        row: ModerationRow(
          id: request.id.reinterpreted(as: ModerationRow.self), requestID: request.id,
          target: .image(request.image), inferenceMode: "heuristic", riskScore: 0,
          triggerType: nil, createdAt: at(9)), observed: vector, governed: vector, category: nil,
        isUploaderEligible: true))
  }

  private static func checkpoint(_ offset: Int64, through: Int64? = nil) -> Observation {
    .checkpoint(
      EventAggregation.checkpointName,
      Checkpoint(offsets: [views: offset], completeThrough: through.map { at($0) }))
  }

  private static func snapshot(
    _ id: SnapshotID, _ offsets: String?, of table: TableName = table
  ) -> Observation {
    .snapshot(
      table,
      TableSnapshot(
        id: id, parent: id > 1 ? id - 1 : nil, committedAt: at(0), operation: "append",
        summary: offsets.map { [LogOffsets.key: $0] } ?? [:], rowCount: 0))
  }

  /// Both tables of a metric up to an offset.
  private static func tables(_ offset: Int64) -> [Observation] {
    [table, LakeTables.windows(.views)].map { snapshot(offset, "\(offset)", of: $0) }
  }

  /// A story, and the fault that its last observation is.
  struct Story: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let observations: [Observation]

    init(_ fault: String, _ observations: [Observation]) {
      testDescription = fault
      self.observations = observations
    }
  }

  @Test(
    "Offsets that go back or run ahead are noticed at once",
    arguments: [
      Story(
        "was applied from 3, though only up to 2",
        [polled(0..<4), advanced(0, 2), advanced(3, 4)]),
      Story("was applied up to 3, but read only up to 2", [polled(0..<2), advanced(0, 3)]),
      Story(
        "is applied up to 1, says the feature store, after batches up to 2",
        [polled(0..<2), advanced(0, 2), progress(1)]),
      Story(
        "is applied up to 3, says the feature store, after batches up to 2",
        [polled(0..<3), advanced(0, 2), progress(3)]),
      Story(
        "watermark went back from 1970-01-01T00:00:09.000000Z to 1970-01-01T00:00:08",
        [progress(0, 9), progress(0, 8)]),
      Story("went back from 1970-01-01T00:00:09.000000Z to none", [progress(0, 9), progress(0)]),
      Story(
        "went back from 2 to 1",
        [polled(0..<2, group: RiskScorer.group), committed(2), committed(1)]
      ),
      Story(
        "up to 3, but read only up to 2", [polled(0..<2, group: RiskScorer.group), committed(3)]),
      Story(
        "before the request at 0 was scored",
        [polled(0..<1, group: RiskScorer.group), committed(1), scored]),
      Story(
        "offset of gourmetgram.views-0 went back from 2 to 1",
        tables(2) + [checkpoint(2), checkpoint(1)]),
      Story(
        "was complete through 1970-01-01T00:00:09.000000Z, and then through nothing",
        tables(2) + [checkpoint(2, through: 9), checkpoint(2)]),
      Story(
        "event_aggregations.view_windows_5min holds it up to 2", tables(2) + [checkpoint(3)]),
      Story(
        "event_aggregations.view_windows_5min holds it up to 0",
        [snapshot(1, "2"), checkpoint(2)]),
      Story("partition 1 went back from 5 to 4", [snapshot(1, "3,5"), snapshot(2, "4,4")]),
      Story("partition 0 went back from 3 to 0", [snapshot(1, "3"), snapshot(2, nil)]),
    ])
  func regress(story: Story) throws {
    var monitor = OffsetMonitor()
    for observation in story.observations.dropLast() {
      #expect(monitor.fault(in: observation) == nil)
    }
    let last = try #require(story.observations.last)
    let found = monitor.fault(in: last)
    let fault = try #require(found)
    #expect(fault.contains(story.testDescription), "\(fault)")
  }

  @Test(
    "What redelivery, restarts and lost replies do to offsets is no fault",
    arguments: [
      Story("a batch again", [polled(0..<2), advanced(0, 2), advanced(0, 2), progress(2, 5)]),
      Story("an earlier run's offsets", [progress(7, 5), polled(7..<9), advanced(7, 9)]),
      Story(
        "an earlier run's group",
        [committed(7), polled(7..<8, group: RiskScorer.group), committed(8)]
      ),
      Story(
        "a lossy store",
        [
          polled(0..<4), advanced(0, 4), progress(4, 9), .featuresLost, progress(2, 5),
          advanced(2, 4), progress(4, 9),
        ]),
      Story(
        "a lossy store, by its batches",
        [
          polled(0..<4), advanced(0, 4), .featuresLost, advanced(2, 4), progress(4),
        ]),
      Story(
        "scored, then committed",
        [
          polled(0..<1, group: RiskScorer.group), scored, committed(1),
          polled(1..<2, group: RiskScorer.group), committed(2), scored,
        ]),
      Story(
        "asked for again",
        [
          polled(0..<1, group: RiskScorer.group), committed(1),
          polled(1..<2, group: RiskScorer.group), scored, committed(2),
        ]),
      Story(
        "snapshots listed late",
        [
          snapshot(1, "2"), snapshot(3, "4"), snapshot(2, "2"), snapshot(1, "2"),
        ]),
    ])
  func noRegress(story: Story) {
    var monitor = OffsetMonitor()
    for observation in story.observations {
      let fault = monitor.fault(in: observation)
      #expect(fault == nil)
    }
  }

  @Test("A violation has its instant, in the run's result and in its trace")
  func instant() throws {
    var options = RunOptions.lake { (change, table) throws(PortError) in
      if table == LakeTables.windows(.views) { change.summary = [:] }
    }
    options.isTraced = true
    let trace = Trace()
    options.traceSink = { bytes in trace.add(bytes) }
    let run = try ScenarioRun(ScenarioTexts.parsedTiny(), options: options).run()
    let violation = try #require(run.violations.first)
    #expect(violation.checker == "OffsetsNeverRegress")
    #expect(violation.at.description == "2026-01-05T09:20:00.000000Z")
    #expect(run.violations.count == 1, "only the first")
    let faults = try #require(OffsetsNeverRegress().faults(run))
    #expect(faults.first?.hasPrefix("at 2026-01-05T09:20:00.000000Z: ") == true, "\(faults)")
    let line = try #require(trace.lines.first { $0.contains("\"violated\"") })
    #expect(line.contains("2026-01-05T09:20:00.000000Z") && line.contains("view_windows_5min"))
  }

  /// The lines of a trace.
  private final class Trace: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    var lines: [Substring] {
      bytes.withLock { String(decoding: $0, as: UTF8.self) }.split(separator: "\n")
    }

    func add(_ more: [UInt8]) { bytes.withLock { $0 += more } }
  }
}
