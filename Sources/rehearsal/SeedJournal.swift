import Foundation
import Harness
import Simulation
import Synchronization

/// The seeds that were played, on disk: a line each, there as soon as it is known.
///
/// The first line says of which program and scenario they are; of another they are worth nothing,
/// and the journal starts anew.
final class SeedJournal: Sendable {
  private let handle: FileHandle
  private let reports: Mutex<[UInt64: SeedReport]>

  init(folder: String, _ base: Scenario) throws {
    let path = "\(folder)/\(base.name).jsonl"
    let head = "{\"of\":\"\(try Self.identity(base))\"}"
    var known: [UInt64: SeedReport] = [:]
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let lines = (FileManager.default.contents(atPath: path) ?? Data()).split(separator: 10)
      if let first = lines.first, String(decoding: first, as: UTF8.self) == head {
        let decoder = JSONDecoder()
        for line in lines.dropFirst() {
          // The last line may be cut, where a campaign was ended: that seed is played again.
          guard let report = try? decoder.decode(SeedReport.self, from: line) else { continue }
          known[report.seed] = report
        }
      }
      var text = head + "\n"
      let encoder = JSONEncoder()
      for report in known.values.sorted(by: { $0.seed < $1.seed }) {
        text += String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
      }
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
      handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try handle.seekToEnd()
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: '\(path)' can't be written: \(error)")
    }
    reports = Mutex(known)
  }

  /// Keeps a report.
  func add(_ report: SeedReport) throws {
    let line = try JSONEncoder().encode(report) + Data("\n".utf8)
    try reports.withLock { reports in
      try handle.write(contentsOf: line)
      reports[report.seed] = report
    }
  }

  /// Whether a seed wasn't played yet.
  func isOpen(_ seed: UInt64) -> Bool { report(seed) == nil }

  /// What a seed came to, when it was played.
  func report(_ seed: UInt64) -> SeedReport? { reports.withLock { $0[seed] } }

  /// The program's file and the scenario.
  private static func identity(_ base: Scenario) throws -> String {
    var fingerprint = Fingerprint()
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    let attributes = try FileManager.default.attributesOfItem(atPath: program)
    let date = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    fingerprint.fold(Array("\(date) \(attributes[.size] ?? 0)".utf8))
    fingerprint.fold(Array(base.yaml().utf8))
    return fingerprint.description
  }
}
