import ArgumentParser
import Harness

/// `rehearsal bench`.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures the full path and says where the time goes, or how fast servers are.",
    discussion: """
      Request, store, outbox, log, consumer, features, triggers and score, on one core, with JSON
      encoded and decoded on the way. Build with `-c release` first.

      With --backends, events are recorded first, on new names; then consumer and scorer alone are
      measured while they drain the log. What they left is removed, unless --keep.

      Examples:
        rehearsal bench
        rehearsal bench --events 100000 --json
        rehearsal bench --backends live.yaml --events 20000
      """)

  @Option(help: "How many events; 1,000,000 unless named, with --backends 20,000.")
  var events: Int?

  @Option(help: "in-memory, sqlite:DIR, or a backends file: measures consumer and scorer there.")
  var backends: BackendsChoice?

  @Flag(help: "Leaves what is on the servers, and says its prefix.")
  var keep = false

  @Flag(help: "Prints JSON instead of text.")
  var json = false

  func validate() throws {
    if let events, !(1000...100_000_000).contains(events) {
      throw ValidationError("--events must be 1,000 to 100,000,000.")
    }
    if keep, backends == nil { throw ValidationError("--keep needs --backends.") }
  }

  func run() throws {
    do {
      if let backends { return try drain(backends.source()) }
      let report = try Benchmark(events: events ?? 1_000_000, clock: { Stopwatch.now }).run()
      print(json ? report.json : report.text)
    } catch let error as RunFailure {
      throw CommandFailure(error)
    }
  }

  private func drain(_ source: any BackendsSource) throws {
    let benchmark = Benchmark(events: events ?? 20_000, clock: { Stopwatch.now })
    let result = Result { try benchmark.drain(source.maker) }
    if !keep { try source.clean() }
    let drain = try result.get()
    let prefix = keep ? source.leftPrefixes.first : nil
    print(json ? drain.json(prefix: prefix) : drain.text)
    if !json, let prefix {
      print(
        "\n  kept: what begins with \(prefix); rehearsal backends clean FILE --prefix \(prefix)")
    }
  }
}
