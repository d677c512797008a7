import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

@Suite("Review desk")
struct ReviewDeskTests {
  /// Images 1 to 4 with risks 0.4, 0.9, 0.4 and none; flags 1 and 2 on image 1, 3 on image 2, 4 on
  /// image 3, 5 and 6 on comment 1 of image 2, 7 on image 4.
  private static func prepare(_ world: World) async throws {
    try await world.store.insert(
      users: [Rows.user(1)], images: (1...4).map { Rows.image($0) },
      comments: [Rows.comment(1, on: 2)],
      flags: [
        Rows.flag(1, image: 1), Rows.flag(2, image: 1), Rows.flag(3, image: 2),
        Rows.flag(4, image: 3), Rows.flag(5, comment: 1), Rows.flag(6, image: 2, comment: 1),
        Rows.flag(7, image: 4),
      ],
      scores: [
        Rows.score(1, image: 1, risk: 0.4), Rows.score(2, image: 2, risk: 0.9),
        Rows.score(3, image: 2, risk: 0.1), Rows.score(4, image: 3, risk: 0.4),
      ])
  }

  private static func flags(_ world: World) async throws -> [UInt64: Flag] {
    let flags = try await world.store.snapshot().flags
    return Dictionary(uniqueKeysWithValues: flags.map { ($0.id.number, $0) })
  }

  @Test("The queue has the highest risk first, then the lower id; a comment has its image's risk")
  func order() throws {
    try simulate { world in
      try await Self.prepare(world)
      let queue = try await world.desk.queue(limit: 10)
      #expect(queue.map(\.riskScore) == [0.9, 0.9, 0.4, 0.4, 0])
      #expect(queue.first { $0.target == .comment(.number(1)) }?.pendingFlags == 2)
      #expect(queue.first { $0.target == .image(.number(2)) }?.pendingFlags == 1)
      #expect(
        queue.suffix(3).map(\.target) == [
          .image(.number(1)), .image(.number(3)), .image(.number(4)),
        ])
      #expect(
        Set(queue.prefix(2).map(\.target)) == [.image(.number(2)), .comment(.number(1))])
      #expect(try await world.desk.queue(limit: 2) == Array(queue.prefix(2)))
    }
  }

  @Test(
    "A decision settles the item's flags and no others",
    arguments: [ReviewStatus.confirmed, .rejected])
  func decide(status: ReviewStatus) throws {
    try simulate { world in
      try await Self.prepare(world)
      await world.reach(30)
      #expect(try await world.desk.decide(.image(.number(1)), status) == 2)
      let flags = try await Self.flags(world)
      let action = try #require(flags[1]?.moderationActionID)
      for number in [1, 2] as [UInt64] {
        #expect(flags[number]?.reviewStatus == status)
        #expect(flags[number]?.resolvedAt == Sample.at(30))
        #expect(flags[number]?.moderationActionID == action)
      }
      for number in 3...7 as ClosedRange<UInt64> {
        #expect(flags[number] == Rows.flagAsPrepared(number))
      }
      let row = try #require(
        try await world.store.snapshot().moderation.first { $0.id == action })
      #expect(row.inferenceMode == "human")
      #expect(row.target == .image(.number(1)))
      #expect(row.triggerType == "review")
      #expect(row.riskScore == (status == .confirmed ? 1 : 0))
      #expect(row.createdAt == Sample.at(30))
      #expect(try await world.desk.queue(limit: 10).count == 4)
    }
  }

  @Test("A confirmed comment is hidden by the decision, a rejected one isn't")
  func comment() throws {
    for status in [ReviewStatus.confirmed, .rejected] {
      let comment = try simulate { world in
        try await Self.prepare(world)
        #expect(try await world.desk.decide(.comment(.number(1)), status) == 2)
        let flags = try await Self.flags(world)
        #expect(flags[5]?.reviewStatus == status)
        #expect(flags[6]?.reviewStatus == status)
        #expect(flags[3]?.reviewStatus == .pending)
        let comment = try await world.store.snapshot().comments[0]
        let isByDecision = comment.moderatorActionID == flags[5]?.moderationActionID
        #expect(isByDecision == (status == .confirmed))
        return comment
      }
      #expect(comment.isModeratorHidden == (status == .confirmed))
    }
  }

  @Test("Deciding twice, or what isn't pending, changes nothing")
  func twice() throws {
    try simulate { world in
      try await Self.prepare(world)
      _ = try await world.desk.decide(.image(.number(1)), .confirmed)
      let before = try await world.store.snapshot()
      await world.reach(60)
      #expect(try await world.desk.decide(.image(.number(1)), .rejected) == 0)
      #expect(try await world.desk.decide(.image(.number(99)), .confirmed) == 0)
      #expect(try await world.desk.decide(.account(.number(1)), .confirmed) == 0)
      let after = try await world.store.snapshot()
      #expect(after.flags == before.flags)
      #expect(after.moderation == before.moderation)
    }
  }

  @Test("Pending is no decision")
  func pending() throws {
    try simulate { world in
      try await Self.prepare(world)
      let error = try await failure {
        _ = try await world.desk.decide(.image(.number(1)), .pending)
      }
      #expect(error?.code == .invalid)
    }
  }

  @Test("Deciding again after any failure settles the flags with one decision")
  func faults() throws {
    let survey = try FaultSurvey { plan in
      try simulate { world in
        try await Self.prepare(world)
        let desk = world.behind(plan).desk
        if try await failure({ _ = try await desk.decide(.comment(.number(1)), .confirmed) }) != nil
        {
          _ = try await desk.decide(.comment(.number(1)), .confirmed)
        }
        let tables = try await world.store.snapshot()
        let settled = tables.flags.count { $0.reviewStatus == .confirmed }
        return [settled, tables.moderation.count { $0.inferenceMode == "human" }]
      }
    }
    #expect(survey.expected == [2, 1])
    #expect(survey.deviations == [])
    #expect(survey.faultyRuns == 4)
  }

  @Test("Two moderators who decide at once make one decision", arguments: 1...10)
  func atOnce(seed: UInt64) throws {
    try simulate(.seeded(seed)) { world in
      try await Self.prepare(world)
      let desk = world.behind(PortGate.Plan(), yields: true).desk
      async let first = desk.decide(.image(.number(1)), .confirmed)
      async let second = desk.decide(.image(.number(1)), .rejected)
      let settled = try await [first, second]
      #expect(settled.sorted() == [0, 2])
      let decisions = try await world.store.snapshot().moderation
        .filter { $0.inferenceMode == "human" }
      #expect(decisions.count == 1)
    }
  }
}

extension Rows {
  /// Flags 3 to 7 as the tests insert them.
  fileprivate static func flagAsPrepared(_ number: UInt64) -> Flag? {
    switch number {
    case 3: flag(3, image: 2)
    case 4: flag(4, image: 3)
    case 5: flag(5, comment: 1)
    case 6: flag(6, image: 2, comment: 1)
    case 7: flag(7, image: 4)
    default: nil
    }
  }
}
