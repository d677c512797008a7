import ArgumentParser
import Foundation
import Harness
import Lakehouse
import Synchronization

/// `rehearsal explore`.
struct Explore: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Searches traffic, faults and interleavings for what violates a checker.",
    discussion: """
      Each seed plays the scenario with other traffic, settings, a random subset of the kinds of
      faults, and another interleaving; faults are over after three quarters of the time. Every
      checker must hold, and what comes of it must be what comes of it undisturbed. A finding is
      made small and written to scenarios/regressions/, which later campaigns and `check` replay
      first. Played seeds are kept in out/explore/: the same command goes on where it was ended.

      Examples:
        rehearsal explore swarm --seeds 1000
        rehearsal explore swarm --seeds 500..999 --jobs 2 --minutes 10
        rehearsal explore scenarios --seeds 100 --shard 1/4
        rehearsal explore swarm --seeds 17..17 --show
      """)

  @Argument(help: "A scenario, or a folder of scenarios.")
  var scenario: String

  @Option(help: "How many seeds (0 to N-1), or the first and the last: A..B.")
  var seeds = "100"

  @Option(help: "Ends the campaign after so many minutes.")
  var minutes: Double?

  @Option(help: "Processes at once.")
  var jobs = Parallel.width

  @Option(help: "Plays the i-th of n parts of the seeds: i/n.")
  var shard = "1/1"

  @Option(help: "Where played seeds are kept.")
  var out = "out/explore"

  @Option(help: "The most runs that make one finding small; 0 leaves findings as they are.")
  var shrink = 3000

  @Flag(help: "Plays nothing, and shows what each seed would play.")
  var show = false

  @Flag(help: .hidden)
  var worker = false

  @OptionGroup var folders: Folders

  func validate() throws {
    if let minutes, !(minutes > 0 && minutes < 1e6) {
      throw ValidationError("--minutes is a number above 0.")
    }
    if jobs < 1 { throw ValidationError("--jobs is 1 or more.") }
    if shrink < 0 { throw ValidationError("--shrink is 0 or more.") }
  }

  func run() throws {
    if worker { return try work() }
    let plan = try SeedPlan(seeds, shard: shard)
    var isDirectory: ObjCBool = false
    let isFolder =
      FileManager.default.fileExists(atPath: scenario, isDirectory: &isDirectory)
      && isDirectory.boolValue
    let files: [String]
    if isFolder {
      var folder = folders
      folder.scenarios = scenario
      files = try folder.files()
    } else {
      files = [try folders.file(scenario)]
    }
    if show { return try files.forEach { try show($0, plan) } }
    var failures = try Regressions(folder: "\(folders.scenarios)/regressions").replay()
    let deadline = minutes.map { Stopwatch.now + UInt64($0 * 60e9) }
    for file in files { failures += try explore(file, plan, until: deadline) }
    if failures > 0 {
      throw CommandFailure(code: 1, message: "rehearsal: explore found \(failures) violations")
    }
  }

  private func show(_ file: String, _ plan: SeedPlan) throws {
    let explorer = Explorer(try Folders.load(file))
    for seed in plan.seeds { print(explorer.scenario(seed).yaml(comments: ["seed \(seed)"])) }
  }

  /// Plays the seeds of one scenario; how many violated something.
  private func explore(_ file: String, _ plan: SeedPlan, until deadline: UInt64?) throws -> Int {
    let base = try Folders.load(file)
    let journal = try SeedJournal(folder: out, base)
    let open = plan.blocks { journal.isOpen($0) }
    let total = open.reduce(0) { $0 + $1.count }
    print(
      "\(base.name): \(plan.seeds.count) seeds, \(plan.seeds.count - total) played before; "
        + "\(jobs) processes; each seed with its own traffic, 1 to 3 consumers, polls of 1 to 500 "
        + "records, in turn or interleaved, and up to 6 faults of a few kinds")
    let start = Stopwatch.now
    let played = Mutex(0)
    let progress = Terminal.progress(base.name)
    let queue = Mutex(open[...])
    _ = try Parallel.map(Array(0..<max(1, min(jobs, open.count))), width: jobs) { _ in
      let worker = try ExploreWorker(file: file)
      while deadline.map({ Stopwatch.now < $0 }) ?? true,
        let block = queue.withLock({ $0.popFirst() })
      {
        try worker.play(block) { report in
          try journal.add(report)
          progress(
            Double(
              played.withLock {
                $0 += 1; return $0
              }) / Double(max(1, total)))
        }
      }
      worker.end()
    }
    Terminal.endProgress()
    var campaign = Campaign()
    for seed in plan.seeds { if let report = journal.report(seed) { campaign.add(report) } }
    let seconds = Stopwatch.seconds(since: start)
    print(
      campaign.lines(wallSeconds: total == campaign.seeds ? seconds : 0).joined(separator: "\n"))
    for finding in campaign.firstFindings { try hand(over: finding, base) }
    return campaign.findings.count
  }

  /// Makes a finding small, writes it, and says all of it.
  private func hand(over finding: (seed: UInt64, violation: Violation), _ base: Scenario) throws {
    let explorer = Explorer(base)
    let name = ShrunkScenario.name(finding.violation.checker, finding.seed)
    let folder = "\(folders.scenarios)/regressions"
    print("\nFAIL \(finding.violation.checker), seed \(finding.seed) of \(base.name)")
    for fault in finding.violation.faults { print("     \(fault)") }
    guard shrink > 0 else {
      let seeds = "\(finding.seed)..\(finding.seed)"
      return print("     what it played: rehearsal explore \(base.name) --seeds \(seeds) --show")
    }
    let path = "\(folder)/\(name).yaml"
    if !FileManager.default.fileExists(atPath: path) {
      let progress = Terminal.progress("shrinking \(name)")
      let small = Shrinker.shrink(
        explorer.scenario(finding.seed), finding.violation, by: explorer, budget: shrink
      ) { runs, _ in progress(Double(runs) / Double(shrink)) }
      Terminal.endProgress()
      let (_, yaml) = small.file(base: base.name, seed: finding.seed)
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(yaml.utf8).write(to: URL(fileURLWithPath: path))
      print("     made small in \(small.runs) runs: \(small.actionCount) actions")
      for line in yaml.split(separator: "\n") where !line.hasPrefix("#") { print("       \(line)") }
    }
    let causes = explorer.causes(of: finding.violation.checker, in: try Folders.load(path))
    for line in causes { print("     cause: \(line)") }
    print("     again: rehearsal run \(path)")
  }

  /// A worker: seeds come in, reports go out, a line each.
  private func work() throws {
    let explorer = Explorer(try Folders.load(folders.file(scenario)))
    let encoder = JSONEncoder()
    while let line = readLine(), let seed = UInt64(line) {
      let report = try encoder.encode(explorer.explore(seed))
      do {
        try FileHandle.standardOutput.write(contentsOf: report + Data("\n".utf8))
      } catch {
        // The campaign was killed; who goes on with it plays the seed again.
        return
      }
    }
  }
}

