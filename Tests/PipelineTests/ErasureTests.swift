import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// What goes and what stays. Failures are in `ErasureFaultTests`.
@Suite("Erasure")
struct ErasureTests {
  /// Users 1, 2 and 3; images 1 and 2 of user 1, 3 of user 3; everybody acts on everything.
  static func fixture() -> TrainingFixture {
    var fixture = TrainingFixture()
    fixture.users = [Rows.user(1), Rows.user(2), Rows.user(3)]
    fixture.images = [Rows.image(1), Rows.image(2, at: 20), Rows.image(3, by: 3, at: 30)]
    for image in 1...3 as ClosedRange<UInt64> {
      for user in 1...3 as ClosedRange<UInt64> {
        let number = 10 * image + user
        let second = Int64(100 * user + 5)
        fixture.views.append(Events.view(100 + number, image: image, at: second, by: user))
        fixture.comments.append(
          Rows.comment(200 + number, on: image, by: user, at: second + 10))
        if image != 2 || user == 3 {
          fixture.flags.append(Rows.flag(300 + number, image: image, by: user, at: second + 400))
        }
      }
      fixture.views.append(Events.view(150 + image, image: image, at: 290))
    }
    return fixture
  }

  /// A platform with everything aggregated and a training set built.
  static func prepare(_ world: World, _ fixture: TrainingFixture = fixture()) async throws {
    try await fixture.load(world)
    _ = try await world.training.run()
  }

  /// What a user is found out to be, later.
  static let minor = Rows.user(3, bornIn: 2012, isFound: true)

  @Test("With nothing to erase, nothing is written")
  func nothing() throws {
    try simulate { world in
      try await Self.prepare(world)
      let before = try await world.lakeView()
      #expect(try await world.erasure.run() == ["images": 0, "users": 0, "rows": 0])
      #expect(try await world.lakeView() == before)
      for table in try await world.lake.tables() {
        #expect(try await world.lake.snapshots(of: table).count == 1)
      }
    }
  }

  @Test("An empty lake has nothing to erase")
  func emptyLake() throws {
    try simulate { world in
      try await world.store.insert(
        users: [Rows.user(1)], images: [Rows.image(1, deletedAt: Sample.start)])
      #expect(try await world.erasure.run() == ["images": 1, "users": 0, "rows": 0])
      #expect(try await world.lake.tables().isEmpty)
    }
  }

