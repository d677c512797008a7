import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// Which rows there are, and whose events count. Features are in `TrainingFeatureTests`.
@Suite("Training set")
struct TrainingSetBuildTests {
  /// Builds the training set of a platform and gives its rows.
  private func rows(
    _ change: @escaping @Sendable (inout TrainingFixture) -> Void,
    policy: @escaping @Sendable (inout PipelinePolicy) -> Void = { _ in }
  ) throws -> [TrainingRow] {
    try simulate { world in
      let world = world.with(policy)
      var fixture = TrainingFixture()
      change(&fixture)
      try await fixture.load(world)
      _ = try await world.training.run()
      return try await world.trainingRows()
    }
  }

  @Test("An eligible image has a row per decision point")
  func decisionPoints() throws {
    let rows = try rows { _ in }
    #expect(rows.map(\.decisionPointMinutes) == [0, 5, 30])
    #expect(rows.allSatisfy { $0.image == .number(1) && $0.category == "Soup" })
  }

  @Test(
    "An image of a test account or of a minor at the upload is no row, of anybody else it is",
    arguments: [
      (Rows.user(3), true), (Rows.user(3, isTest: true), false),
      (Rows.user(3, bornIn: 2008), false), (Rows.user(3, bornIn: 2007), true),
      (Rows.user(3, born: CivilDate(year: 2007, month: 6, day: 15)), true),
      (Rows.user(3, born: CivilDate(year: 2007, month: 6, day: 16)), false),
    ])
  func uploader(user: User, isIncluded: Bool) throws {
    let rows = try rows {
      $0.users.append(user)
      $0.images.append(Rows.image(2, by: 3))
    }
    #expect(rows.contains { $0.image == .number(2) } == isIncluded)
    #expect(rows.count == (isIncluded ? 6 : 3))
  }

  @Test(
    "By year of birth, a minor is who turns 18 after this calendar year",
    arguments: [(2007, true), (2008, false)])
  func yearRule(year: Int, isIncluded: Bool) throws {
    let rows = try rows(
      {
        $0.users.append(Rows.user(3, born: CivilDate(year: year, month: 12, day: 31)))
        $0.images.append(Rows.image(2, by: 3))
      }, policy: { $0.governance = Governance(ageRule: .yearOfBirth) })
    #expect(rows.contains { $0.image == .number(2) } == isIncluded)
  }

  @Test("A deleted image is no row")
  func deleted() throws {
    let rows = try rows {
      $0.images.append(Rows.image(2, deletedAt: Sample.at(90_000)))
    }
    #expect(Set(rows.map(\.image)) == [.number(1)])
  }

  @Test("A decision point beyond what the lake's history covers is absent")
  func beyond() throws {
    for (complete, points) in [(0, [0]), (299, [0]), (300, [0, 5]), (1800, [0, 5, 30])] {
      let rows = try rows { $0.completeThrough = Int64(complete) }
      #expect(rows.map(\.decisionPointMinutes) == points)
    }
  }

  @Test("Without a known completeness there is no row; the lab doesn't ask")
  func unknownCompleteness() throws {
    for (offline, count) in [(PipelinePolicy.Offline.pointInTime, 0), (.lab, 3)] {
      let rows = try simulate { world in
        let world = world.with { $0.offline = offline }
        try await world.store.insert(users: [Rows.user(1)], images: [Rows.image(1)])
        _ = try await world.training.run()
        return try await world.trainingRows()
      }
      #expect(rows.count == count)
    }
  }

  @Test("The horizon bounds what is known")
  func horizon() throws {
    let rows = try rows({ _ in }, policy: { $0.horizon = Sample.at(400) })
    #expect(rows.map(\.decisionPointMinutes) == [0, 5])
    #expect(rows.allSatisfy { $0.label == nil })
  }

  @Test("A label is ripe 24 hours after the upload, and counts flags after the decision point only")
  func ripe() throws {
    let unripe = try rows { $0.completeThrough = 86_399 }
    #expect(unripe.map(\.label) == [nil, nil, nil])
    let flagged = try rows {
      $0.flags = [Rows.flag(9, image: 1, by: 2, at: 300)]
      $0.completeThrough = 86_400
    }
    #expect(flagged.map(\.label) == [true, false, false])
    #expect(flagged.map { $0["total_flags"] } == [0, 1, 1])
  }

  @Test("The lab's label counts every flag within 24 hours, at once")
  func labLabel() throws {
    let rows = try rows(
      {
        $0.flags = [Rows.flag(9, image: 1, by: 2, at: 0)]
        $0.completeThrough = 1800
      }, policy: { $0.labels = .lab })
    #expect(rows.map(\.label) == [true, true, true])
  }

  @Test("Flags of ineligible users, on comments, or after 24 hours make no label")
  func otherFlags() throws {
    let rows = try rows {
      $0.users += [Rows.user(3, isTest: true), Rows.user(4, bornIn: 2010)]
      $0.comments = [Rows.comment(20, by: 2, at: 1)]
      $0.flags = [
        Rows.flag(9, image: 1, by: 3, at: 2000), Rows.flag(10, image: 1, by: 4, at: 2000),
        Rows.flag(11, comment: 20, by: 2, at: 2000), Rows.flag(12, image: 1, by: 2, at: 86_401),
      ]
    }
    #expect(rows.map(\.label) == [false, false, false])
  }

  @Test("Events of ineligible actors don't count")
  func ineligible() throws {
    let rows = try rows {
      $0.users += [Rows.user(3, isTest: true), Rows.user(4, bornIn: 2010)]
      for user in 2...4 as ClosedRange<UInt64> {
        $0.views.append(Events.view(user, at: 10, by: user))
        $0.comments.append(Rows.comment(10 + user, by: user, at: 11))
        $0.flags.append(Rows.flag(20 + user, image: 1, by: user, at: 12))
      }
      $0.views.append(Events.view(9, at: 10))
    }
    #expect(rows[1]["views_5min"] == 2)
    #expect(rows[1]["comments_5min"] == 1)
    #expect(rows[1]["flags_5min"] == 1)
  }

  @Test("Events stamped eligible don't count once their actor is known to be ineligible")
  func foundIneligible() throws {
    try simulate { world in
      var fixture = TrainingFixture()
      fixture.views = [Events.view(5, at: 10, by: 2), Events.view(6, at: 10, by: 1)]
      try await fixture.load(world)
      _ = try await world.store.commit([.updateUser(Rows.user(2, bornIn: 2012, isFound: true))])
      _ = try await world.training.run()
      #expect(try await world.trainingRow(1, 5)?["views_5min"] == 1)
    }
  }

  @Test("Deleted comments don't count")
  func deletedComment() throws {
    let rows = try rows {
      $0.comments = [
        Rows.comment(20, by: 2, at: 10),
        Rows.comment(21, by: 2, at: 11, deletedAt: Sample.at(5000)),
      ]
    }
    #expect(rows[1]["comments_5min"] == 1)
  }
}