/// Which seeds a campaign plays.
struct SeedPlan {
  /// How many seeds one campaign may have: each is kept in memory.
  private static let most: UInt64 = 10_000_000

  let seeds: [UInt64]

  /// Reads `N` or `A..B`, and `i/n`. Seeds that share their traffic stay together.
  init(_ text: String, shard: String) throws {
    let range = text.components(separatedBy: "..").map { UInt64($0) }
    let part = shard.split(separator: "/").map { UInt64($0) }
    guard part.count == 2, let index = part[0], let parts = part[1], index > 0, index <= parts
    else {
      throw CommandFailure(code: 2, message: "rehearsal: --shard is i/n, as in 1/4, not '\(shard)'")
    }
    let all: ClosedRange<UInt64>
    switch range.count {
    case 1:
      guard let count = range[0], count > 0 else { throw Self.usage(text) }
      all = 0...count - 1
    case 2:
      guard let first = range[0], let last = range[1], first <= last else { throw Self.usage(text) }
      all = first...last
    default: throw Self.usage(text)
    }
    guard all.upperBound - all.lowerBound < Self.most else { throw Self.usage(text) }
    seeds = all.filter { $0 / Explorer.sharing % parts == index - 1 }
  }

  private static func usage(_ text: String) -> CommandFailure {
    CommandFailure(
      code: 2, message: "rehearsal: --seeds is a number above 0 or A..B, as in 0..99, not '\(text)'"
    )
  }

  /// The seeds that are open, in blocks that share their traffic.
  func blocks(_ isOpen: (UInt64) -> Bool) -> [[UInt64]] {
    var blocks: [[UInt64]] = []
    for seed in seeds where isOpen(seed) {
      if let last = blocks.last?.last, last / Explorer.sharing == seed / Explorer.sharing {
        blocks[blocks.count - 1].append(seed)
      } else {
        blocks.append([seed])
      }
    }
    return blocks
  }
}
