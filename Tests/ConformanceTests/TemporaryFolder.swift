import Foundation
import Synchronization
import Testing

/// A folder of one test, made when it is first asked for and removed with all that is in it.
final class TemporaryFolder: Sendable {
  private let made = Mutex<String?>(nil)
  private let endings = Mutex<[@Sendable () -> Void]>([])

  /// Calls a body after the test: what a server keeps for it is removed so.
  func atEnd(_ body: @escaping @Sendable () -> Void) { endings.withLock { $0.append(body) } }

  /// The folder's path.
  var path: String {
    get throws {
      try made.withLock { made in
        if let made { return made }
        var template = Array("\(NSTemporaryDirectory())conformance-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil, "no temporary folder: errno \(errno)")
        let bytes = template.dropLast().map { UInt8(bitPattern: $0) }
        let path = String(decoding: bytes, as: UTF8.self)
        made = path
        return path
      }
    }
  }

  /// Removes the folder, if it was made, and what else is left of the test.
  deinit {
    for ending in endings.withLock({ $0 }).reversed() { ending() }
    if let path = made.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) }
  }

  /// The path of a file in the folder.
  func file(_ name: String) throws -> String { try path + "/" + name }
}
