import Foundation
import Synchronization

/// `trace.jsonl` of a run's folder: written while it runs, and what went wrong is said at its end.
final class TraceFile: Sendable {
  private struct State {
    var handle: FileHandle
    var failure: (any Error)?
  }

  private let path: String
  private let state: Mutex<State>

  /// An empty file at `path`.
  init(_ path: String) throws {
    self.path = path
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    guard let handle = FileHandle(forWritingAtPath: path) else {
      throw CommandFailure(code: 2, message: "rehearsal: '\(path)' can't be written")
    }
    state = Mutex(State(handle: handle))
  }

  /// Appends bytes; after an error nothing more.
  func write(_ bytes: [UInt8]) {
    state.withLock { state in
      guard state.failure == nil else { return }
      do {
        try state.handle.write(contentsOf: Data(bytes))
      } catch {
        state.failure = error
      }
    }
  }

  /// Closes the file; throws what kept it from being whole.
  func close() throws {
    try state.withLock { state in
      if let failure = state.failure {
        throw CommandFailure(
          code: 2,
          message: "rehearsal: '\(path)' can't be written: \(Self.reason(failure)); give --out a "
            + "folder with room")
      }
      try state.handle.close()
    }
  }

  /// The system's reason, which Foundation hides behind a number of its own.
  private static func reason(_ failure: any Error) -> String {
    guard let system = (failure as NSError).userInfo[NSUnderlyingErrorKey] as? NSError else {
      return failure.localizedDescription
    }
    return String(cString: strerror(Int32(system.code)))
  }
}
