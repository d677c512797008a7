import Foundation
import Harness

/// The findings of earlier campaigns, made small: each must hold by now.
struct Regressions {
  let folder: String

  /// The files, sorted by name; none when there is no folder.
  var files: [String] {
    // Without the folder there are none.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".yaml") }.sorted().map { "\(folder)/\($0)" }
  }

  /// What a file violates, as lines; nil when nothing.
  static func failure(_ file: String) throws -> String? {
    let scenario = try Folders.load(file)
    return Explorer(scenario).violation(of: scenario).map { violation in
      "  \(file) \(violation.checker)\n"
        + violation.faults.map { "    \($0)" }.joined(separator: "\n")
    }
  }

  /// Plays all; says which fail, and how many.
  func replay() throws -> Int {
    var failures = 0
    for file in files {
      guard let failure = try Self.failure(file) else { continue }
      failures += 1
      print("FAIL \(file)\n\(failure)")
    }
    if !files.isEmpty { print("\(files.count) regressions replayed, \(failures) fail") }
    return failures
  }
}
