import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// The lab's defects in batch (REFERENCE §10), re-created by a wrapped port or another policy: each
/// is there in the lab's way and not in ours.
@Suite("Defects of the lab: batch")
struct LakeDefectTests {
  /// Turns every replacement of the training set into an append.
  private static func appending(_ change: TableChange, _ table: TableName) -> TableChange {
    var change = change
    if table == LakeTables.trainingData { change.removal = .nothing }
    return change
  }

  @Test("Defect 3: a daily append doubles the training set and keeps deleted content")
  func defect3() throws {
    func images(daily: @escaping @Sendable (any Lake) -> any Lake) throws -> [UInt64] {
      try simulate { world in
        var fixture = TrainingFixture()
        fixture.images = [Rows.image(1), Rows.image(2)]
        try await fixture.load(world)
        var world = world
        world.lake = daily(world.lake)
        _ = try await world.training.run()
        try await world.intake.deleteImage(.number(2))
        _ = try await world.training.run()
        return try await world.trainingRows().map(\.image.number)
      }
    }
    let lab = try images { HookedLake($0, changing: Self.appending) }
    let ours = try images { $0 }
    #expect(lab == [1, 1, 1, 1, 1, 1, 2, 2, 2])
    #expect(ours == [1, 1, 1])
  }

  @Test("Defect 5: labels are taken before they are ripe, and a feature's flag makes the label")
  func defect5() throws {
    func rows(_ rule: LabelRule, completeThrough: Int64) throws -> [TrainingRow] {
      try simulate { world in
        let world = world.with { $0.labels = rule }
        var fixture = TrainingFixture()
        fixture.flags = [Rows.flag(9, image: 1, by: 2, at: 60)]
        fixture.completeThrough = completeThrough
        try await fixture.load(world)
        _ = try await world.training.run()
        return try await world.trainingRows()
      }
    }
    let early = try rows(.lab, completeThrough: 3600)
    #expect(early.map(\.label) == [true, true, true], "23 hours too soon")
    #expect(try rows(.ripe, completeThrough: 3600).map(\.label) == [nil, nil, nil])
    let lab = try rows(.lab, completeThrough: 86_400)
    #expect(lab.allSatisfy { $0.label == true })
    #expect(lab.contains { $0["total_flags"] == 1 }, "the flag is a feature and the label")
    let ours = try rows(.ripe, completeThrough: 86_400)
    #expect(ours.map(\.label) == [true, false, false])
    #expect(!ours.contains { $0["total_flags"] == 1 && $0.label == true })
  }

  @Test("Defect 7: a crash between the appends and the watermark writes the windows twice")
  func defect7() throws {
    func views(lake: @escaping @Sendable (any Lake) -> any Lake) throws -> Int64? {
      try simulate { world in
        try await world.append(EventAggregationTests.script)
        var world = world
        world.lake = lake(world.lake)
        let killed = PortError(.cancelled, port: "test", operation: "save", hint: "killed")
        let plan = PortGate.Plan { operation in
          operation.name == "CheckpointStore.save" ? .failBefore(killed) : .pass
        }
        #expect(try await failure { _ = try await world.behind(plan).aggregation.run() } == killed)
        _ = try await world.aggregation.run()
        return try await world.windows(.views)["1 @ 0"]
      }
    }
    let lab = try views { lake in
      HookedLake(lake) { change, _ in
        var change = change
        change.summary[LogOffsets.key] = nil
        return change
      }
    }
    #expect(lab == 4)
    #expect(try views { $0 } == 2)
  }

  @Test("Defect 11: by year of birth alone, nobody is a minor in the year of the 18th birthday")
  func defect11() throws {
    func isIncluded(_ rule: Governance.AgeRule) throws -> [Bool] {
      try simulate { world in
        let world = world.with { $0.governance = Governance(ageRule: rule) }
        var fixture = TrainingFixture()
        let user = Rows.user(3, born: CivilDate(year: 2007, month: 12, day: 31))
        fixture.users.append(user)
        fixture.images.append(Rows.image(2, by: 3))
        fixture.views = [Events.view(5, at: 10, by: 3)]
        try await fixture.load(world)
        _ = try await world.training.run()
        return [
          try await world.trainingRow(2, 0) != nil,
          try await world.trainingRow(1, 5)?["views_5min"] == 1,
        ]
      }
    }
    #expect(try isIncluded(.yearOfBirth) == [true, true], "half a year too young")
    #expect(try isIncluded(.birthDate) == [false, false])
  }
}
