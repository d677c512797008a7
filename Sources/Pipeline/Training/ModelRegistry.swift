import Moderation
import Ports

/// Models by version with their stages, over an object store.
///
/// A journal decides: `models/journal/000001.json` and so on, one change each, written if absent,
/// so of two that would make the same change number one wins and the other sees it. Nothing is ever
/// rewritten; who was deployed when can be asked for any instant. Artifacts lie under
/// `models/VERSION/` before the journal names them.
public struct ModelRegistry: Sendable {
  private let objects: any ObjectStore

  /// A registry over a store.
  public init(_ objects: any ObjectStore) { self.objects = objects }

  private static let root = "models"
  private static let journalPrefix = "\(root)/journal/"

  private static func key(_ number: Int) -> String {
    let digits = "\(number)"
    return journalPrefix + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
      + ".json"
  }

  private static func key(_ version: String, _ file: String) -> String {
    "\(root)/\(version)/\(file)"
  }

  /// The journal as it is now; `known` spares reading again what was read.
  public func journal(known: ModelJournal = ModelJournal()) async throws(PortError) -> ModelJournal
  {
    var journal = known
    let keys = try await objects.list(prefix: Self.journalPrefix)
    for key in keys.dropFirst(journal.changes.count) {
      let number = journal.changes.count + 1
      guard key == Self.key(number) else {
        throw Self.corrupt(key, "isn't change \(number), which is missing")
      }
      let bytes = try await objects.get(key)
      do throws(ModelFormatError) {
        journal.changes.append(try ModelStageChange(json: bytes))
      } catch {
        throw Self.corrupt(key, error.description)
      }
    }
    return journal
  }

  /// Adds a trained model as a candidate, and gives its version. The same artifacts again are the
  /// same version.
  public func register(
    _ artifacts: [(file: String, bytes: [UInt8])], source: String, at instant: EventTime
  ) async throws(PortError) -> String {
    while true {
      let journal = try await journal()
      var number = 1
      // A version whose artifacts are other ones is somebody else's, in the journal or not yet.
      while try await !keep(artifacts, as: "v\(number)") { number += 1 }
      let version = "v\(number)"
      if journal.versions.contains(version) { return version }
      let change = ModelStageChange(
        version: version, stage: .candidate, effectiveAt: instant, source: source)
      if try await append(change, to: journal) { return version }
    }
  }

  /// Moves a model to a stage from an instant on.
  ///
  /// - Throws: `notFound` when there is no model of this version.
  public func move(
    _ version: String, to stage: ModelStage, effectiveAt instant: EventTime
  ) async throws(PortError) {
    while true {
      let journal = try await journal()
      guard let current = journal.stage(of: version) else {
        throw PortError(
          .notFound, port: "ModelRegistry", operation: "move",
          hint: "there is no model \(version); there are: "
            + (journal.versions.isEmpty ? "none" : journal.versions.joined(separator: ", ")))
      }
      // A change that was made already, whose reply was lost.
      if current == stage { return }
      let change = ModelStageChange(version: version, stage: stage, effectiveAt: instant)
      if try await append(change, to: journal) { return }
    }
  }

  /// A model's artifact.
  public func artifact(
    _ file: String, of version: String
  ) async throws(PortError) -> [UInt8] {
    try await objects.get(Self.key(version, file))
  }

  /// The model itself; `corrupt` says what is wrong with its file.
  public func model(_ version: String) async throws(PortError) -> LearnedModel {
    let bytes = try await artifact(Self.modelFile, of: version)
    do throws(ModelFormatError) {
      return try LearnedModel(json: bytes)
    } catch {
      throw Self.corrupt(Self.key(version, Self.modelFile), error.description)
    }
  }

  /// The artifact that scores.
  public static let modelFile = "model.json"
  /// The artifact that says what it was made of.
  public static let metadataFile = "metadata.json"

  /// Stores artifacts unless others stand there; whether they are these.
  private func keep(
    _ artifacts: [(file: String, bytes: [UInt8])], as version: String
  ) async throws(PortError) -> Bool {
    for artifact in artifacts {
      let key = Self.key(version, artifact.file)
      if try await objects.putIfAbsent(key, artifact.bytes) { continue }
      guard try await objects.get(key) == artifact.bytes else { return false }
    }
    return true
  }

  /// Writes the next change; false when somebody else's is there.
  private func append(
    _ change: ModelStageChange, to journal: ModelJournal
  ) async throws(PortError) -> Bool {
    let key = Self.key(journal.changes.count + 1)
    if try await objects.putIfAbsent(key, change.json) { return true }
    return try await objects.get(key) == change.json
  }

  private static func corrupt(_ key: String, _ reason: String) -> PortError {
    PortError(
      .corrupt, port: "ModelRegistry", operation: "read",
      hint: "\(key) \(reason); restore it, or remove the registry's folder and train again")
  }
}
