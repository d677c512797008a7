import Testing

/// The measurable part of the house style, enforced on the whole tree.
@Suite("The tree is tidy")
struct TidyTests {
  private let repository: Repository

  init() throws {
    repository = try #require(
      Repository.checkout, "no folder above \(#filePath) has Package.swift and Sources/Moderation")
  }

  @Test("The rules see the tree")
  func rulesSeeTheTree() {
    let paths = repository.swiftFiles.map(\.path)
    #expect(paths.contains { $0.hasPrefix("Sources/Moderation/") })
    #expect(paths.contains { $0.hasPrefix("Tests/TidyTests/") })
    #expect(repository.manifest != nil)
  }

  @Test("Targets on the virtual clock use no real clock, randomness, task or hidden state")
  func simulatedTargets() { enforceBans(.simulated) }

  @Test("Only the executable prints")
  func printing() { enforceBans(.printing) }

  @Test("Promises that the compiler can't check have an allowance")
  func escapes() { enforceBans(.escapes) }

  @Test("A trap says what went wrong")
  func traps() { enforceBans(.traps) }

  @Test("Tests use no sleeps, real clock or random ids, and expect something")
  func tests() { enforceBans(.tests) }

  @Test("Every allowance has a reason and is still needed")
  func allowancesAreNeeded() {
    let violations = BanList.all.flatMap { list in
      repository.swiftFiles.flatMap(list.violations(in:))
    }
    report(allowances.stale(violations, files: repository.swiftFiles.map(\.path)))
  }

  @Test("Targets import only what the import graph allows")
  func imports() { enforce(ImportGraph(targets: repository.targets).violations(in:)) }

  @Test("Pipeline depends on Moderation and Ports alone")
  func pipelineDependencies() throws {
    let manifest = try #require(repository.manifest)
    #expect(PackageManifest.dependencies(of: "Pipeline", in: manifest) != nil)
    report(
      PackageManifest.violations(
        in: manifest, target: "Pipeline", dependencies: ["Moderation", "Ports"]))
  }

  @Test("Lines have at most 100 columns")
  func lineLengths() { enforce(Lengths.longLines(in:)) }

  @Test("Functions have at most 70 lines")
  func functionLengths() { enforce(Lengths.longFunctions(in:)) }

  @Test("Files have at most 500 lines, tests 600")
  func fileLengths() { enforce(Lengths.longFile) }

  @Test("A dropped error has a comment that says why")
  func silencedErrors() { enforce(Remarks.silencedErrors(in:)) }

  @Test("A note about work to do names its issue")
  func promises() { enforce(Remarks.promisesWithoutIssue(in:)) }

  @Test("Types are named for what they are")
  func typeNames() { enforce(Declarations.emptyNames(in:)) }

  @Test("Ports have at most 7 methods")
  func portSizes() { enforce(Declarations.widePorts(in:)) }

  @Test("Every scenario has a golden, and every golden a scenario")
  func goldens() {
    guard let scenarios = repository.paths(under: "scenarios"),
      let goldens = repository.paths(under: "golden")
    else { return }
    report(Goldens.violations(scenarios: scenarios, goldens: goldens))
  }

  @Test("The README is shorter than 150 lines")
  func readmeLength() { report(repository.document("README.md")?.tooLong() ?? []) }

  @Test(
    "Links and paths in the docs lead somewhere",
    arguments: ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
  func references(path: String) {
    report(repository.document(path)?.brokenReferences(exists: repository.exists) ?? [])
  }

  @Test("No file is larger than a megabyte")
  func fileSizes() { report(Repository.largeFiles(repository.sizes)) }

  private func enforceBans(_ list: BanList) {
    report(allowances.uncovered(repository.swiftFiles.flatMap(list.violations(in:))))
  }

  private func enforce(_ rule: (SourceFile) -> [Violation]) {
    report(repository.swiftFiles.flatMap(rule))
  }

  /// Fails the running test with one line per violation.
  private func report(_ violations: [Violation]) {
    guard !violations.isEmpty else { return }
    let lines = violations.map(\.description).joined(separator: "\n")
    Issue.record(Comment(rawValue: "\(violations.count) to fix:\n\(lines)"))
  }
}
