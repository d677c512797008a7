/// The canonical text of events: written piece by piece, and read back the same way, field after
/// field, without looking for names. Whatever differs in a byte is left to the general decoder.
enum CanonicalEvent {
  static func encode(_ event: PlatformEvent) -> [UInt8] {
    var text = Writer()
    switch event.subject {
    case .view(let image):
      text.write("{\"event_type\":\"view\",\"image_id\":")
      text.put(image)
      text.write(",\"viewed_at\":")
      text.put(event.time)
      if let actor = event.actor {
        text.write(",\"user_id\":")
        text.put(actor)
      }
    case .comment(let comment, let image, let content):
      text.write("{\"event_type\":\"comment\",\"comment_id\":")
      text.put(comment)
      text.write(",\"image_id\":")
      text.put(image)
      text.write(",\"user_id\":")
      text.put(event.actor)
      text.write(",\"content\":")
      text.put(content)
      text.write(",\"created_at\":")
      text.put(event.time)
    case .flag(let flag, let image, let comment, let reason):
      text.write("{\"event_type\":\"flag\",\"flag_id\":")
      text.put(flag)
      text.write(",\"user_id\":")
      text.put(event.actor)
      text.write(",\"image_id\":")
      text.put(image)
      text.write(",\"comment_id\":")
      text.put(comment)
      text.write(",\"reason\":")
      text.put(reason)
      text.write(",\"created_at\":")
      text.put(event.time)
    case .upload(let image, let category, let caption, let s3URL):
      text.write("{\"event_type\":\"upload\",\"image_id\":")
      text.put(image)
      text.write(",\"user_id\":")
      text.put(event.actor)
      text.write(",\"category\":")
      text.put(category)
      text.write(",\"caption\":")
      text.put(caption)
      text.write(",\"created_at\":")
      text.put(event.time)
      text.write(",\"s3_url\":")
      text.put(s3URL)
    }
    text.write(",\"event_id\":")
    text.put(event.id)
    if let eligible = event.actorEligible {
      text.write(eligible ? ",\"actor_eligible\":true" : ",\"actor_eligible\":false")
    }
    text.write("}")
    return text.bytes
  }

  static func decode(_ value: [UInt8]) -> PlatformEvent? {
    value.withUnsafeBufferPointer { bytes in
      var text = Scanner(bytes: bytes)
      guard text.take("{\"event_type\":\"") else { return nil }
      if text.take("view\",\"image_id\":") { return view(&text) }
      if text.take("comment\",\"comment_id\":") { return comment(&text) }
      if text.take("flag\",\"flag_id\":") { return flag(&text) }
      if text.take("upload\",\"image_id\":") { return upload(&text) }
      return nil
    }
  }

  private static func view(_ text: inout Scanner) -> PlatformEvent? {
    guard let image: ImageID = text.id(), text.take(",\"viewed_at\":"), let time = text.time()
    else { return nil }
    var actor: UserID?
    if text.take(",\"user_id\":") {
      guard let user: UserID = text.id() else { return nil }
      actor = user
    }
    return finish(&text, time, actor, .view(image: image))
  }

  private static func comment(_ text: inout Scanner) -> PlatformEvent? {
    guard let comment: CommentID = text.id(), text.take(",\"image_id\":"),
      let image: ImageID = text.id(), text.take(",\"user_id\":"), let actor: UserID = text.id(),
      text.take(",\"content\":"), let content = text.string(), text.take(",\"created_at\":"),
      let time = text.time()
    else { return nil }
    return finish(
      &text, time, actor, .comment(comment: comment, image: image, content: content))
  }

  private static func flag(_ text: inout Scanner) -> PlatformEvent? {
    guard let flag: FlagID = text.id(), text.take(",\"user_id\":"),
      let actor: UserID = text.id(), text.take(",\"image_id\":")
    else { return nil }
    var image: ImageID?
    if !text.take("null") {
      guard let id: ImageID = text.id() else { return nil }
      image = id
    }
    guard text.take(",\"comment_id\":") else { return nil }
    var comment: CommentID?
    if !text.take("null") {
      guard let id: CommentID = text.id() else { return nil }
      comment = id
    }
    guard image != nil || comment != nil, text.take(",\"reason\":"), let reason = text.string(),
      text.take(",\"created_at\":"), let time = text.time()
    else { return nil }
    return finish(
      &text, time, actor, .flag(flag: flag, image: image, comment: comment, reason: reason))
  }

