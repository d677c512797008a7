import Foundation
import Synchronization

/// The servers that tests may use, as `ci/services.sh` sets them in the environment.
enum LiveServices {
  /// A variable such as `REHEARSAL_POSTGRES`; nil when it isn't set or empty.
  static func variable(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Files for TLS: who signed the servers' certificates, and a certificate that signed none.
  static let tls: (authority: String, stranger: String)? = variable("REHEARSAL_AUTHORITY").map {
    ($0, URL(filePath: $0).deletingLastPathComponent().appending(path: "server.pem").path)
  }

  private static let made = Mutex(0)

  /// A prefix that no other test has, of lower-case letters, digits and `_`: it keeps apart what
  /// tests leave on one server.
  static func freshPrefix() -> String {
    let number = made.withLock {
      $0 += 1
      return $0
    }
    return "t\(ProcessInfo.processInfo.processIdentifier)_\(number)_"
  }
}
