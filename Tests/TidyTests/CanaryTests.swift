import Testing

/// Planted violations that each rule must catch: a rule that never fires proves nothing.
@Suite("Every rule catches what is planted")
struct CanaryTests {
  /// Text that breaks a rule, or comes close to it, and how often it breaks it.
  struct Planted: Sendable, CustomTestStringConvertible {
    let text: String
    let path: String
    let count: Int
    var testDescription: String { text }

    init(_ text: String, in path: String = "Sources/Pipeline/A.swift", breaks count: Int = 1) {
      self.text = text
      self.path = path
      self.count = count
    }

    var file: SourceFile { SourceFile(path: path, text: text) }
  }

  @Test(
    "Banned calls in simulated targets are caught",
    arguments: [
      Planted("let a = Date()"), Planted("let a = Date( )"), Planted("let a = Date.now"),
      Planted("UUID()"), Planted("var g = SystemRandomNumberGenerator()"),
      Planted("Int.random(in: 0..<3)"), Planted("Int.random(\n  in: f(using: g))"),
      Planted("a.shuffled()"), Planted("a.shuffle()"), Planted("a.randomElement()"),
      Planted("Task { }"), Planted("Task(priority: .low) { }"), Planted("Task<Int, Never> { 1 }"),
      Planted("Task.detached { }"), Planted("Task.immediate { }"), Planted("Task.init { }"),
      Planted("try await Task.sleep(for: .seconds(1))"), Planted("@MainActor func a() {}"),
      Planted("MainActor.run { }"), Planted("DispatchQueue.main"), Planted("ContinuousClock().now"),
      Planted("SuspendingClock()"), Planted("getenv(\"A\")"), Planted("ProcessInfo.processInfo"),
      Planted("@TaskLocal static let a = 1"), Planted("static var a = 1"),
      Planted("static var a: Int?\nfunc b() {}"), Planted("static var a: Int = 1 { didSet {} }"),
      Planted("static var a: Int { didSet {} }"), Planted("\"now: \\(Date())\""),
      Planted("Date()", in: "Sources/Harness/Deep/A.swift"),
    ])
  func bannedCalls(planted: Planted) {
    let violations = BanList.simulated.violations(in: planted.file)
    #expect(violations.count == planted.count)
    #expect(violations.allSatisfy { $0.description.hasPrefix("\(planted.path):1: ") })
  }

  @Test(
    "Innocent neighbours of banned calls pass",
    arguments: [
      Planted("// Date() and Task { }"), Planted("/// `UUID()`\nlet a = 1"),
      Planted("let a = \"Task { Date() }\""), Planted("let a = \"\"\"\n  UUID()\n  \"\"\""),
      Planted("CivilDate()"), Planted("Date(timeIntervalSince1970: 0)"), Planted("UUID(bits)"),
      Planted("Int.random(in: 0..<3, using: &stream)"), Planted("a.shuffled(\n  using: &stream)"),
      Planted("group.addTask { }"), Planted("extension Task { }"), Planted("Task.isCancelled"),
      Planted("static var a: Int { 1 }"), Planted("static var a: [Int: (Int) -> Int]\n{ [:] }"),
      Planted("protocol P { static var a: Int { get } }"), Planted("static let a = 1"),
      Planted("var handle: Task<Void, Never>?"), Planted("func run() -> Task<Void, Never> { a }"),
      Planted("clock.sleep(for: b)"), Planted("Date()", in: "Sources/rehearsal/A.swift"),
    ])
  func innocentCalls(planted: Planted) {
    #expect(BanList.simulated.violations(in: planted.file) == [])
  }

  @Test(
    "Other bans hold in the files that they are for",
    arguments: [
      Planted("print(a)"), Planted("Swift.print(a)"), Planted("fputs(a, stderr)"),
      Planted("print(a)", in: "Sources/rehearsal/A.swift", breaks: 0),
      Planted("report.print(a)", breaks: 0), Planted("func print(a: Int) {}", breaks: 0),
      Planted("class A: @unchecked Sendable {}"), Planted("nonisolated(unsafe) let a = b"),
      Planted("fatalError()"), Planted("fatalError(\"\")"), Planted("preconditionFailure()"),
      Planted("fatalError(\"no topic \\(a)\")", breaks: 0),
      Planted("fatalError(\"\\(a)\")", breaks: 0),
      Planted("Task.sleep(for: a)", in: "Tests/A/A.swift"),
      Planted("Thread.sleep(forTimeInterval: a)", in: "Tests/A/A.swift"),
      Planted("sleep(1)", in: "Tests/A/A.swift"), Planted("usleep(1)", in: "Tests/A/A.swift"),
      Planted("Date()", in: "Tests/A/A.swift"), Planted("UUID()", in: "Tests/A/A.swift"),
      Planted("#expect(true)", in: "Tests/A/A.swift"),
      Planted("#expect(trueCount == 1)", in: "Tests/A/A.swift", breaks: 0),
      Planted("time.sleep(for: a)", in: "Tests/A/A.swift", breaks: 0),
    ])
  func otherBans(planted: Planted) {
    let lists: [BanList] = [.printing, .escapes, .traps, .tests]
    let violations = lists.flatMap { $0.violations(in: planted.file) }
    #expect(violations.count == planted.count)
  }

