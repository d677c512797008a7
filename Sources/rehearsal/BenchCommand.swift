import ArgumentParser
import Harness

/// `rehearsal bench`.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures the full path and says where the time goes.",
    discussion: """
      Request, store, outbox, log, consumer, features, triggers and score, on one core, with JSON
      encoded and decoded on the way. Build with `-c release` first.

      Examples:
        rehearsal bench
        rehearsal bench --events 100000 --json
      """)

  @Option(help: "How many events.")
  var events = 1_000_000

  @Flag(help: "Prints JSON instead of text.")
  var json = false

  func validate() throws {
    if events < 1000 { throw ValidationError("--events must be at least 1000.") }
  }

  func run() throws {
    do {
      let report = try Benchmark(events: events, clock: { Stopwatch.now }).run()
      print(json ? report.json : report.text)
    } catch {
      throw CommandFailure(error)
    }
  }
}
