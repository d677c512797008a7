import Glibc
import Moderation
import Pipeline
import Ports
import Simulation
import Synchronization

/// Measures the full path: request → store → outbox → log → consumer → features → triggers →
/// score, on one core, on the simulation's executor, with JSON encoded and decoded on the way; or,
/// on any backends, how fast a log is drained: see ``drain(_:)``.
public struct Benchmark: Sendable {
  /// What was measured.
  public struct Report: Sendable {
    /// Events that went the whole way.
    public var events: Int
    /// Scores stored.
    public var scores: Int
    /// Wall time of the whole path.
    public var seconds: Double
    /// The process's largest resident size, in bytes.
    public var peakBytes: Int
    /// Nanoseconds per event by step, from a second, smaller run with a stopwatch at every port.
    public var steps: [(name: String, nanoseconds: Double)]
  }

  let events: Int
  let clock: @Sendable () -> UInt64

  /// A benchmark over `events` events; `clock` gives nanoseconds.
  public init(events: Int, clock: @escaping @Sendable () -> UInt64) {
    self.events = events
    self.clock = clock
  }

  /// Runs it.
  public func run() throws -> Report {
    let (counted, taken) = try path(events, stopwatch: nil)
    let seconds = Double(taken) / 1e9
    let peak = Self.peakBytes
    let times = PortTimes()
    let stopwatch = PortStopwatch(clock: clock) { times.add($0, $1) }
    let part = min(events, 100_000)
    let (timed, partTaken) = try path(part, stopwatch: stopwatch)
    func perEvent(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / Double(timed.events) }
    var steps = times.steps.map {
      (name: $0.key, nanoseconds: perEvent($0.value.nanoseconds))
    }.sorted { ($1.nanoseconds, $0.name) < ($0.nanoseconds, $1.name) }
    let inPorts = steps.reduce(0) { $0 + $1.nanoseconds }
    steps.append(
      (name: "pipeline, scheduler", nanoseconds: perEvent(partTaken) - inPorts))
    steps += codec()
    steps.append((name: "not counted: drawing requests", nanoseconds: perEvent(timed.drawing)))
    return Report(
      events: counted.events, scores: counted.scores, seconds: seconds, peakBytes: peak,
      steps: steps)
  }

  /// Plays about `count` events; gives what came out, and the nanoseconds from the first request to
  /// the last score, without those in which the clients drew their requests.
  private func path(
    _ count: Int, stopwatch: PortStopwatch?
  ) throws -> (BenchmarkCounter.Counted, UInt64) {
    // Some seconds at once, as under load: each service then works on many records in a row.
    let platform = try BenchmarkPlatform(count, clock: clock, relayInterval: .seconds(5)) {
      (time) in .inMemory(time: time)
    }
    let start = clock()
    try platform.simulate { () async throws(PortError) in
      try await platform.play(through: stopwatch)
    }
    let taken = clock() - start
    let counted = platform.counter.counted
    return (counted, taken - counted.drawing)
  }

  /// What the event JSON alone costs.
  private func codec() -> [(name: String, nanoseconds: Double)] {
    let event = PlatformEvent(
      id: EventID(high: 1, low: 2), time: EventTime(microseconds: 1_767_603_600_123_456),
      actor: UserID(high: 3, low: 4), actorEligible: true,
      subject: .comment(
        comment: CommentID(high: 1, low: 2), image: ImageID(high: 5, low: 6),
        content: "looks delicious, where is this?"))
    let rounds = 100_000
    var bytes = 0
    let start = clock()
    for _ in 0..<rounds { bytes += EventCodec.encode(event).count }
    let encoded = clock()
    let value = EventCodec.encode(event)
    var decoded = 0
    for _ in 0..<rounds where EventCodec.decodeOrNil(value) != nil { decoded += 1 }
    let end = clock()
    precondition(bytes == rounds * value.count && decoded == rounds, "the codec lost an event")
    return [
      (
        name: "  of which JSON encode (comment)",
        nanoseconds: Double(encoded - start) / Double(rounds)
      ),
      (
        name: "  of which JSON decode (comment)",
        nanoseconds: Double(end - encoded) / Double(rounds)
      ),
    ]
  }

  private static var peakBytes: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}

extension Benchmark.Report {
  /// Events per second of the full path.
  public var eventsPerSecond: Double { Double(events) / seconds }

  /// `{"full_path": {…}, "nanoseconds_per_event": {…}}`.
  public var json: String {
    var path = JSONWriter()
    path.field("events", Int64(events))
    path.field("scores", Int64(scores))
    path.field("seconds", seconds)
    path.field("events_per_second", eventsPerSecond)
    path.field("peak_mb", Double(peakBytes) / 1_048_576)
    path.field("bytes_per_event", Double(peakBytes) / Double(max(1, events)))
    let steps = steps.map { "\"\($0.name.drop { $0 == " " })\":\($0.nanoseconds)" }
    var json = JSONWriter()
    json.field("full_path", json: path.finish())
    json.field("nanoseconds_per_event", json: "{\(steps.joined(separator: ","))}".utf8)
    return String(decoding: json.finish(), as: UTF8.self)
  }

  /// What a person reads.
  public var text: String {
    let megabytes = Double(peakBytes) / 1_048_576
    var lines = [
      "full path: \(RunSummary.grouped(events)) events, \(RunSummary.grouped(scores)) scores "
        + "in \(RunSummary.decimal(seconds)) s",
      "  \(RunSummary.grouped(Int(eventsPerSecond))) events/s on one core, peak "
        + "\(RunSummary.decimal(megabytes)) MB, \(peakBytes / max(1, events)) bytes per event",
      "", "  where the time goes                      ns per event",
    ]
    for step in steps {
      lines.append("  " + RunSummary.padded(step.name, 40) + RunSummary.decimal(step.nanoseconds))
    }
    return lines.joined(separator: "\n")
  }
}
