import Ports
import Synchronization

/// A ``CheckpointStore`` in memory.
///
/// *Fidelity.* Exact; nothing is lost at a restart, as with a database.
public final class InMemoryCheckpointStore: CheckpointStore {
  private let checkpoints = Mutex<[String: Checkpoint]>([:])

  /// An empty store.
  public init() {}

  /// See ``CheckpointStore``, rules 1 and 2.
  public func load(_ name: String) async throws(PortError) -> Checkpoint? {
    checkpoints.withLock { $0[name] }
  }

  /// See ``CheckpointStore``, rule 3.
  public func save(
    _ checkpoint: Checkpoint, as name: String, expecting expected: Checkpoint?
  ) async throws(PortError) {
    let isExpected = checkpoints.withLock { checkpoints in
      guard checkpoints[name] == expected else { return false }
      checkpoints[name] = checkpoint
      return true
    }
    guard isExpected else {
      throw PortError(
        .conflict, port: "CheckpointStore", operation: "save",
        hint: "'\(name)' was changed by another run; load it again")
    }
  }
}
