import Glibc

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
    var high = fold(trigger.name.utf8, into: image.high)
    var low = fold(trigger.name.utf8.reversed(), into: image.low)
    if trigger == .scoreAt {
      let instant = UInt64(bitPattern: asOf.microseconds)
      high = mix(high ^ instant)
      low = mix(low &+ instant)
    }
    return RequestID(randomBits: high, low)
  }

  /// FNV-1a over the bytes, then a finaliser, so that near names give far ids.
  private static func fold(_ bytes: some Sequence<UInt8>, into seed: UInt64) -> UInt64 {
    var hash = seed ^ 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return mix(hash)
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
    json.field("context", json: Self.context(trigger, count))
    json.field("timestamp", json: Self.unixSeconds(asOf))
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

  /// Reads the parts at their canonical places, writes the request again and compares: whatever
  /// differs in a single byte takes the slow path.
  private static func canonical(_ bytes: UnsafeBufferPointer<UInt8>) -> Self? {
    let idStart = "{\"image_id\":\"".utf8.count
    let nameStart = idStart + 36 + "\",\"trigger\":\"".utf8.count
    let asOfStart = bytes.count - 29
    guard asOfStart > nameStart,
      let image = ImageID(utf8: UnsafeBufferPointer(rebasing: bytes[idStart..<idStart + 36])),
      let nameEnd = bytes[nameStart...].firstIndex(of: UInt8(ascii: "\"")),
      let trigger = Trigger(name: String(decoding: bytes[nameStart..<nameEnd], as: UTF8.self)),
      trigger.asksForScore,
      let asOf = ISO8601.parse(
        UnsafeBufferPointer(rebasing: bytes[asOfStart..<(bytes.count - 2)]))
    else { return nil }
    let digits = bytes[(nameEnd + 1)...].drop { $0 != UInt8(ascii: "{") }
      .drop { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "}") }.dropFirst()
      .prefix { $0 &- 48 < 10 }
    let request = ModerationRequest(
      FiredTrigger(
        image: image, trigger: trigger, asOf: asOf,
        count: Int(String(decoding: digits, as: UTF8.self))))
    let again = request.encoded()
    guard again.count == bytes.count, let base = bytes.baseAddress,
      memcmp(again, base, bytes.count) == 0
    else { return nil }
    return request
  }

  private static func context(_ trigger: Trigger, _ count: Int?) -> [UInt8] {
    guard let count else { return Array("{}".utf8) }
    let name =
      switch trigger {
      case .viral: "views_5min"
      case .suspicious: "comments_1min"
      case .flagged: "flags_5min"
      default: "count"
      }
    return Array("{\"\(name)\":\(count)}".utf8)
  }

  /// Unix seconds with six decimals, exact.
  private static func unixSeconds(_ time: EventTime) -> [UInt8] {
    let (seconds, rest) = time.microseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
    var text: [UInt8] = []
    text.reserveCapacity(24)
    if time.microseconds < 0 { text.append(UInt8(ascii: "-")) }
    text.append(contentsOf: String(seconds).utf8)
    text.append(UInt8(ascii: "."))
    var unit: UInt64 = 100_000
    while unit > 0 {
      text.append(48 + UInt8(rest / unit % 10))
      unit /= 10
    }
    return text
  }
}
