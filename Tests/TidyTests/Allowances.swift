/// Places where a banned call is right. Add an entry with its reason; one that no longer matches
/// anything fails the test as stale.
let allowances: [Allowance] = [
  Allowance(
    "Canaries/CanariesCommand.swift", "print(", "a program: its report goes to whoever runs it"),
  Allowance(
    "KafkaBackend/KafkaHandle.swift", "@unchecked Sendable",
    "librdkafka's clients, topics and queues have locks of their own; C pointers are never Sendable"
  ),
  Allowance(
    "Lakehouse/Parquet/ParquetReader.swift", "nonisolated(unsafe)",
    "the shim's handle is constant once it is open, and C pointers are never Sendable"),
  Allowance(
    "RedisBackend/RedisConnection.swift", "nonisolated(unsafe)",
    "a C pointer that only the call uses that took the connection out of the pool"),
  Allowance(
    "PostgresBackend/Connection.swift", "@unchecked Sendable",
    "the pool lends a connection to one caller at a time; C pointers are never Sendable"),
  Allowance(
    "ObjectStorageBackend/S3/CurlPool.swift", "@unchecked Sendable",
    "whoever took a handle from the pool is alone with it, and C pointers are never Sendable"),
  Allowance("Simulation/SimulationExecutor.swift", "Task(", "the one root task of a run"),
  Allowance(
    "SimulationTests/EscapeTests.swift", "Task.sleep",
    "the executor must notice a sleep on the real clock"),
]

/// Permission for one file to use one banned call.
struct Allowance: Equatable, Sendable {
  /// The file's path under `Sources/` or `Tests/`.
  let file: String
  /// The banned call, spelled as its rule in a `BanList` spells it.
  let token: String
  /// Why the call is right there.
  let reason: String

  /// Permission with its reason.
  init(_ file: String, _ token: String, _ reason: String) {
    self.file = file
    self.token = token
    self.reason = reason
  }

  /// Whether this permission is for that violation.
  func covers(_ violation: Violation) -> Bool {
    violation.token == token
      && (violation.path == "Sources/" + file || violation.path == "Tests/" + file)
  }
}

extension [Allowance] {
  /// The violations that nothing permits.
  func uncovered(_ violations: [Violation]) -> [Violation] {
    violations.filter { violation in !contains { $0.covers(violation) } }
  }

  /// The entries that permit nothing that the tree does, and those without a reason.
  ///
  /// An entry for a target without any files yet isn't stale: it waits for them.
  ///
  /// - Parameters:
  ///   - violations: all that the ban lists found, before any permission.
  ///   - files: the paths of the tree.
  func stale(_ violations: [Violation], files: [String]) -> [Violation] {
    compactMap { entry in
      let target = entry.file.prefix { $0 != "/" }
      let targetHasFiles = files.contains {
        $0.hasPrefix("Sources/\(target)/") || $0.hasPrefix("Tests/\(target)/")
      }
      let isUsed = violations.contains { entry.covers($0) }
      if entry.reason.isEmpty {
        return entry.complaint("has no reason", fix: "say why the call is right there")
      }
      guard !isUsed, targetHasFiles else { return nil }
      return entry.complaint("matches nothing any more: it is stale", fix: "delete the entry")
    }
  }
}

extension Allowance {
  /// A violation by the entry itself.
  fileprivate func complaint(_ problem: String, fix: String) -> Violation {
    Violation(
      path: "Tests/TidyTests/Allowances.swift", line: 4, token: token,
      problem: "the allowance of `\(token)` for \(file) \(problem)", fix: fix)
  }
}