  @Test("Allowances cover one call in one file, and go stale")
  func allowanceCoverage() {
    let entry = Allowance("Simulation/A.swift", "Task(", "the root task")
    let path = "Sources/Simulation/A.swift"
    let planted = BanList.simulated.violations(in: SourceFile(path: path, text: "Task() {}"))
    let elsewhere = BanList.simulated.violations(
      in: SourceFile(path: "Sources/Simulation/B.swift", text: "Task() {}"))
    #expect([entry].uncovered(planted + elsewhere) == elsewhere)
    #expect([entry].stale(planted, files: [path]) == [])
    #expect([entry].stale(elsewhere, files: [path]).count == 1)
    #expect([entry].stale([], files: ["Sources/Ports/A.swift"]) == [])
    #expect([Allowance("Simulation/A.swift", "Task(", "")].stale(planted, files: [path]).count == 1)
  }

  @Test(
    "An import that the graph doesn't have is caught",
    arguments: [
      Planted("import Foundation"), Planted("import Simulation"), Planted("import Synchronization"),
      Planted("import Moderation\nimport Ports", breaks: 0),
      Planted("// import Foundation", breaks: 0), Planted("public import struct Foundation.Date"),
      Planted("@preconcurrency import Dispatch", in: "Sources/Simulation/A.swift"),
      Planted("import Ports", in: "Sources/Moderation/A.swift"),
      Planted("import Foundation", in: "Sources/Moderation/A.swift", breaks: 0),
      Planted("import InMemoryBackends", in: "Sources/Harness/A.swift", breaks: 0),
      Planted("import KafkaBackend", in: "Sources/rehearsal/A.swift", breaks: 0),
      Planted("import Yams", in: "Sources/rehearsal/A.swift"),
      Planted("import CKafka\nimport NIOCore", in: "Sources/KafkaBackend/A.swift", breaks: 0),
      Planted("import Pipeline", in: "Sources/KafkaBackend/A.swift"),
      Planted("import SQLiteBackend", in: "Sources/Lakehouse/A.swift"),
      Planted("import Pipeline", in: "Sources/HTTPAPI/A.swift", breaks: 0),
      Planted("@testable import KafkaBackend", in: "Tests/PipelineTests/A.swift"),
      Planted("import KafkaBackend", in: "Tests/LiveBackendTests/A.swift", breaks: 0),
      Planted("import Pipeline", in: "Tests/PipelineTests/A.swift", breaks: 0),
    ])
  func imports(planted: Planted) {
    let graph = ImportGraph(targets: [
      "Moderation", "Ports", "Pipeline", "Simulation", "InMemoryBackends", "Harness", "rehearsal",
      "KafkaBackend", "SQLiteBackend", "Lakehouse", "HTTPAPI", "CKafka",
    ])
    #expect(graph.violations(in: planted.file).count == planted.count)
  }

  @Test("A dependency of Pipeline beyond its two is seen in the manifest")
  func manifest() {
    let text = """
      .library(name: "Pipeline", targets: ["Pipeline"]),
      .target(name: "Pipeline", dependencies: ["Ports", "Moderation", DEPENDENCY]),
      .testTarget(name: "PipelineTests", dependencies: ["Pipeline"]),
      """
    func violations(_ dependency: String) -> [Violation] {
      let parts = text.split(separator: "DEPENDENCY").joined(separator: dependency)
      let file = SourceFile(path: "Package.swift", text: parts)
      return PackageManifest.violations(
        in: file, target: "Pipeline", dependencies: ["Moderation", "Ports"])
    }
    #expect(violations("") == [])
    #expect(violations("\"Simulation\"").count == 1)
    #expect(violations(".product(name: \"NIO\", package: \"swift-nio\")").count == 1)
  }
}
