import Moderation
import Pipeline
import Ports
import Simulation

/// A run in short: `summary.json`, the golden's `summary.txt`, and what a terminal shows.
public struct RunSummary: Sendable {
  private let run: RunResult
  private let judgement: Judgement
  private let wallSeconds: Double

  /// A summary; `wallSeconds` is the caller's measurement.
  public init(_ run: RunResult, _ judgement: Judgement, wallSeconds: Double) {
    self.run = run
    self.judgement = judgement
    self.wallSeconds = wallSeconds
  }

  private var virtualSeconds: Double { Double(run.virtualDuration.microseconds) / 1e6 }

  /// `summary.json`.
  public var json: String {
    var json = JSONWriter(capacity: 2048)
    json.field("scenario", run.scenario.name)
    json.field("seed", json: "\(run.scenario.seed)".utf8)
    json.field("fingerprint", run.fingerprint)
    json.field("backends", run.backends)
    json.field("virtual_seconds", virtualSeconds)
    json.field("wall_seconds", wallSeconds)
    json.field("events", Int64(run.applied.count))
    json.field("events_per_second", wallSeconds > 0 ? Double(run.applied.count) / wallSeconds : 0)
    let counts = run.counts.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",")
    json.field("counts", json: "{\(counts)}".utf8)
    json.field("expectations", json: Self.list(judgement.expectations))
    json.field("checkers", json: Self.list(judgement.checkers))
    json.field("passed", judgement.passed)
    return String(decoding: json.finish(), as: UTF8.self) + "\n"
  }

  private static func list(_ findings: [Finding]) -> [UInt8] {
    var bytes: [UInt8] = [UInt8(ascii: "[")]
    for (index, finding) in findings.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      var json = JSONWriter()
      json.field("what", finding.what)
      if finding.line > 0 { json.field("line", Int64(finding.line)) }
      json.field("passed", finding.holds)
      var faults: [UInt8] = [UInt8(ascii: "[")]
      for (position, fault) in finding.faults.enumerated() {
        if position > 0 { faults.append(UInt8(ascii: ",")) }
        JSONWriter.appendString(fault, to: &faults)
      }
      json.field("faults", json: faults + [UInt8(ascii: "]")])
      bytes += json.finish()
    }
    return bytes + [UInt8(ascii: "]")]
  }

  /// `summary.txt`: what doesn't depend on the machine, with a fingerprint of every whole table but
  /// for the columns that have a tolerance.
  public var goldenText: String {
    var lines = ["scenario  \(run.scenario.name)", "seed      \(run.scenario.seed)", ""]
    for (name, value) in run.counts {
      lines.append(Self.padded(name, 16) + "\(value)")
    }
    lines.append("")
    let tolerant = Set(run.scenario.golden.tolerances.keys)
    for table in OutputTables(run).all {
      var fingerprint = Fingerprint()
      fingerprint.fold(table.removing(tolerant).text)
      lines.append(
        Self.padded("\(table.name).csv", 20) + Self.padded("\(table.rows.count) rows", 14)
          + "\(fingerprint)")
    }
    lines.append("")
    for finding in judgement.expectations + judgement.checkers {
      lines.append((finding.holds ? "holds  " : "fails  ") + finding.what)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What a person reads after a run.
  public func text(isColoured: Bool) -> String {
    let ratio = wallSeconds > 0 ? virtualSeconds / wallSeconds : 0
    let rate = wallSeconds > 0 ? Double(run.applied.count) / wallSeconds : 0
    var lines = [
      "\(run.scenario.name): \(run.scenario.about)",
      "  seed \(run.scenario.seed)   fingerprint \(run.fingerprint)   \(run.backends)",
      "  \(Self.clock(virtualSeconds)) virtual in \(Self.decimal(wallSeconds)) s "
        + "(\(Self.grouped(Int(ratio)))x), \(Self.grouped(run.applied.count)) events, "
        + "\(Self.grouped(Int(rate))) events/s",
      "",
    ]
    let shown = run.counts.filter { $0.value != 0 }
    for start in stride(from: 0, to: shown.count, by: 4) {
      let cells = shown[start..<min(start + 4, shown.count)].map {
        Self.padded($0.name, 15) + Self.padded(Self.grouped($0.value), 9)
      }
      lines.append("  " + cells.joined())
    }
    lines += topScores() + [""]
    for finding in judgement.expectations + judgement.checkers {
      let mark = finding.holds ? "ok  " : "FAIL"
      let paint = isColoured ? (finding.holds ? "\u{1B}[32m" : "\u{1B}[31m") : ""
      lines.append("  \(paint)\(mark)\(isColoured ? "\u{1B}[0m" : "") \(finding.what)")
      lines += finding.faults.map { "         \($0)" }
    }
    return lines.joined(separator: "\n")
  }

  /// The highest scores, each with what asked for it and which rules fired.
  private func topScores() -> [String] {
    // By place: a score with its vectors is large to move about.
    let places = run.scores.indices.filter { run.scores[$0].row.riskScore > 0 }.sorted {
      let (a, b) = (run.scores[$0], run.scores[$1])
      return (b.row.riskScore, a.asOf, a.row.id) < (a.row.riskScore, b.asOf, b.row.id)
    }
    let top = places.prefix(5).map { run.scores[$0] }
    guard !top.isEmpty else { return [] }
    return ["", "  highest scores"]
      + top.map { score in
        "  " + Self.padded(run.aliases.name(score.request.image), 12)
          + Self.padded(score.request.trigger.name, 12) + "\(score.asOf)  "
          + Self.padded("\(Self.decimal(score.row.riskScore))", 6)
          + (score.row.rationale ?? "")
      }
  }

  static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  static func grouped(_ value: Int) -> String {
    var digits = String(abs(value))
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits = String(digits.dropLast(3))
    }
    groups.insert(digits, at: 0)
    return (value < 0 ? "-" : "") + groups.joined(separator: ",")
  }

  /// Two decimals.
  static func decimal(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  private static func clock(_ seconds: Double) -> String {
    let total = Int(seconds)
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(total / 3600):\(two(total / 60 % 60)):\(two(total % 60))"
  }
}
