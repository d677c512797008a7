import Moderation

/// What a soak saw.
public struct SoakReport: Sendable {
  /// The process after a round, when its connections are closed again.
  public struct Sample: Hashable, Sendable {
    /// Rounds that ended.
    public var round: Int
    /// The round's scenario.
    public var scenario: String
    /// Seconds since the soak began.
    public var seconds: Double
    /// Events that the round applied.
    public var events: Int
    /// Events a second of the round.
    public var eventsPerSecond: Double
    /// What the process holds.
    public var process: ProcessState

    /// A sample.
    public init(
      round: Int, scenario: String, seconds: Double, events: Int, eventsPerSecond: Double,
      process: ProcessState
    ) {
      self.round = round
      self.scenario = scenario
      self.seconds = seconds
      self.events = events
      self.eventsPerSecond = eventsPerSecond
      self.process = process
    }
  }

  /// What a process holds.
  public struct ProcessState: Hashable, Sendable {
    /// Resident memory, in bytes.
    public var residentBytes: Int
    /// Open descriptors.
    public var descriptors: Int
    /// Threads.
    public var threads: Int

    /// What a process holds.
    public init(residentBytes: Int, descriptors: Int, threads: Int) {
      self.residentBytes = residentBytes
      self.descriptors = descriptors
      self.threads = threads
    }
  }

  /// One port operation's times, in microseconds.
  public struct Latency: Hashable, Sendable {
    /// `Port.method`.
    public var operation: String
    /// Calls.
    public var count: Int
    /// The mean.
    public var mean: Double
    /// The median.
    public var p50: Double
    /// 90 of 100 took no longer.
    public var p90: Double
    /// 99 of 100 took no longer.
    public var p99: Double
    /// 999 of 1,000 took no longer.
    public var p999: Double
    /// The longest.
    public var longest: Double
  }

  /// One per round.
  public internal(set) var samples: [Sample] = []
  /// One per port operation, those with the longest time in all first.
  public internal(set) var latencies: [Latency] = []
  /// Rounds that failed: a judgement, another outcome than the first time, a server's error.
  public internal(set) var failures: [String] = []

  /// A report.
  public init(samples: [Sample] = [], latencies: [Latency] = [], failures: [String] = []) {
    self.samples = samples
    self.latencies = latencies
    self.failures = failures
  }

  /// Whether nothing failed and nothing grew.
  public var passed: Bool { failures.isEmpty && growth.isEmpty }

  /// How many rounds it takes to tell growth from noise.
  public static let fewestRounds = 8

  /// What grew. Compared are the medians of the second and the last quarter of the rounds: the
  /// first quarter fills caches. Memory may differ by a twentieth and 8 MiB, descriptors and
  /// threads by nothing.
  public var growth: [String] {
    guard samples.count >= Self.fewestRounds else { return [] }
    let quarter = samples.count / 4
    let early = samples[quarter..<(2 * quarter)].map(\.process)
    let late = samples[(samples.count - quarter)...].map(\.process)
    func grown(_ what: String, _ value: (ProcessState) -> Int, slack: (Int) -> Int) -> String? {
      let (before, after) = (Self.median(early.map(value)), Self.median(late.map(value)))
      guard after > before + slack(before) else { return nil }
      return "\(what) grew from \(before) to \(after)"
    }
    return [
      grown("memory (bytes)", \.residentBytes) { $0 / 20 + 8 * 1_048_576 },
      grown("descriptors", \.descriptors) { _ in 0 },
      grown("threads", \.threads) { _ in 0 },
    ].compactMap(\.self)
  }

  private static func median(_ values: [Int]) -> Int { values.sorted()[values.count / 2] }

  /// Events over all rounds.
  public var events: Int { samples.reduce(0) { $0 + $1.events } }

  /// `soak.csv`: a line per round.
  public var samplesCSV: String {
    var lines = ["round,scenario,seconds,events,events_per_second,resident_mb,descriptors,threads"]
    for sample in samples {
      let megabytes = Double(sample.process.residentBytes) / 1_048_576
      lines.append(
        "\(sample.round),\(sample.scenario),\(RunSummary.decimal(sample.seconds)),\(sample.events),"
          + "\(RunSummary.decimal(sample.eventsPerSecond)),\(RunSummary.decimal(megabytes)),"
          + "\(sample.process.descriptors),\(sample.process.threads)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// `latency.csv`: a line per port operation, times in microseconds.
  public var latenciesCSV: String {
    var lines = ["operation,count,mean_us,p50_us,p90_us,p99_us,p999_us,max_us"]
    for latency in latencies {
      let times = [
        latency.mean, latency.p50, latency.p90, latency.p99, latency.p999, latency.longest,
      ]
      lines.append(
        "\(latency.operation),\(latency.count),"
          + times.map { RunSummary.decimal($0) }.joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
