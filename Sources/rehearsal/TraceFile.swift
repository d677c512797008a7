import Foundation
import Synchronization

/// `trace.jsonl` of a run's folder: written while it runs, and what went wrong is said at its end.
final class TraceFile: Sendable {
  private struct State {
    var handle: FileHandle
    var failure: (any Error)?
  }

  private static let cure = "give --out another folder"

  private let path: String
  private let state: Mutex<State>

  /// An empty file at `path`.
  init(_ path: String) throws {
    self.path = path
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    do {
      state = Mutex(State(handle: try FileHandle(forWritingTo: URL(fileURLWithPath: path))))
    } catch {
      throw CommandFailure(path, "written", error, cure: Self.cure)
    }
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
        throw CommandFailure(path, "written", failure, cure: Self.cure)
      }
      try state.handle.close()
    }
  }
}
