import Harness
import Moderation
import Pipeline
import Ports
import Testing

/// Train/serve consistency, and the lab's lack of it as numbers.
@Suite struct SkewTests {
  /// A few; the checker `TrainServeParity` asks the same of every run of every scenario.
  static let consistent = ["comment-spam", "deleted-content", "minors", "poison-records"]

  @Test("Point-in-time rows equal what the scorer saw, in all 18 features", arguments: consistent)
  func noSkew(name: String) throws {
    let skew = try played(name).skew
    #expect(skew.rows.count == 57)
    #expect(skew.rows.allSatisfy { $0.mismatches == 0 })
    #expect(skew.rows.contains { $0.pairs > 10 }, "there is something to compare")
  }

  @Test("Where events came late, every mismatch vanishes without them")
  func lateIsAttributed() throws {
    let skew = try played("late-and-duplicate-events").skew
    #expect(!skew.mismatches.isEmpty)
    let unexplained = skew.mismatches.filter { !$0.isLate }
    #expect(unexplained.isEmpty)
  }

  @Test("The lab's 5-minute counts are always 0 offline at 5 minutes (defect 1)")
  func labWindowsLag() throws {
    let run = try played("lab-semantics")
    // Only an upload at the very start of a window leaves room for a whole one.
    let aligned = Set(
      run.tables.images.filter { TumblingWindow.start(of: $0.createdAt) == $0.createdAt }.map(\.id)
    )
    let fiveMinutes = run.builtRows.filter {
      $0.decisionPointMinutes == 5 && !aligned.contains($0.image)
    }
    #expect(fiveMinutes.count > 20)
    let counted = fiveMinutes.filter { $0.features[4] != 0 || $0.features[6] != 0 }
    #expect(counted.isEmpty)
    let online = run.scores.filter { $0.request.trigger == .anchor(minutes: 5) }
    #expect(online.contains { ($0.observed["views_5min"] ?? 0) > 0 })
    let skew = SkewReport(run)
    let views = try #require(
      skew.rows.first { $0.feature == "views_5min" && $0.decisionPoint == 5 })
    #expect(views.mismatches > 5)
    #expect(views.differences.meanAbsolute > 0.5)
  }

  @Test(
    "The lab's user features mean different things online and offline (defect 4)",
    arguments: ["user_image_count", "user_age_days"])
  func labUserFeatures(feature: String) throws {
    let skew = try played("lab-semantics").skew
    #expect(skew.rows.contains { $0.feature == feature && $0.mismatches > 0 })
  }
}