  @Test("A deleted image leaves every table of the lake, and nothing else does")
  func deletedImage() throws {
    try simulate { world in
      try await Self.prepare(world)
      let before = try await world.lakeView()
      try await world.intake.deleteImage(.number(1))
      #expect(try await world.erasure.run()["images"] == 1)
      let after = try await world.lakeView()
      let image: ImageID = .number(1)
      for metric in Metric.allCases {
        let name = metric.name
        #expect(after.events[name] == before.events[name]?.filter { !$0.contains(" of 1 by") })
        #expect(
          after.windows[name] == before.windows[name]?.filter { !$0.key.hasPrefix("1 @") })
      }
      #expect(after.training == before.training.filter { $0.image != image })
      #expect(after.raw["images"]?.contains(image.description) == false)
      for table in try await world.lake.tables() {
        let rows = try await world.lake.scan(table, snapshot: nil)
        #expect(!rows.strings("image_id").contains(image.description), "\(table)")
      }
    }
  }

  @Test("A deleted comment leaves bronze, windows and raw, and its image's rows are recomputed")
  func deletedComment() throws {
    try simulate { world in
      try await Self.prepare(world)
      let before = try await world.trainingRow(1, 5)
      try await world.intake.deleteComment(.number(212))
      _ = try await world.erasure.run()
      let after = try await world.trainingRow(1, 5)
      #expect(before?["comments_5min"] == 2)
      #expect(after?["comments_5min"] == 1)
      #expect(try await world.events(.comments).contains { $0.hasPrefix("212 ") } == false)
      #expect(try await world.windows(.comments)["1 @ 0"] == 1)
      let comment: CommentID = .number(212)
      #expect(try await world.rawIDs("comments").contains(comment.description) == false)
      #expect(try await world.trainingRows().count == 9)
    }
  }

  @Test(
    "After a user is found ineligible, the lake is as if that user had never been",
    arguments: [minor, Rows.user(3, isTest: true, isFound: true)])
  func foundUser(user: User) throws {
    let expected = try simulate { world in
      try await Self.prepare(world, Self.fixture().without(3))
      return try await world.lakeView()
    }
    let erased = try simulate { world in
      try await Self.prepare(world)
      _ = try await world.store.commit([.updateUser(user)])
      #expect(try await world.erasure.run()["users"] == 1)
      return try await world.lakeView()
    }
    #expect(erased.events == expected.events)
    #expect(erased.windows == expected.windows)
    #expect(erased.training == expected.training)
    #expect(erased.raw == expected.raw)
  }

  @Test("The lab's definition is recomputed from the rewritten windows")
  func labDefinition() throws {
    let expected = try simulate { world in
      try await Self.prepare(world.with { $0.offline = .lab }, Self.fixture().without(3))
      return try await world.trainingRows()
    }
    let erased = try simulate { world in
      let world = world.with { $0.offline = .lab }
      try await Self.prepare(world)
      _ = try await world.store.commit([.updateUser(Self.minor)])
      _ = try await world.erasure.run()
      return try await world.trainingRows()
    }
    #expect(erased == expected)
  }

  @Test("A user known as ineligible from the start isn't found, and keeps the observed events")
  func knownFromTheStart() throws {
    try simulate { world in
      var fixture = Self.fixture()
      fixture.users[2] = Rows.user(3, bornIn: 2012)
      try await Self.prepare(world, fixture)
      let before = try await world.lakeView()
      #expect(try await world.erasure.run()["users"] == 0)
      #expect(try await world.lakeView() == before)
    }
  }

  @Test("Only what a user did while a minor goes")
  func comingOfAge() throws {
    try simulate { world in
      var fixture = TrainingFixture()
      fixture.views = [Events.view(5, at: 10, by: 2), Events.view(6, at: 36_010, by: 2)]
      try await Self.prepare(world, fixture)
      let birth = CivilDate(year: 2007, month: 6, day: 16)
      _ = try await world.store.commit([.updateUser(Rows.user(2, born: birth, isFound: true))])
      _ = try await world.erasure.run()
      #expect(try await world.events(.views) == ["6 of 1 by 2 at 36010"])
      #expect(try await world.windows(.views) == ["1 @ 36000": 1])
      #expect(try await world.trainingRow(1, 5)?["views_5min"] == 0)
    }
  }

  private struct Outcome: Hashable {
    let lake: LakeView
    let vectors: [Int64]
  }

  @Test("What a found user does later, or what comes in later, goes as if it had been there before")
  func erasedTwice() throws {
    /// The same history and a vector at 300 s; an erasure in between changes nothing of the end.
    func outcome(_ isErasedBetween: Bool) throws -> Outcome {
      try simulate { world in
        try await Self.prepare(world)
        _ = try await world.store.commit([.updateUser(Self.minor)])
        if isErasedBetween { _ = try await world.erasure.run() }
        // Logged after the erasure, and fed by views that it took.
        try await FeatureLogTests.publish(world, of: .number(1), asOf: [100, 310])
        _ = try await world.featureLog.run()
        var stampedBefore = Events.view(901, at: 391, by: 3)
        stampedBefore.actorEligible = true
        var stampedAfter = Events.view(902, at: 392, by: 3)
        stampedAfter.actorEligible = false
        try await world.append([stampedBefore, stampedAfter, Events.view(903, at: 393, by: 2)])
        _ = try await world.aggregation.run()
        _ = try await world.training.run()
        _ = try await world.erasure.run()
        let vectors = try await world.lake.scan(LakeTables.featureLog, snapshot: nil)
        return Outcome(lake: try await world.lakeView(), vectors: vectors.integers("as_of"))
      }
    }
    let once = try outcome(false)
    let twice = try outcome(true)
    #expect(twice == once)
    #expect(once.vectors.count == 1, "user 3 viewed image 1 at 305 s, and commented at 315 s")
    #expect(once.lake.events["views"]?.contains { $0.contains("by 3") } == false)
  }

  @Test("A found user's flag that only the database knows no longer makes a label")
  func flagBesideTheLake() throws {
    try simulate { world in
      let world = world.with { $0.labels = .lab }
      var fixture = TrainingFixture()
      fixture.images.append(Rows.image(2))
      fixture.views = [Events.view(5, image: 2, at: 10, by: 2)]
      try await fixture.load(world)
      try await world.store.insert(flags: [Rows.flag(9, image: 1, by: 2, at: 20)])
      _ = try await world.training.run()
      #expect(try await world.trainingRow(1, 0)?.label == true)
      _ = try await world.store.commit([.updateUser(Rows.user(2, bornIn: 2012, isFound: true))])
      _ = try await world.erasure.run()
      #expect(try await world.trainingRow(1, 0)?.label == false)
    }
  }

  @Test("Erasing again changes nothing and writes nothing")
  func idempotent() throws {
    try simulate { world in
      try await Self.prepare(world)
      _ = try await world.store.commit([.updateUser(Self.minor)])
      try await world.intake.deleteImage(.number(2))
      try await world.intake.deleteComment(.number(212))
      _ = try await world.erasure.run()
      let once = try await world.lakeView()
      var counts: [TableName: Int] = [:]
      for table in try await world.lake.tables() {
        counts[table] = try await world.lake.snapshots(of: table).count
      }
      #expect(try await world.erasure.run()["rows"] == 0)
      #expect(try await world.lakeView() == once)
      for (table, count) in counts {
        #expect(try await world.lake.snapshots(of: table).count == count, "\(table)")
      }
    }
  }

  @Test("Older snapshots keep their rows")
  func history() throws {
    try simulate { world in
      try await Self.prepare(world)
      try await world.intake.deleteImage(.number(1))
      _ = try await world.erasure.run()
      let snapshots = try await world.lake.snapshots(of: LakeTables.trainingData)
      #expect(snapshots.map(\.rowCount) == [9, 6])
      let old = try await world.lake.scan(LakeTables.trainingData, snapshot: snapshots[0].id)
      #expect(old.count == 9)
    }
  }

  @Test("The next aggregation goes on from the offsets noted, and repeats nothing")
  func nextAggregation() throws {
    try simulate { world in
      try await Self.prepare(world)
      _ = try await world.store.commit([.updateUser(Self.minor)])
      _ = try await world.erasure.run()
      let erased = try await world.lakeView()
      #expect(try await world.aggregation.run() == ["views": 0, "comments": 0, "flags": 0])
      #expect(try await world.lakeView() == erased)
      try await world.append([Events.view(900, at: 291)])
      #expect(try await world.aggregation.run()["views"] == 1)
      let count = try #require(erased.windows["views"]?["1 @ 0"])
      #expect(try await world.windows(.views)["1 @ 0"] == count + 1)
    }
  }

  @Test("The next training set is what the erasure left")
  func nextTrainingSet() throws {
    try simulate { world in
      try await Self.prepare(world)
      _ = try await world.store.commit([.updateUser(Self.minor)])
      try await world.intake.deleteComment(.number(212))
      _ = try await world.erasure.run()
      let erased = try await world.trainingRows()
      _ = try await world.training.run()
      #expect(try await world.trainingRows() == erased)
    }
  }
}
