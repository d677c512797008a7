import Foundation
import Harness
import Moderation
import Pipeline
import Testing

/// The lab's own code on 6,000 recorded events, as data beside the project.
private let sample = "\(root)/../shared/samples/lab-6k"

/// Our replay of the recording under `lab-semantics` against what the lab's pipeline computed.
@Suite(
  .enabled(
    if: FileManager.default.fileExists(atPath: sample),
    "the lab's sample isn't beside the checkout, at ../shared/samples/lab-6k"))
struct LabSampleTests {
  private static let run = Result { try replay() }

  private static func replay() throws -> RunResult {
    let events = try #require(FileManager.default.contents(atPath: "\(sample)/events.jsonl"))
    let points = try #require(FileManager.default.contents(atPath: "\(sample)/points.jsonl"))
    var options = RunOptions()
    options.isTraced = false
    return try Replay(
      Recording(events, file: "events.jsonl"), tables: RecordedTables(folder: sample),
      scenario: scenario("lab-semantics"),
      points: Replay.ScorePoint.points(points, file: "points.jsonl")
    ).run(options: options)
  }

  private static func lines(_ name: String) throws -> [[String: Any]] {
    let data = try #require(FileManager.default.contents(atPath: "\(sample)/\(name)"))
    return try data.split(separator: UInt8(ascii: "\n")).map { line in
      try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
    }
  }

  private static func image(_ line: [String: Any]) throws -> ImageID {
    try #require((line["image_id"] as? String).flatMap { ImageID($0) })
  }

  @Test("The same triggers fire, in the same order, at the same instants")
  func triggers() throws {
    let ours = try Self.run.get().requests.filter {
      $0.trigger == .viral || $0.trigger == .suspicious
    }
    let theirs = try Self.lines("expected_triggers.jsonl")
    #expect(ours.count == theirs.count)
    for (our, their) in zip(ours, theirs) {
      #expect(our.trigger.name == their["trigger"] as? String)
      let image = try Self.image(their)
      #expect(our.image == image)
      let seconds = try #require(their["timestamp"] as? Double)
      #expect(our.asOf.microseconds == Int64((seconds * 1e6).rounded()))
    }
  }

  @Test(
    "Vectors agree within one unit in the last place, scores within 1e-6",
    arguments: [("expected_scores.jsonl", 119), ("expected_trigger_scores.jsonl", 7)])
  func scores(file: String, count: Int) throws {
    let run = try Self.run.get()
    var compared = 0
    for line in try Self.lines(file) {
      let image = try Self.image(line)
      let now = try #require(line["now_us"] as? Int64)
      let trigger = line["trigger"] as? String ?? "score_at"
      let score = run.scores.first {
        $0.request.image == image && $0.asOf.microseconds == now
          && $0.request.trigger.name == trigger
      }
      guard let vector = line["vector"] as? [Double] else {
        #expect(score == nil, "the lab doesn't know the image at that instant either")
        continue
      }
      let ours = try #require(score, "no score of \(image) at \(now)")
      for (index, value) in vector.enumerated() {
        let (a, b) = (Float(ours.observed.values[index]), Float(value))
        #expect(abs(a - b) <= b.ulp, "\(FeatureVector.names[index]) of \(image): \(a), lab \(b)")
      }
      let risk = try #require(line["score"] as? Double)
      #expect(abs(ours.row.riskScore - risk) <= 1e-6)
      compared += 1
    }
    #expect(compared == count)
  }

  @Test("The window tables are the same")
  func windows() throws {
    let run = try Self.run.get()
    var ours: [String: Int64] = [:]
    for (metric, name) in [(Metric.views, "view"), (.comments, "comment"), (.flags, "flag")] {
      for window in run.windows(metric) {
        ours["\(name) \(window.image) \(window.start)"] = window.count
      }
    }
    var theirs: [String: Int64] = [:]
    for line in try Self.lines("expected_windows.jsonl") {
      let start = try #require((line["window_start"] as? String).flatMap { ISO8601.parse($0) })
      let table = try #require(line["table"] as? String)
      theirs["\(table) \(try Self.image(line)) \(start.microseconds)"] =
        try #require(line["event_count"] as? Int64)
    }
    #expect(ours == theirs)
    #expect(theirs.count == 1542)
  }

  @Test("The training rows are the same, column by column")
  func training() throws {
    var ours: [String: TrainingRow] = [:]
    for row in try Self.run.get().trainingRows {
      ours["\(row.image) \(row.decisionPointMinutes)"] = row
    }
    let theirs = try Self.lines("expected_training.jsonl")
    #expect(ours.count == theirs.count)
    for line in theirs {
      let point = try #require(line["decision_point_minutes"] as? Int)
      let row = try #require(ours["\(try Self.image(line)) \(point)"])
      for (index, name) in FeatureVector.numericNames.enumerated() {
        let value = try #require(line[name] as? Double)
        #expect(abs(row.features[index] - value) < 1e-9, "\(name) of \(row.image) at \(point)")
      }
      #expect(row.category == line["category"] as? String)
      #expect(row.label == ((line["label_needs_moderation_24h"] as? Int) == 1))
    }
  }
}