  private static func upload(_ text: inout Scanner) -> PlatformEvent? {
    guard let image: ImageID = text.id(), text.take(",\"user_id\":"),
      let actor: UserID = text.id(), text.take(",\"category\":"),
      let category = text.optionalString(), text.take(",\"caption\":"),
      let caption = text.optionalString(), text.take(",\"created_at\":"), let time = text.time(),
      text.take(",\"s3_url\":"), let s3URL = text.string()
    else { return nil }
    return finish(
      &text, time, actor,
      .upload(image: image, category: category, caption: caption, s3URL: s3URL))
  }

  private static func finish(
    _ text: inout Scanner, _ time: EventTime, _ actor: UserID?, _ subject: PlatformEvent.Subject
  ) -> PlatformEvent? {
    guard text.take(",\"event_id\":"), let id: EventID = text.id() else { return nil }
    var eligible: Bool?
    if text.take(",\"actor_eligible\":true") {
      eligible = true
    } else if text.take(",\"actor_eligible\":false") {
      eligible = false
    }
    guard text.take("}"), text.isAtEnd else { return nil }
    return PlatformEvent(
      id: id, time: time, actor: actor, actorEligible: eligible, subject: subject)
  }

  /// A position in canonical text; each method consumes what it accepts, whole or not at all.
  private struct Scanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var index = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { index == bytes.count }

    @inline(__always)
    mutating func take(_ literal: StaticString) -> Bool {
      let count = literal.utf8CodeUnitCount
      guard index + count <= bytes.count else { return false }
      let start = literal.utf8Start
      for offset in 0..<count where bytes[index + offset] != start[offset] { return false }
      index += count
      return true
    }

    mutating func id<Entity>() -> ID<Entity>? {
      guard let text = quoted(36), let id = ID<Entity>(utf8: text) else { return nil }
      return id
    }

    mutating func time() -> EventTime? {
      guard let text = quoted(27) else { return nil }
      return ISO8601.parse(text)
    }

    /// A string without escapes; escaped ones are left to the general decoder.
    mutating func string() -> String? {
      guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return nil }
      var end = index + 1
      while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
        guard bytes[end] >= 0x20, bytes[end] != UInt8(ascii: "\\") else { return nil }
        end += 1
      }
      guard end < bytes.count else { return nil }
      let text = String(
        validating: UnsafeBufferPointer(rebasing: bytes[(index + 1)..<end]), as: UTF8.self)
      index = end + 1
      return text
    }

    /// A string or null: the outer optional says whether there was either.
    mutating func optionalString() -> String?? {
      if take("null") { return .some(nil) }
      return string().map { .some($0) }
    }

    private mutating func quoted(_ count: Int) -> UnsafeBufferPointer<UInt8>? {
      let end = index + count + 1
      guard end < bytes.count, bytes[index] == UInt8(ascii: "\""),
        bytes[end] == UInt8(ascii: "\"")
      else { return nil }
      let text = UnsafeBufferPointer(rebasing: bytes[(index + 1)..<end])
      index = end + 1
      return text
    }
  }

  /// Canonical text in the making.
  private struct Writer {
    var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(296) }

    @inline(__always)
    mutating func write(_ literal: StaticString) {
      bytes.append(
        contentsOf: UnsafeBufferPointer(
          start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    mutating func put<Entity>(_ id: ID<Entity>?) {
      guard let id else { return write("null") }
      bytes.append(UInt8(ascii: "\""))
      id.append(to: &bytes)
      bytes.append(UInt8(ascii: "\""))
    }

    mutating func put(_ time: EventTime) {
      bytes.append(UInt8(ascii: "\""))
      ISO8601.append(time, to: &bytes)
      bytes.append(UInt8(ascii: "\""))
    }

    mutating func put(_ text: String?) {
      if let text { JSONWriter.appendString(text, to: &bytes) } else { write("null") }
    }
  }
}
