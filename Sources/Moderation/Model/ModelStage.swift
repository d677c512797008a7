/// Where a model stands.
public enum ModelStage: String, Hashable, Sendable, CaseIterable {
  /// Trained; nobody asks it.
  case candidate
  /// Scores beside what decides.
  case shadow
  /// Decides.
  case deployed
  /// Decided once, or was passed over.
  case retired
}

/// A change of a model's stage: one entry of the registry's journal.
public struct ModelStageChange: Hashable, Sendable {
  /// The model.
  public var version: String
  /// Where it stands from then on.
  public var stage: ModelStage
  /// From when on, by the instants of requests.
  public var effectiveAt: EventTime
  /// What it was trained on, as `TABLE@SNAPSHOT`; candidates have it.
  public var source: String?

  /// A change.
  public init(
    version: String, stage: ModelStage, effectiveAt: EventTime, source: String? = nil
  ) {
    self.version = version
    self.stage = stage
    self.effectiveAt = effectiveAt
    self.source = source
  }

  /// The entry's JSON.
  public var json: [UInt8] {
    var json = JSONWriter()
    json.field("version", version)
    json.field("stage", stage.rawValue)
    json.field("effective_at", effectiveAt)
    json.field("source", source)
    return json.finish()
  }

  /// Reads an entry.
  ///
  /// - Throws: ``ModelFormatError`` that names the field at fault.
  public init(json: [UInt8]) throws(ModelFormatError) {
    guard case .object(let fields) = try JSONTree(json) else {
      throw ModelFormatError(place: "text", reason: "isn't an object")
    }
    func text(_ name: String) throws(ModelFormatError) -> String {
      guard case .string(let text)? = fields.first(where: { $0.name == name })?.value else {
        throw ModelFormatError(place: name, reason: "is missing, or isn't a string")
      }
      return text
    }
    version = try text("version")
    guard let stage = ModelStage(rawValue: try text("stage")) else {
      throw ModelFormatError(place: "stage", reason: "'\(try text("stage"))' isn't a stage")
    }
    self.stage = stage
    guard let instant = ISO8601.parse(try text("effective_at")) else {
      throw ModelFormatError(place: "effective_at", reason: "isn't an instant")
    }
    effectiveAt = instant
    if case .string(let source)? = fields.first(where: { $0.name == "source" })?.value {
      self.source = source
    }
  }
}

/// All changes of models' stages, in order.
public struct ModelJournal: Hashable, Sendable {
  /// The changes; change number N is at N − 1.
  public var changes: [ModelStageChange]

  /// A journal.
  public init(_ changes: [ModelStageChange] = []) { self.changes = changes }

  /// The models in the order in which they were trained.
  public var versions: [String] { changes.filter { $0.stage == .candidate }.map(\.version) }

  /// The model that stands at a stage at an instant, ``ModelStage/deployed`` or
  /// ``ModelStage/shadow``: the last one that was moved there and not away again.
  public func version(_ stage: ModelStage, at instant: EventTime) -> String? {
    var current: String?
    for change in changes where change.effectiveAt <= instant {
      if change.stage == stage {
        current = change.version
      } else if current == change.version {
        current = nil
      }
    }
    return current
  }

  /// A rollback's goal: the model that was deployed before the last one that was deployed for the
  /// first time. So a rollback that is asked for again, as after a lost reply, changes nothing.
  public var previous: String? {
    let deployed = changes.filter { $0.stage == .deployed }.map(\.version)
    let first = deployed.indices.last { !deployed[..<$0].contains(deployed[$0]) }
    guard let first, first > 0 else { return nil }
    return deployed[first - 1]
  }

  /// Where a model stands at last; nil when there is none of this version.
  public func stage(of version: String) -> ModelStage? {
    guard let last = changes.last(where: { $0.version == version }) else { return nil }
    switch last.stage {
    case .candidate, .retired: return last.stage
    case .shadow, .deployed:
      // The next one at the stage retires it.
      return self.version(last.stage, at: EventTime(microseconds: .max)) == version
        ? last.stage : .retired
    }
  }
}
