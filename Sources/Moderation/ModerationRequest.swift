/// The id of a request for a score.
public typealias RequestID = ID<ModerationRequest>

/// A request for a score, as `gourmetgram.moderation_requests` carries it (REFERENCE §3).
public struct ModerationRequest: Hashable, Sendable {
  /// Made from image, trigger and instant, so that a republished request is the same request.
  public var id: RequestID
  /// The image to score.
  public var image: ImageID
  /// Why.
  public var trigger: Trigger
  /// The instant that the score is about.
  public var asOf: EventTime
  /// The count that crossed the threshold, if one did.
  public var count: Int?

  /// The request that a fired trigger makes.
  public init(_ fired: FiredTrigger) {
    image = fired.image
    trigger = fired.trigger
    asOf = fired.asOf
    count = fired.count
    id = Self.id(image: fired.image, trigger: fired.trigger, asOf: fired.asOf)
  }

  /// A trigger fires once per image, so image and trigger make the id; a score asked for by hand
  /// may come many times, and its instant counts too.
  public static func id(image: ImageID, trigger: Trigger, asOf: EventTime) -> RequestID {
    var (high, low) = fold(trigger.name, into: image)
    if trigger == .scoreAt {
      let instant = UInt64(bitPattern: asOf.microseconds)
      high = mix(high ^ instant)
      low = mix(low &+ instant)
    }
    return RequestID(randomBits: high, low)
  }

  /// FNV-1a over the bytes, forwards and backwards, then a finaliser, so that near names give far
  /// ids.
  private static func fold(_ name: String, into image: ImageID) -> (high: UInt64, low: UInt64) {
    var name = name
    var (high, low) = (image.high ^ 0xcbf2_9ce4_8422_2325, image.low ^ 0xcbf2_9ce4_8422_2325)
    name.withUTF8 { bytes in
      for place in bytes.indices {
        high = (high ^ UInt64(bytes[place])) &* 0x100_0000_01b3
        low = (low ^ UInt64(bytes[bytes.count - 1 - place])) &* 0x100_0000_01b3
      }
    }
    return (mix(high), mix(low))
  }

  /// SplitMix64's finaliser.
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// The request's JSON: the lab's fields, then `request_id` and `as_of`.
  public func encoded() -> [UInt8] {
    var json = JSONWriter(capacity: 256)
    json.field("image_id", image)
    json.field("trigger", trigger.name)
    json.field("context", json: Self.context(trigger, count).utf8)
    json.field("timestamp", unixSeconds: asOf)
    json.field("request_id", id)
    json.field("as_of", asOf)
    return json.finish()
  }

  /// The request that a record's value holds.
  public static func decode(_ value: [UInt8]) throws(EventDecodingError) -> Self {
    var fields = try FoundationFields(value)
    let image: ImageID? = fields.requiredID("image_id")
    let name = fields.requiredString("trigger")
    let asOf = fields.time("as_of")
    if let error = fields.error { throw error }
    guard let image, let name, let asOf else {
      throw EventDecodingError(reason: "not a moderation request")
    }
    guard let trigger = Trigger(name: name), trigger.asksForScore else {
      throw EventDecodingError(field: "trigger", reason: "'\(name)' asks for no score")
    }
    return ModerationRequest(
      FiredTrigger(image: image, trigger: trigger, asOf: asOf, count: fields.count(in: "context")))
  }

  /// Decodes a request in canonical form without Foundation; falls back on ``decode(_:)``.
  public static func decodeFast(_ value: [UInt8]) throws(EventDecodingError) -> Self {
    if let request = value.withUnsafeBufferPointer({ canonical($0) }) { return request }
    return try decode(value)
  }

  /// The id at its canonical place in a request that isn't decoded; nil when none stands there.
  public static func id(in value: [UInt8]) -> RequestID? {
    let end = value.count - "\",\"as_of\":\"2026-01-05T09:00:00.000000Z\"}".utf8.count
    guard end >= 36 else { return nil }
    return value.withUnsafeBufferPointer {
      RequestID(utf8: UnsafeBufferPointer(rebasing: $0[(end - 36)..<end]))
    }
  }

  private static func canonical(_ bytes: UnsafeBufferPointer<UInt8>) -> Self? {
    var text = CanonicalScanner(bytes: bytes)
    guard text.take("{\"image_id\":"), let image: ImageID = text.id(),
      text.take(",\"trigger\":"), let name = text.string(), let trigger = Trigger(name: name),
      trigger.asksForScore, text.take(",\"context\":{")
    else { return nil }
    var count: Int?
    if !text.take("}") {
      guard takeCountName(trigger, &text), let value = text.wholeNumber(), text.take("}")
      else { return nil }
      count = value
    }
    guard text.take(",\"timestamp\":"), text.wholeNumber() != nil, text.take("."),
      text.digits() != nil, text.take(",\"request_id\":"), let id: RequestID = text.id(),
      text.take(",\"as_of\":"), let asOf = text.time(), text.take("}"), text.isAtEnd
    else { return nil }
    let request = ModerationRequest(
      FiredTrigger(image: image, trigger: trigger, asOf: asOf, count: count))
    return request.id == id ? request : nil
  }

  private static func takeCountName(_ trigger: Trigger, _ text: inout CanonicalScanner) -> Bool {
    switch trigger {
    case .viral: text.take("\"views_5min\":")
    case .suspicious: text.take("\"comments_1min\":")
    case .flagged: text.take("\"flags_5min\":")
    default: text.take("\"count\":")
    }
  }

  private static func context(_ trigger: Trigger, _ count: Int?) -> String {
    guard let count else { return "{}" }
    let name =
      switch trigger {
      case .viral: "views_5min"
      case .suspicious: "comments_1min"
      case .flagged: "flags_5min"
      default: "count"
      }
    return "{\"\(name)\":\(count)}"
  }
}
