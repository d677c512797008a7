import Moderation
import Ports
import Simulation

extension Benchmark {
  /// How fast the stream consumer and the risk scorer were.
  public struct Drain: Sendable {
    /// One port operation of the services.
    public struct Operation: Hashable, Sendable {
      /// `Port.method`.
      public var name: String
      /// How often it was called.
      public var calls: Int
      /// Wall time of all calls, in seconds.
      public var seconds: Double

      /// An operation.
      public init(name: String, calls: Int, seconds: Double) {
        self.name = name
        self.calls = calls
        self.seconds = seconds
      }
    }

    /// `in-memory`, or what the backends file names.
    public var backends: String
    /// Events in the log, all of which were applied.
    public var events: Int
    /// Scores stored.
    public var scores: Int
    /// Wall time from the start to the last event applied.
    public var consumerSeconds: Double
    /// Wall time from the start to the last score stored.
    public var seconds: Double
    /// The services' port operations but polls, the longest in all first.
    public var operations: [Operation]

    /// What was measured.
    public init(
      backends: String, events: Int, scores: Int, consumerSeconds: Double, seconds: Double,
      operations: [Operation]
    ) {
      self.backends = backends
      self.events = events
      self.scores = scores
      self.consumerSeconds = consumerSeconds
      self.seconds = seconds
      self.operations = operations
    }
  }

  /// The most records of a poll while a backlog is read: most counters of a batch are then touched
  /// more than once, and Redis writes each of them once.
  static let catchUpBatch = 5000

  /// Records about ``events`` events with nobody reading, then measures stream consumer, anchor
  /// scheduler and risk scorer from their start until all is applied and scored.
  ///
  /// - Parameter maker: makes the backends, which are empty.
  /// - Throws: ``RunFailure``; `noProgress` when a recorded event wasn't applied.
  public func drain(_ maker: RunOptions.Maker) throws -> Drain {
    let platform = try BenchmarkPlatform(events, clock: clock, batch: Self.catchUpBatch, maker)
    let (clock, times) = (clock, PortTimes())
    let stopwatch = PortStopwatch(clock: clock) { times.add($0, $1) }
    let (start, recorded) = try platform.simulate { () async throws(PortError) in
      try await platform.record()
      let recorded = try await platform.recorded()
      let start = clock()
      await platform.drain(through: stopwatch)
      return (start, recorded)
    }
    let counted = platform.counter.counted
    guard counted.events == recorded, counted.scores > 0 else {
      throw RunFailure.noProgress(
        "\(counted.events) of \(recorded) events were applied, \(counted.scores) scores stored")
    }
    let operations = times.steps.map { name, time in
      Drain.Operation(name: name, calls: time.calls, seconds: Double(time.nanoseconds) / 1e9)
    }.sorted { ($1.seconds, $0.name) < ($0.seconds, $1.name) }
    return Drain(
      backends: platform.backends.name, events: counted.events, scores: counted.scores,
      consumerSeconds: Double(counted.lastEvent - start) / 1e9,
      seconds: Double(max(counted.lastEvent, counted.lastScore) - start) / 1e9,
      operations: operations)
  }
}

extension Benchmark.Drain {
  /// Events per second of the stream consumer alone.
  public var consumerEventsPerSecond: Double { Double(events) / consumerSeconds }

  /// Events per second of consumer and scorer.
  public var eventsPerSecond: Double { Double(events) / seconds }

  /// Calls of the feature store, each of which is one round trip, per 1,000 events.
  public var roundTripsPerThousandEvents: Double {
    let calls = operations.filter { $0.name.hasPrefix("FeatureStore.") }
      .reduce(0) { $0 + $1.calls }
    return 1000 * Double(calls) / Double(max(1, events))
  }

  /// `{"drain": {…}, "prefix": …}`.
  ///
  /// - Parameter prefix: what the names that stay on the servers begin with; nil when none do.
  public func json(prefix: String?) -> String {
    var drain = JSONWriter()
    drain.field("backends", backends)
    drain.field("events", Int64(events))
    drain.field("scores", Int64(scores))
    drain.field("consumer_seconds", consumerSeconds)
    drain.field("seconds", seconds)
    drain.field("consumer_events_per_second", consumerEventsPerSecond)
    drain.field("events_per_second", eventsPerSecond)
    drain.field("feature_round_trips_per_1000_events", roundTripsPerThousandEvents)
    let calls = operations.map {
      "\"\($0.name)\":{\"calls\":\($0.calls),\"seconds\":\($0.seconds)}"
    }
    drain.field("operations", json: "{\(calls.joined(separator: ","))}".utf8)
    var json = JSONWriter()
    json.field("drain", json: drain.finish())
    json.field("prefix", prefix)
    return String(decoding: json.finish(), as: UTF8.self)
  }

  /// What a person reads.
  public var text: String {
    let trips = RunSummary.decimal(roundTripsPerThousandEvents)
    var lines = [
      "drained on \(backends): \(RunSummary.grouped(events)) events, "
        + "\(RunSummary.grouped(scores)) scores in \(RunSummary.decimal(seconds)) s",
      "  stream consumer   \(RunSummary.grouped(Int(consumerEventsPerSecond))) events/s",
      "  with the scorer   \(RunSummary.grouped(Int(eventsPerSecond))) events/s",
      "  feature store     \(trips) round trips per 1,000 events",
      "", "  where the time goes           calls     ms",
    ]
    for operation in operations {
      lines.append(
        "  " + RunSummary.padded(operation.name, 30)
          + RunSummary.padded("\(operation.calls)", 10)
          + RunSummary.decimal(operation.seconds * 1000))
    }
    let rest = seconds - operations.reduce(0) { $0 + $1.seconds }
    lines.append(
      "  " + RunSummary.padded("polls, pipeline, scheduler", 40)
        + RunSummary.decimal(max(0, rest) * 1000))
    return lines.joined(separator: "\n")
  }
}
