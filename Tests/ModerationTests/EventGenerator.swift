import Testing

@testable import Moderation

/// Events of every kind, with the texts and instants that break codecs.
struct EventGenerator {
  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  private static let fragments = [
    "Ramen", " ", "soup of the day", "\"quoted\"", "\"", "\\", "\\\\", "\\n", "\\u0041", "\n",
    "\r\n", "\t", "\u{8}", "\u{c}", "\0", "\u{1f}", "\u{7f}", "/", "</b>", "{", "}", "[1,2]", ":",
    ",", "'",
    "é", "e\u{301}", "ß", "日本", "\u{2028}", "\u{fffd}", "\u{ffff}", "🍜", "👩‍🍳",
    "🇮🇳", "\u{10ffff}", "null", "true", "0",
  ]

  /// A text of up to eight fragments, often empty.
  mutating func text() -> String {
    (0..<Int.random(in: 0...8, using: &random)).map { _ in fragment() }.joined()
  }

  mutating func optionalText() -> String? { random.once(in: 4) ? nil : text() }

  /// An instant of 1900 to 2100; every third one lies on a whole second.
  mutating func time() -> EventTime {
    let range = EventTime.utc(1900, 1, 1).microseconds...EventTime.utc(2100, 1, 1).microseconds
    let microseconds = Int64.random(in: range, using: &random)
    return EventTime(
      microseconds: random.once(in: 3) ? microseconds / 1_000_000 * 1_000_000 : microseconds)
  }

  mutating func event(_ kind: EventKind) -> PlatformEvent {
    let isAnonymous = kind == .view && random.once(in: 2)
    let actor: UserID? = isAnonymous ? nil : random.id()
    let eligible: Bool? = random.once(in: 3) ? nil : random.once(in: 2)
    return PlatformEvent(
      id: random.id(), time: time(), actor: actor, actorEligible: eligible, subject: subject(kind))
  }

  /// `count` events, the kinds in turn.
  mutating func events(_ count: Int) -> [PlatformEvent] {
    (0..<count).map { event(EventKind.allCases[$0 % EventKind.allCases.count]) }
  }

  private mutating func subject(_ kind: EventKind) -> PlatformEvent.Subject {
    switch kind {
    case .upload:
      return .upload(
        image: random.id(), category: optionalText(), caption: optionalText(), s3URL: text())
    case .view:
      return .view(image: random.id())
    case .comment:
      return .comment(comment: random.id(), image: random.id(), content: text())
    case .flag:
      let target = Int.random(in: 0..<3, using: &random)
      let image: ImageID? = target == 0 ? nil : random.id()
      let comment: CommentID? = target == 1 ? nil : random.id()
      return .flag(flag: random.id(), image: image, comment: comment, reason: text())
    }
  }

  private mutating func fragment() -> String {
    Self.fragments[Int.random(in: 0..<Self.fragments.count, using: &random)]
  }
}

/// An event's text as a Python producer writes it: `json.dumps` with its defaults over
/// `datetime.isoformat()`, without the fields that are ours.
struct PythonText {
  /// What stands behind the time: nothing, `+00:00` or `Z`.
  var zone: String

  func encode(_ event: PlatformEvent) -> [UInt8] {
    let kind = ("event_type", quoted(event.kind.rawValue))
    return object([kind] + fields(event))
  }

  private func fields(_ event: PlatformEvent) -> [(String, String)] {
    switch event.subject {
    case .upload(let image, let category, let caption, let s3URL):
      [
        ("image_id", quoted(image)), ("user_id", quoted(event.actor)),
        ("category", quoted(category)), ("caption", quoted(caption)),
        ("created_at", time(event.time)), ("s3_url", quoted(s3URL)),
      ]
    case .view(let image):
      [("image_id", quoted(image)), ("viewed_at", time(event.time))]
    case .comment(let comment, let image, let content):
      [
        ("comment_id", quoted(comment)), ("image_id", quoted(image)),
        ("user_id", quoted(event.actor)), ("content", quoted(content)),
        ("created_at", time(event.time)),
      ]
    case .flag(let flag, let image, let comment, let reason):
      [
        ("flag_id", quoted(flag)), ("user_id", quoted(event.actor)), ("image_id", quoted(image)),
        ("comment_id", quoted(comment)), ("reason", quoted(reason)),
        ("created_at", time(event.time)),
      ]
    }
  }

  private func object(_ fields: [(String, String)]) -> [UInt8] {
    let body = fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ")
    return Array("{\(body)}".utf8)
  }

  private func time(_ time: EventTime) -> String {
    var text = ISO8601.string(time).dropLast()
    if text.hasSuffix(".000000") { text = text.dropLast(7) }
    return quoted(text + zone)
  }

  private func quoted(_ value: (any CustomStringConvertible)?) -> String {
    guard let value else { return "null" }
    return "\"\(value.description.utf16.map(escaped).joined())\""
  }

  private func escaped(_ unit: UInt16) -> String {
    switch unit {
    case 0x22: "\\\""
    case 0x5c: "\\\\"
    case 0x0a: "\\n"
    case 0x0d: "\\r"
    case 0x09: "\\t"
    case 0x08: "\\b"
    case 0x0c: "\\f"
    case 0x20...0x7e: String(UnicodeScalar(UInt8(unit)))
    default: "\\u" + hex4(unit)
    }
  }

  private func hex4(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}

/// What each path of the codec makes of a text.
struct CodecPaths {
  static let fallbackID = EventID(high: 0xfa11, low: 0xbac4)

  var fast: PlatformEvent?
  var slow: Result<PlatformEvent, EventDecodingError>

  init(_ text: [UInt8]) {
    fast = EventCodec.decodeFast(text) { Self.fallbackID }
    do throws(EventDecodingError) {
      slow = .success(try EventCodec.decodeSlow(text) { Self.fallbackID })
    } catch {
      slow = .failure(error)
    }
  }

  init(_ text: String) { self.init(Array(text.utf8)) }

  var slowEvent: PlatformEvent? { try? slow.get() }

  /// Whether both paths gave `event`, byte for byte: `==` alone takes é for e + combining accent.
  func bothGive(_ event: PlatformEvent) -> Bool {
    [fast, slowEvent].allSatisfy {
      $0 == event && $0.map(EventCodec.encode) == EventCodec.encode(event)
    }
  }

  /// The fast path declines what it likes, but what it accepts is what the slow path says.
  var agree: Bool {
    guard let fast else { return true }
    return slowEvent.map(EventCodec.encode) == EventCodec.encode(fast)
  }
}

/// Bytes that a failure shows as printable ASCII, and every other byte as `<hex>`.
struct RawText: Sendable, CustomTestStringConvertible {
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// `text`, with `tilde` for each `~`: the way to a byte that no string can hold.
  init(_ text: String, tilde: UInt8 = UInt8(ascii: "~")) {
    bytes = text.utf8.map { $0 == UInt8(ascii: "~") ? tilde : $0 }
  }

  var testDescription: String {
    bytes.map { byte in
      (0x20..<0x7f).contains(byte)
        ? String(UnicodeScalar(byte)) : "<\(String(byte, radix: 16))>"
    }.joined()
  }
}
