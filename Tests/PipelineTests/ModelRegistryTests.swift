import InMemoryBackends
import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

@Suite("Model registry")
struct ModelRegistryTests {
  @Test("The same artifacts are the same version, others the next")
  func versions() throws {
    try simulate { world in
      let registry = ModelRegistry(world.objects)
      let (first, second) = (
        try ModelFixture.model(weight: 1), try ModelFixture.model(weight: 2)
      )
      #expect(try await ModelFixture.register(first, in: registry) == "v1")
      #expect(try await ModelFixture.register(second, in: registry) == "v2")
      #expect(try await ModelFixture.register(first, in: registry) == "v1")
      let journal = try await registry.journal()
      #expect(journal.versions == ["v1", "v2"])
      #expect(journal.stage(of: "v2") == .candidate)
      #expect(try await registry.model("v2") == second)
    }
  }

  @Test("What was stored before a crash, but not entered, is entered by the next attempt")
  func crash() throws {
    try simulate { world in
      let registry = ModelRegistry(world.objects)
      let model = try ModelFixture.model(weight: 1)
      _ = try await world.objects.putIfAbsent("models/v1/model.json", model.json)
      #expect(try await registry.journal().versions.isEmpty)
      #expect(try await ModelFixture.register(model, in: registry) == "v1")
      #expect(try await registry.journal().versions == ["v1"])
    }
  }

  @Test("Two that register at once get a version each, and lose no change")
  func concurrency() throws {
    for seed in 0..<20 as Range<UInt64> {
      try simulate(.seeded(seed)) { world in
        let registry = ModelRegistry(world.behind(PortGate.Plan(), yields: true).objects)
        let versions = try await withThrowingTaskGroup(of: String.self) { group in
          for weight in 1...4 {
            group.addTask {
              try await ModelFixture.register(
                try ModelFixture.model(weight: Double(weight)), in: registry)
            }
          }
          var versions: [String] = []
          for try await version in group { versions.append(version) }
          return versions.sorted()
        }
        #expect(versions == ["v1", "v2", "v3", "v4"])
        let journal = try await registry.journal()
        #expect(journal.changes.count == 4 && journal.versions.sorted() == versions)
      }
    }
  }

  @Test("Who stands where follows from the instant: promotion, its notice, rollback, retirement")
  func stages() throws {
    try simulate { world in
      let registry = ModelRegistry(world.objects)
      for weight in 1...2 {
        _ = try await ModelFixture.register(
          try ModelFixture.model(weight: Double(weight)), in: registry)
      }
      try await registry.move("v1", to: .deployed, effectiveAt: Sample.at(100))
      try await registry.move("v2", to: .deployed, effectiveAt: Sample.at(200))
      var journal = try await registry.journal()
      #expect(journal.version(.deployed, at: Sample.at(99)) == nil)
      #expect(journal.version(.deployed, at: Sample.at(100)) == "v1")
      #expect(journal.version(.deployed, at: Sample.at(200)) == "v2")
      #expect(journal.stage(of: "v1") == .retired && journal.stage(of: "v2") == .deployed)
      #expect(journal.previous == "v1")
      try await registry.move("v1", to: .deployed, effectiveAt: Sample.at(300))
      try await registry.move("v1", to: .deployed, effectiveAt: Sample.at(400))
      journal = try await registry.journal(known: journal)
      #expect(journal.changes.count == 5, "a move that is done already is no change")
      #expect(journal.version(.deployed, at: Sample.at(250)) == "v2")
      #expect(journal.version(.deployed, at: Sample.at(300)) == "v1")
      #expect(journal.previous == "v1", "a rollback asked for again is the same")
      try await registry.move("v1", to: .retired, effectiveAt: Sample.at(500))
      journal = try await registry.journal()
      #expect(journal.version(.deployed, at: Sample.at(500)) == nil)
    }
  }

  @Test("A model that isn't there and a damaged file are errors that say where")
  func errors() throws {
    try simulate { world in
      let registry = ModelRegistry(world.objects)
      let missing = try await failure {
        try await registry.move("v7", to: .deployed, effectiveAt: Sample.start)
      }
      #expect(missing?.code == .notFound && missing?.hint.contains("no model v7") == true)
      _ = try await ModelFixture.register(try ModelFixture.model(weight: 1), in: registry)
      try await world.objects.put("models/v1/model.json", Array("{}".utf8))
      let damaged = try await failure { try await registry.model("v1") }
      #expect(damaged?.code == .corrupt)
      #expect(damaged?.hint.hasPrefix("models/v1/model.json") == true)
      try await world.objects.put("models/journal/000002.json", Array("{\"stage\":1}".utf8))
      let journal = try await failure { try await registry.journal() }
      #expect(journal?.code == .corrupt)
      #expect(journal?.hint.hasPrefix("models/journal/000002.json version") == true)
      try await world.objects.delete("models/journal/000002.json")
      try await world.objects.put("models/journal/000003.json", Array("{}".utf8))
      #expect(try await failure { try await registry.journal() }?.code == .corrupt)
    }
  }
}
