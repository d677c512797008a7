/// Why a record isn't an event of this platform.
public struct EventDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The field at fault, or nil when the text isn't a JSON object.
  public var field: String?
  /// What is wrong, with the value seen where there is one.
  public var reason: String

  /// An error at `field`.
  public init(field: String? = nil, reason: String) {
    self.field = field
    self.reason = reason
  }

  /// `field: reason`.
  public var description: String { field.map { "\($0): \(reason)" } ?? reason }
}

/// The events' JSON (REFERENCE §3): a fast codec for the usual text, Foundation's for the rest.
public enum EventCodec {
  /// The canonical text of an event: fields in REFERENCE's order, then `event_id` and
  /// `actor_eligible`; times with microseconds and `Z`.
  public static func encode(_ event: PlatformEvent) -> [UInt8] { CanonicalEvent.encode(event) }

  /// The event that a record's value holds.
  ///
  /// - Parameter fallbackID: the id of a view whose producer sent none: derived from where the
  ///   record stands, so that redelivery gives the same one.
  /// - Throws: ``EventDecodingError`` with the field and the value seen.
  public static func decode(
    _ value: [UInt8], fallbackID: @autoclosure () -> EventID
  ) throws(EventDecodingError) -> PlatformEvent {
    if let event = CanonicalEvent.decode(value) { return event }
    if let event = decodeFast(value, fallbackID: fallbackID) { return event }
    return try decodeSlow(value, fallbackID: fallbackID)
  }

  /// The fast path alone: nil when the text is unusual or wrong.
  static func decodeFast(_ value: [UInt8], fallbackID: () -> EventID) -> PlatformEvent? {
    value.withUnsafeBufferPointer { bytes in
      guard let json = FlatJSON.scan(bytes) else { return nil }
      var reader = FastFields(json: json)
      let event = assemble(&reader, fallbackID: fallbackID)
      return reader.isUsual ? event : nil
    }
  }

  /// The slow path alone.
  static func decodeSlow(
    _ value: [UInt8], fallbackID: () -> EventID
  ) throws(EventDecodingError) -> PlatformEvent {
    var reader = try FoundationFields(value)
    let event = assemble(&reader, fallbackID: fallbackID)
    if let error = reader.error { throw error }
    guard let event else { throw EventDecodingError(reason: "not an event") }
    return event
  }

  /// Reads an event's fields in one place for both paths, so that they can't disagree.
  private static func assemble<Fields: EventFields>(
    _ fields: inout Fields, fallbackID: () -> EventID
  ) -> PlatformEvent? {
    guard let name = fields.requiredString("event_type") else { return nil }
    guard let kind = EventKind(rawValue: name) else {
      fields.reject("event_type", "'\(name)' is none of upload, view, comment, flag")
      return nil
    }
    let time = fields.time(kind == .view ? "viewed_at" : "created_at")
    let actor: UserID? =
      kind == .view ? fields.optionalID("user_id") : fields.requiredID("user_id")
    let eligible = fields.optionalBool("actor_eligible")
    let explicitID: EventID? = fields.optionalID("event_id")
    guard let time, let subject = subject(kind, &fields) else { return nil }
    let id = explicitID ?? naturalID(subject) ?? fallbackID()
    return PlatformEvent(
      id: id, time: time, actor: actor, actorEligible: eligible, subject: subject)
  }

  private static func subject<Fields: EventFields>(
    _ kind: EventKind, _ fields: inout Fields
  ) -> PlatformEvent.Subject? {
    switch kind {
    case .upload:
      guard let image: ImageID = fields.requiredID("image_id") else { return nil }
      return .upload(
        image: image, category: fields.optionalString("category"),
        caption: fields.optionalString("caption"), s3URL: fields.optionalString("s3_url") ?? "")
    case .view:
      guard let image: ImageID = fields.requiredID("image_id") else { return nil }
      return .view(image: image)
    case .comment:
      guard let comment: CommentID = fields.requiredID("comment_id"),
        let image: ImageID = fields.requiredID("image_id"),
        let content = fields.requiredString("content")
      else { return nil }
      return .comment(comment: comment, image: image, content: content)
    case .flag:
      let image: ImageID? = fields.optionalID("image_id")
      let comment: CommentID? = fields.optionalID("comment_id")
      guard let flag: FlagID = fields.requiredID("flag_id"),
        let reason = fields.requiredString("reason")
      else { return nil }
      guard image != nil || comment != nil else {
        fields.reject("image_id", "a flag needs image_id or comment_id")
        return nil
      }
      return .flag(flag: flag, image: image, comment: comment, reason: reason)
    }
  }

  /// What an event without `event_id` is about has an id of its own, except for a view.
  private static func naturalID(_ subject: PlatformEvent.Subject) -> EventID? {
    switch subject {
    case .upload(let image, _, _, _): image.reinterpreted(as: PlatformEvent.self)
    case .comment(let comment, _, _): comment.reinterpreted(as: PlatformEvent.self)
    case .flag(let flag, _, _, _): flag.reinterpreted(as: PlatformEvent.self)
    case .view: nil
    }
  }
}

/// Typed access to the fields of one JSON object; a method that answers nil where a value is
/// demanded has noted why.
protocol EventFields {
  mutating func requiredString(_ name: StaticString) -> String?
  mutating func optionalString(_ name: StaticString) -> String?
  mutating func requiredID<Entity>(_ name: StaticString) -> ID<Entity>?
  mutating func optionalID<Entity>(_ name: StaticString) -> ID<Entity>?
  mutating func optionalBool(_ name: StaticString) -> Bool?
  mutating func time(_ name: StaticString) -> EventTime?
  mutating func reject(_ name: StaticString, _ reason: String)
}

/// Fields of a ``FlatJSON``; whatever isn't as it should be sends the text to the slow path.
private struct FastFields: EventFields {
  let json: FlatJSON
  var isUsual = true

  mutating func requiredString(_ name: StaticString) -> String? {
    guard let field = json.field(name), let text = json.string(field) else {
      isUsual = false
      return nil
    }
    return text
  }

  mutating func optionalString(_ name: StaticString) -> String? {
    guard let field = json.field(name), field.kind != .null else { return nil }
    return requiredString(name)
  }

  mutating func requiredID<Entity>(_ name: StaticString) -> ID<Entity>? {
    guard let field = json.field(name), let raw = json.rawString(field),
      let id = ID<Entity>(utf8: raw)
    else {
      isUsual = false
      return nil
    }
    return id
  }

  mutating func optionalID<Entity>(_ name: StaticString) -> ID<Entity>? {
    guard let field = json.field(name), field.kind != .null else { return nil }
    return requiredID(name)
  }

  mutating func optionalBool(_ name: StaticString) -> Bool? {
    guard let field = json.field(name), field.kind != .null else { return nil }
    guard field.kind == .boolean else {
      isUsual = false
      return nil
    }
    return field.value.count == 4
  }

  mutating func time(_ name: StaticString) -> EventTime? {
    guard let field = json.field(name), let raw = json.rawString(field),
      let time = ISO8601.parse(raw)
    else {
      isUsual = false
      return nil
    }
    return time
  }

  mutating func reject(_ name: StaticString, _ reason: String) { isUsual = false }
}
