/// Whether scenarios and goldens come in pairs.
enum Goldens {
  /// Scenarios without goldens, and goldens without a scenario.
  ///
  /// - Parameters:
  ///   - scenarios: the paths of the files under `scenarios/`.
  ///   - goldens: the paths of the files under `golden/`.
  static func violations(scenarios: [String], goldens: [String]) -> [Violation] {
    let names = scenarios.filter { $0.hasSuffix(".yaml") }
    let missing = names.compactMap { path -> Violation? in
      let golden = "golden/\(name(of: path))/summary.txt"
      let needsGolden = !path.hasPrefix("scenarios/regressions/")
      guard needsGolden, !goldens.contains(golden) else { return nil }
      return Violation(
        path: path, line: 1, problem: "the scenario has no \(golden)",
        fix: "`rehearsal accept \(name(of: path))` after a review")
    }
    let known = Set(names.map(name(of:)))
    let directories = Set(goldens.compactMap { directory(of: $0) }).sorted()
    let orphans = directories.filter { !known.contains($0) }.map { directory in
      Violation(
        path: "golden/\(directory)", line: 1, problem: "no scenario has this name",
        fix: "delete the folder, or name it as its file under scenarios/")
    }
    return missing + orphans
  }

  /// The file's name without folders and extension.
  private static func name(of path: String) -> String {
    String((path.split(separator: "/").last ?? "").dropLast(".yaml".count))
  }

  /// The folder right under `golden/` that holds the file.
  private static func directory(of path: String) -> String? {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : nil
  }
}
