import Moderation
import Pipeline
import Ports
import Simulation
import Testing

@testable import Harness

@Suite("Traffic")
struct TrafficTests {
  private static func scenario(_ lines: String, duration: String = "1h") throws -> Scenario {
    try Scenario(yaml: "name: x\nabout: y\nduration: \(duration)\n\(lines)\n", file: "x.yaml")
  }

  @Test("Steps are ordered by time, and at one instant as they are written, actions last")
  func order() throws {
    let steps = TrafficTimeline(
      try Self.scenario(
        """
        traffic:
          - view: { on: cake, at: 5m, times: 2, every: 1m }
          - upload: { as: cake, at: 0s }
          - poisson: { rate: 1/s }
          - user: { as: ann, at: 5m }
          - poison: { at: 5m, topic: view, value: "{", times: 2 }
          - duplicates: { at: 0s, last: 1 }
          - flag: { on: cake, at: 6m }
        actions:
          - { at: 5m, delete: { image: cake } }
          - { at: 0s, review: { image: cake }, decision: rejected }
        """)
    ).steps
    #expect(
      steps.map { "\($0.at.components.seconds / 60) \(Self.name($0.step))" } == [
        "0 upload", "0 duplicates", "0 action", "5 view", "5 user", "5 poison", "5 poison",
        "5 action", "6 view", "6 flag",
      ])
  }

  private static func name(_ step: TrafficStep) -> String {
    switch step {
    case .user: "user"
    case .upload: "upload"
    case .burstStart: "start"
    case .engagement(let step): step.kind.rawValue
    case .duplicates: "duplicates"
    case .poison: "poison"
    case .action: "action"
    }
  }

  @Test("Requests drawn ahead are those that are drawn one by one, at the same instants")
  func drawnAhead() throws {
    let ahead = try Self.played { await $0.playArrivals { draw in draw() } }.tables
    let oneByOne = try Self.played { await $0.play() }.tables
    #expect(ahead.comments.count > 200 && ahead.flags.count > 20 && ahead.users.count > 20)
    #expect(ahead.images.contains { $0.deletedAt != nil } && ahead.images.contains { $0.views > 5 })
    #expect(ahead.users == oneByOne.users)
    #expect(ahead.images == oneByOne.images)
    #expect(ahead.comments == oneByOne.comments)
    #expect(ahead.flags == oneByOne.flags)
  }

  @Test("What the API refused keeps its place, and nobody sees it")
  func refused() throws {
    let (tables, world) = try Self.played(
      { await $0.play() },
      refuses: {
        switch $0 {
        case .insertComment(let row): row.id.low.isMultiple(of: 2)
        case .insertImage(let row): row.id.low.isMultiple(of: 5)
        default: false
        }
      })
    let stored = Set(tables.images.map(\.id))
    #expect(stored.count > 10 && stored.count < world.pictures.count - 10)
    #expect(world.pictures.allSatisfy { !$0.exists || stored.contains($0.id) })
    #expect(world.pictures.contains { $0.exists })
    let comments = Set(tables.comments.map(\.id))
    #expect(comments.count > 20 && comments.count < world.comments.count - 20)
    #expect(world.comments.allSatisfy { $0.exists == comments.contains($0.id) })
  }

  /// What the API stored of a scenario's traffic, and what the driver knows of it.
  private static func played(
    _ play: @escaping @Sendable (inout TrafficDriver) async -> Void,
    refuses: @escaping @Sendable (Mutation) -> Bool = { _ in false }
  ) throws -> (tables: ApplicationSnapshot, world: World) {
    let scenario = try Scenario(
      yaml: """
        name: x
        about: y
        duration: 20m
        population: { users: 3, images: 4, bad_images: 0.5, minors: 0.3, mute_ineligible: true }
        traffic:
          - poisson:
              rate: 1/s
              mix: { view: 4, comment: 4, upload: 1, flag: 1, user: 1, delete: 0.1 }
              late: 0.2
              late_by: 3m
        """, file: "x.yaml")
    let clock = VirtualClock(start: ProcessingTime(microseconds: scenario.start.microseconds))
    let streams = RandomStreams(seed: 5)
    let environment = Environment(
      component: "traffic", time: clock, ids: SeededIDs(streams: streams), trace: NoTrace())
    let backends = Backends.inMemory(time: clock)
    let stop = SimulationExecutor(clock: clock).run {
      () async -> (tables: ApplicationSnapshot, world: World)? in
      var driver = TrafficDriver(
        scenario: scenario,
        intake: Intake(
          store: BrokenStore(base: backends.store, refuses: refuses), objects: backends.objects,
          log: backends.log,
          environment: environment, policy: scenario.policy),
        desk: ReviewDesk(store: backends.store, environment: environment), log: backends.log,
        lake: backends.lake, environment: environment, streams: streams, progress: { _ in })
      await driver.populate()
      await play(&driver)
      return (try? await backends.store.snapshot()).map { ($0, driver.world) }
    }
    guard case .finished(let played?) = stop else { throw RunFailure.noProgress("\(stop)") }
    return played
  }

  @Test("A burst starts with its image; each kind is spread evenly over its time")
  func burst() throws {
    let steps = TrafficTimeline(
      try Self.scenario(
        "traffic: [burst: { as: hero, at: 30m, over: 1m, views: 110, comments: 8, flags: 2 }]")
    ).steps
    #expect(Self.name(steps[0].step) == "start")
    #expect(steps[0].at == .seconds(1800))
    for (kind, count) in [("view", 110), ("comment", 8), ("flag", 2)] {
      let offsets = steps.filter { Self.name($0.step) == kind }
        .map { Double(($0.at - .seconds(1800)).microseconds) / 1e6 }
      #expect(offsets.count == count)
      let gap = 60 / Double(count)
      for (index, offset) in offsets.enumerated() {
        #expect(abs(offset - (Double(index) + 0.5) * gap) < 0.001)
      }
    }
    #expect(steps.count == 121)
  }

  @Test(
    "A burst in no time, or of nothing, is allowed",
    arguments: [("over: 0s, views: 3", 4), ("over: 1m", 1)])
  func smallBursts(burst: String, count: Int) throws {
    let steps = TrafficTimeline(
      try Self.scenario("traffic: [burst: { as: hero, at: 59m, \(burst) }]")
    ).steps
    #expect(steps.map(\.at) == Array(repeating: .seconds(3540), count: count))
  }

  private static func arrivals(_ lines: String) throws -> [Duration] {
    var random = SeededRandom(seed: 11)
    var arrivals = Arrivals(try scenario(lines, duration: "10h"), random: &random)
    var times: [Duration] = []
    while let next = arrivals.next {
      times.append(.microseconds(next))
      #expect(arrivals.take(&random) != nil)
    }
    #expect(arrivals.take(&random) == nil)
    return times
  }

  @Test(
    "Arrivals come at the rate wanted, within five standard deviations",
    arguments: [
      ("poisson: { rate: 600/h }", 6000), ("poisson: { rate: 0.5/s, from: 9h }", 1800),
      ("poisson: { rate: 20/min, until: 2h }", 2400),
      ("poisson: { rate: 24000/d, from: 1h, until: 3h }", 2000),
    ])
  func rate(entry: String, expected: Double) throws {
    let times = try Self.arrivals("traffic:\n  - \(entry)")
    #expect(abs(Double(times.count) - expected) < 5 * expected.squareRoot())
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    #expect(times.allSatisfy { $0 <= .seconds(36_000) })
  }

  @Test("The gaps between arrivals are exponential: mean and deviation agree")
  func gaps() throws {
    let times = try Self.arrivals("traffic: [poisson: { rate: 1/s }]")
    let gaps = zip(times, times.dropFirst()).map { Double(($1 - $0).microseconds) / 1e6 }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    #expect(abs(mean - 1) < 0.03)
    #expect(abs(variance.squareRoot() - 1) < 0.05)
  }

  @Test("Several entries are merged by time, each within its own bounds")
  func lanes() throws {
    let times = try Self.arrivals(
      "traffic: [poisson: { rate: 60/h, until: 1h }, poisson: { rate: 600/h, from: 9h }]")
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
    let early = times.count { $0 <= .seconds(3600) }
    let late = times.count { $0 >= .seconds(32_400) }
    #expect(early + late == times.count)
    #expect((30...95).contains(early) && (480...720).contains(late))
  }

  @Test("Without entries nothing arrives")
  func nothing() throws {
    #expect(try Self.arrivals("").isEmpty)
  }
}
