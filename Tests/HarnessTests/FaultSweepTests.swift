import Moderation
import Pipeline
import Ports
import Testing

@testable import Harness

@Suite("Fault sweep")
struct FaultSweepTests {
  private static func scenario() throws(ScenarioError) -> Scenario {
    try Scenario(
      yaml: """
        name: sweep
        about: One aggregation of a few events.
        duration: 1m
        population: { users: 2, images: 1, minors: 0 }
        traffic:
          - upload: { as: cake, at: 5s }
          - view: { on: cake, at: 10s, times: 3 }
        jobs:
          - { at: end, run: event-aggregation }
        policy: { relay_every: 10s }

        """, file: "sweep.yaml")
  }

  /// A lake whose windows don't say up to where they hold the log.
  private static let forgetful = RunOptions.lake { (change, table) throws(PortError) in
    if table == LakeTables.windows(.views) { change.summary = [:] }
  }

  @Test("A crash after a commit that notes no offsets is found by what it changes")
  func found() throws {
    let sweep = try FaultSweep(Self.scenario(), options: Self.forgetful)
    let commits = sweep.operations.filter { $0.name == "Lake.commit" }
    #expect(commits.count == 2, "views and their windows; nothing else happened")
    let faults = try commits.map { try sweep.fault(.crash, at: $0) }
    #expect(faults[0]?.hasPrefix("OffsetsNeverRegress: ") == true, "the same windows: \(faults)")
    #expect(faults[1]?.contains("windows row 1") == true, "\(faults)")
  }

  @Test("A sound job gets through every kind of fault", arguments: FaultSweep.Kind.allCases)
  func sound(kind: FaultSweep.Kind) throws {
    let sweep = try FaultSweep(Self.scenario())
    #expect(Set(sweep.operations.map(\.job)) == ["event-aggregation"])
    let names = Set(sweep.operations.map(\.name))
    #expect(names.isSuperset(of: ["ObjectStore.put", "TableCatalog.move", "CheckpointStore.save"]))
    for name in names.sorted() {
      let operation = try #require(sweep.operations.last { $0.name == name })
      #expect(try sweep.fault(kind, at: operation) == nil, "\(operation)")
    }
  }

  @Test("A job that doesn't get through in two attempts is named with its failure")
  func stuck() throws {
    let options = RunOptions.lake { (_, table) throws(PortError) in
      guard table == LakeTables.windows(.views) else { return }
      throw PortError(.invalid, port: "Lake", operation: "commit", hint: "no space left")
    }
    let sweep = try FaultSweep(Self.scenario(), options: options)
    let fault = try sweep.fault(.error, at: sweep.operations[0])
    #expect(fault?.contains("no space left") == true)
  }

  @Test("What only reads is told from what writes")
  func reads() throws {
    let sweep = try FaultSweep(Self.scenario())
    let reads = Set(sweep.operations.filter(\.isRead).map(\.name))
    #expect(reads.isSuperset(of: ["EventLog.read", "ObjectStore.get", "CheckpointStore.load"]))
    #expect(reads.isDisjoint(with: ["ObjectStore.put", "Lake.commit", "TableCatalog.move"]))
  }
}
