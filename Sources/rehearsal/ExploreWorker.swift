import Foundation
import Harness

/// A process that plays seeds; a trap there is a finding here.
final class ExploreWorker {
  private let file: String
  private var process: Process?
  private var input = Pipe()
  private var output = Pipe()
  private var buffer = Data()

  init(file: String) throws {
    self.file = file
    // A worker that died must not end the campaign when it is written to.
    signal(SIGPIPE, SIG_IGN)
    try start()
  }

  private func start() throws {
    (input, output, buffer) = (Pipe(), Pipe(), Data())
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["explore", file, "--worker"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    self.process = process
  }

  /// Plays seeds one after the other.
  func play(_ seeds: [UInt64], _ note: (SeedReport) throws -> Void) throws {
    let decoder = JSONDecoder()
    for seed in seeds {
      try input.fileHandleForWriting.write(contentsOf: Data("\(seed)\n".utf8))
      if let line = nextLine() {
        try note(decoder.decode(SeedReport.self, from: line))
      } else {
        process?.waitUntilExit()
        let status = process?.terminationStatus ?? -1
        try note(
          SeedReport(
            seed: seed,
            violation: Violation(
              checker: "crash", faults: ["the process ended with status \(status)"])))
        try start()
      }
    }
  }

  /// The next line of the worker; nil when it is gone.
  private func nextLine() -> Data? {
    while true {
      if let end = buffer.firstIndex(of: 10) {
        let line = buffer[buffer.startIndex..<end]
        buffer = Data(buffer[buffer.index(after: end)...])
        return Data(line)
      }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { return nil }
      buffer.append(more)
    }
  }

  /// Lets the worker go.
  func end() {
    // It is gone already when this fails.
    try? input.fileHandleForWriting.close()
    process?.waitUntilExit()
  }
}
