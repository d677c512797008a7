import Moderation

/// What many seeds came to.
public struct Campaign: Sendable {
  /// Seeds that were played.
  public private(set) var seeds = 0
  /// Findings by seed.
  public private(set) var findings: [(seed: UInt64, violation: Violation)] = []
  /// Virtual time, in seconds.
  public private(set) var virtualSeconds = 0.0
  /// Events applied.
  public private(set) var events = 0
  /// How often faults of each kind hit, and in how many seeds.
  public private(set) var hits: [String: (hits: Int, seeds: Int)] = [:]
  /// In how many seeds each mark was reached.
  public private(set) var marks: [String: Int] = [:]

  /// No seeds yet.
  public init() {}

  /// Adds a seed.
  public mutating func add(_ report: SeedReport) {
    seeds += 1
    virtualSeconds += report.virtualSeconds
    events += report.events
    for (kind, count) in report.hits {
      let old = hits[kind] ?? (0, 0)
      hits[kind] = (old.hits + count, old.seeds + 1)
    }
    for mark in report.marks { marks[mark, default: 0] += 1 }
    if let violation = report.violation { findings.append((report.seed, violation)) }
  }

  /// The first finding of each checker, by seed.
  public var firstFindings: [(seed: UInt64, violation: Violation)] {
    var seen: Set<String> = []
    return findings.sorted { $0.seed < $1.seed }.filter {
      seen.insert($0.violation.checker).inserted
    }
  }

  /// The marks that no seed reached.
  public var unreached: [String] {
    Mark.allCases.map(\.rawValue).filter { marks[$0] == nil }
  }

  /// The summary, aligned.
  ///
  /// - Parameter wallSeconds: how long the campaign took; 0 leaves out what follows from it.
  public func lines(wallSeconds: Double) -> [String] {
    var lines = [
      "seeds          \(seeds)", "findings       \(findings.count)", "events         \(events)",
      "virtual time   \(Self.hours(virtualSeconds))",
    ]
    if wallSeconds > 0, seeds > 0 {
      let perMinute = Int((Double(seeds) * 60 / wallSeconds).rounded())
      lines.append("seeds a minute \(perMinute)")
      lines.append("virtual/wall   \(Int((virtualSeconds / wallSeconds).rounded()))")
    }
    lines += ["", "faults         hits      seeds"]
    for (kind, count) in hits.sorted(by: { $0.key < $1.key }) {
      lines.append(Self.padded(kind, 15) + Self.padded("\(count.hits)", 10) + "\(count.seeds)")
    }
    lines += ["", "seeds   reached"]
    for mark in Mark.allCases {
      lines.append(Self.padded("\(marks[mark.rawValue] ?? 0)", 8) + mark.rawValue)
    }
    if !unreached.isEmpty {
      lines += ["", "never reached: \(unreached.joined(separator: "; "))"]
    }
    return lines
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private static func hours(_ seconds: Double) -> String {
    let hours = Int(seconds) / 3600
    return hours >= 48 ? "\(hours / 24) days" : "\(hours) h \(Int(seconds) / 60 % 60) min"
  }
}

extension ShrunkScenario {
  /// The name of the file: the checker and the seed.
  public static func name(_ checker: String, _ seed: UInt64) -> String {
    var name = ""
    for character in checker {
      if character.isUppercase, !name.isEmpty, !name.hasSuffix("-") { name += "-" }
      name += character.isLetter || character.isNumber ? character.lowercased() : "-"
    }
    let words = name.split(separator: "-").joined(separator: "-")
    return "\(words)-\(seed)"
  }

  /// The scenario as a file that a person can read, edit and keep.
  ///
  /// - Parameter base: the scenario that was explored.
  public func file(base: String, seed: UInt64) -> (name: String, yaml: String) {
    var scenario = scenario
    scenario.name = Self.name(violation.checker, seed)
    scenario.about = "\(violation.checker), found by seed \(seed) of \(base)."
    var comments = [
      "Found by `rehearsal explore \(base) --seeds \(seed)..\(seed)`, then made small.",
      "Violated: \(violation.checker)",
    ]
    comments += violation.faults.prefix(3).map { "  \($0)" }
    comments.append("Again: `rehearsal run scenarios/regressions/\(scenario.name).yaml`")
    return (scenario.name, scenario.yaml(comments: comments))
  }
}
