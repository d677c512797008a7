/// Which target may import what: the architecture, as DESIGN §1 draws it.
struct ImportGraph: Sendable {
  /// The modules that each target may import.
  private static let allowed: [String: Set<String>] = [
    "Moderation": ["Foundation", "Glibc"],
    "Ports": ["Moderation", "Synchronization"],
    "Pipeline": ["Moderation", "Ports"],
    "Simulation": ["Moderation", "Ports", "HeapModule", "Synchronization", "Glibc"],
    "InMemoryBackends": ["Moderation", "Ports", "HeapModule", "Synchronization"],
    "Lakehouse": ["Moderation", "Ports", "Foundation", "Synchronization", "CParquet", "CZlib"],
    "ONNXExport": ["SwiftProtobuf"],
    "Harness": [
      "Moderation", "Ports", "Pipeline", "Simulation", "InMemoryBackends", "Lakehouse",
      "Foundation", "Histogram", "Yams", "Synchronization", "Glibc",
    ],
    "RehearsalHarness": [
      "Moderation", "Ports", "Pipeline", "Simulation", "Harness", "Foundation", "Synchronization",
    ],
    "RehearsalTesting": ["RehearsalHarness", "Foundation", "Testing"],
  ]

  /// What the executable may import beside every module of ours.
  private static let allowedForExecutable: Set = [
    "ArgumentParser", "CMimalloc", "Foundation", "Glibc", "Synchronization",
  ]

  /// What later targets may import of ours; drivers and C shims come on top.
  private static let allowedOfOurs: [String: Set<String>] = [
    "HTTPAPI": ["Moderation", "Ports", "Pipeline"],
    "Inspector": ["Moderation", "Ports", "Harness"],
  ]

  /// What a backend may import of ours.
  private static let allowedByDefault: Set = ["Moderation", "Ports"]

  /// The only targets that wire live backends; those of ConformanceTests need no server.
  private static let wiring: Set = ["rehearsal", "ConformanceTests", "LiveBackendTests"]

  /// The names of the targets under `Sources/`.
  let targets: Set<String>

  /// The imports of a file that the graph doesn't have.
  func violations(in file: SourceFile) -> [Violation] {
    guard let target = file.target else { return [] }
    return Self.imports(of: file).compactMap { module, line in
      complaint(about: module, in: target, isSource: file.tree == "Sources").map { problem, fix in
        Violation(path: file.path, line: line, problem: problem, fix: fix)
      }
    }
  }

  private func complaint(
    about module: String, in target: String, isSource: Bool
  ) -> (problem: String, fix: String)? {
    if module.hasSuffix("Backend"), !Self.wiring.contains(target) {
      let wiring = Self.wiring.sorted().joined(separator: " and ")
      return (
        "\(target) imports the live backend \(module)",
        "a port as an argument; only \(wiring) import backends"
      )
    }
    guard isSource, !mayImport(module, target: target) else { return nil }
    let choice = modules(for: target).sorted().joined(separator: ", ")
    return (
      "\(target) may not import \(module)",
      "only \(choice), or move the code to a target that may"
    )
  }

  /// The modules to choose from, as a report lists them.
  private func modules(for target: String) -> Set<String> {
    guard target != "rehearsal" else { return targets.union(Self.allowedForExecutable) }
    return Self.allowed[target] ?? Self.allowedOfOurs[target] ?? Self.allowedByDefault
  }

  private func mayImport(_ module: String, target: String) -> Bool {
    if let modules = Self.allowed[target] { return modules.contains(module) }
    guard targets.contains(module), !isShim(module) else {
      return target != "rehearsal" || Self.allowedForExecutable.contains(module)
    }
    guard target != "rehearsal" else { return true }
    return modules(for: target).contains(module)
  }

  /// Whether the module wraps a C library, as `CSQLite` does.
  private func isShim(_ module: String) -> Bool {
    module.hasPrefix("C") && module.dropFirst().first?.isUppercase == true
  }

  /// The modules that a file imports, with their lines.
  static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
    let tokens = file.tokens
    let kinds: Set = [
      "typealias", "struct", "class", "enum", "protocol", "let", "var", "func", "actor",
    ]
    return file.indices(of: ["import"]).compactMap { index in
      let rest = tokens[(index + 1)...].prefix(2).map(\.text)
      guard tokens.text(before: index) != ".", let first = rest.first, let last = rest.last else {
        return nil
      }
      return (kinds.contains(first) ? last : first, tokens[index].line)
    }
  }
}

/// What `Package.swift` declares.
enum PackageManifest {
  /// The dependencies of a target, sorted; nil when the manifest has no such target.
  static func dependencies(of target: String, in manifest: SourceFile) -> [String]? {
    let tokens = manifest.tokens
    let start = ["(", "name", ":", "\"\(target)\""]
    let targetKinds: Set = ["target", "executableTarget", "testTarget"]
    for index in manifest.indices(of: start) where targetKinds.contains(tokens.text(before: index))
    {
      guard let end = tokens.closing(of: index) else { return nil }
      let list = (index..<end).first { tokens.matches(["dependencies", ":", "["], at: $0) }
      guard let list, let listEnd = tokens.closing(of: list + 2) else { return [] }
      return tokens[list..<listEnd].map(\.text).filter { $0.hasPrefix("\"") }
        .map { $0.filter { $0 != "\"" } }.sorted()
    }
    return nil
  }

  /// Complains unless the target depends on exactly those.
  static func violations(
    in manifest: SourceFile, target: String, dependencies expected: [String]
  ) -> [Violation] {
    guard let found = dependencies(of: target, in: manifest), found != expected.sorted() else {
      return []
    }
    let line = manifest.tokens.first { $0.text == "\"\(target)\"" }?.line ?? 1
    return [
      Violation(
        path: manifest.path, line: line, problem: "\(target) depends on \(found)",
        fix: "dependencies: \(expected)")
    ]
  }
}
