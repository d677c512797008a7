import ArgumentParser
import Foundation
import Harness

/// `rehearsal soak`.
struct SoakCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "soak",
    abstract: "Plays scenarios over and over on servers, and watches what wears out.",
    discussion: """
      Each round has new names on the servers, which are removed after it. A round fails when its
      scenario does, or when its trace isn't that of the scenario's first round. The soak fails,
      too, when memory, descriptors or threads grow. DIR gets soak.csv (a line per round) and
      latency.csv (percentiles per port operation, in microseconds).

      Examples:
        rehearsal soak --backends live.yaml --minutes 10
        rehearsal soak rough-day erasure --backends live.yaml --minutes 60 --out out/soak
      """)

  @Argument(help: "Scenarios, which take turns.")
  var names = ["viral-burst", "minors", "job-faults"]

  @OptionGroup var folders: Folders

  @Option(help: "in-memory, or a backends file.")
  var backends: BackendsChoice

  @Option(help: "How long; the last round is played to its end.")
  var minutes: Double

  @Option(help: "A folder for soak.csv and latency.csv.")
  var out = "out/soak"

  func validate() throws {
    guard minutes > 0, minutes.isFinite else {
      throw ValidationError("--minutes must be more than 0.")
    }
    if case .sqlite = backends {
      throw ValidationError(
        "A soak needs new names for each round: use a backends file with `sqlite: { folder: … }`.")
    }
  }

  func run() throws {
    let scenarios = try names.map { try Folders.load(folders.file($0)) }
    // A soak that can't write what it saw, or has no backends file, needn't begin.
    try prepare()
    _ = try backends.source()
    let soak = Soak(
      scenarios, seconds: minutes * 60,
      world: Soak.World(
        clock: { Stopwatch.now }, process: { ProcessStatus.now }, progress: Self.show))
    let report = soak.run { scenario, options in
      let source = try backends.source()
      var options = options
      options.backends = source.maker
      // Names that a failed round leaves would fill the servers, too.
      let result = Result { try ScenarioRun(scenario, options: options).run() }
      try source.clean()
      return try result.get()
    }
    Terminal.endProgress()
    try write(report.samplesCSV, to: "soak.csv")
    try write(report.latenciesCSV, to: "latency.csv")
    show(report)
    guard report.passed else {
      throw CommandFailure(code: 1, message: "rehearsal: soak FAILED; see \(out)")
    }
  }

  private func prepare() throws {
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: '\(out)' can't be written: \(error)")
    }
  }

  private func write(_ text: String, to name: String) throws {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(out)/\(name)"))
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: '\(out)' can't be written: \(error)")
    }
  }

  private static func show(_ sample: SoakReport.Sample) {
    Terminal.progressLine(
      "round \(sample.round), \(sample.process.residentBytes / 1_048_576) MB, "
        + "\(sample.process.descriptors) descriptors")
  }

  private func show(_ report: SoakReport) {
    var latencies = CellTable([
      "operation", "calls", "mean µs", "p50", "p90", "p99", "p99.9", "max",
    ])
    for latency in report.latencies.prefix(20) {
      latencies.append(
        [.text(latency.operation), .integer(Int64(latency.count))]
          + [
            latency.mean, latency.p50, latency.p90, latency.p99, latency.p999, latency.longest,
          ].map { .integer(Int64($0.rounded())) })
    }
    latencies.print(.table)
    print("")
    var rounds = CellTable(["round", "seconds", "events/s", "MB", "descriptors", "threads"])
    let step = max(1, report.samples.count / 10)
    for sample in report.samples
    where sample.round % step == 0 || sample.round == report.samples.count {
      rounds.append([
        .integer(Int64(sample.round)), .integer(Int64(sample.seconds)),
        .integer(Int64(sample.eventsPerSecond)),
        .integer(Int64(sample.process.residentBytes / 1_048_576)),
        .integer(Int64(sample.process.descriptors)), .integer(Int64(sample.process.threads)),
      ])
    }
    rounds.print(.table)
    print("")
    for failure in report.failures { print("\(Terminal.painted("FAIL", false)) \(failure)") }
    for growth in report.growth { print("\(Terminal.painted("FAIL", false)) \(growth)") }
    let count = report.samples.count
    print("\(count) rounds, \(report.events) events, \(report.failures.count) failures")
    if count < SoakReport.fewestRounds {
      print("too few rounds to see growth; \(SoakReport.fewestRounds) are needed")
    }
  }
}

/// What this process holds, as Linux says in /proc.
enum ProcessStatus {
  static var now: SoakReport.ProcessState {
    // Without /proc there is nothing to watch, and nothing grows.
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    // As above.
    let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    func number(_ field: String) -> Int {
      let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
      return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    }
    return SoakReport.ProcessState(
      residentBytes: number("VmRSS") * 1024, descriptors: descriptors.count,
      threads: number("Threads"))
  }
}
