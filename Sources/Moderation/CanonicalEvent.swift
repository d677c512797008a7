import Glibc

/// The canonical text of events: written piece by piece, and read back the same way, field after
/// field, without looking for names. Whatever differs in a byte is left to the general decoder.
enum CanonicalEvent {
  static func encode(_ event: PlatformEvent) -> [UInt8] {
    // Escapes make six bytes of one; all else of an event is shorter than 512.
    let longest = 512 + 6 * event.subject.freeTextCount
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: longest) { buffer in
      var text = Writer(buffer)
      write(event, to: &text)
      return text.bytes
    }
  }

  private static func write(_ event: PlatformEvent, to text: inout Writer) {
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
      guard index + count <= bytes.count, let base = bytes.baseAddress,
        memcmp(base + index, literal.utf8Start, count) == 0
      else { return false }
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

  /// Canonical text in the making, in a buffer that is large enough for all of it.
  private struct Writer {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private var count = 0

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    /// The text so far, in an array of just its size.
    var bytes: [UInt8] { Array(UnsafeBufferPointer(rebasing: buffer[..<count])) }

    @inline(__always)
    mutating func write(_ literal: StaticString) {
      write(UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    mutating func put<Entity>(_ id: ID<Entity>?) {
      guard let id else { return write("null") }
      write("\"")
      IDText.write(id.high, id.low, to: UnsafeMutableRawPointer(rest(36)))
      count += 36
      write("\"")
    }

    mutating func put(_ time: EventTime) {
      write("\"")
      if ISO8601.write(time, to: UnsafeMutableBufferPointer(start: rest(27), count: 27)) {
        count += 27
      } else {
        write(Array("\(time)".utf8))
      }
      write("\"")
    }

    mutating func put(_ text: String?) {
      guard let text else { return write("null") }
      var bytes: [UInt8] = []
      bytes.reserveCapacity(text.utf8.count + 2)
      JSONWriter.appendString(text, to: &bytes)
      write(bytes)
    }

    @inline(__always)
    private mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
      guard let base = bytes.baseAddress else { return }
      rest(bytes.count).update(from: base, count: bytes.count)
      count += bytes.count
    }

    private mutating func write(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { write($0) } }

    /// Where the next bytes go; room for `needed` of them is checked.
    @inline(__always)
    private func rest(_ needed: Int) -> UnsafeMutablePointer<UInt8> {
      guard let base = buffer.baseAddress, count + needed <= buffer.count else {
        preconditionFailure("an event of \(count + needed) bytes in \(buffer.count)")
      }
      return base + count
    }
  }
}

extension PlatformEvent.Subject {
  /// Bytes of text that a user wrote.
  fileprivate var freeTextCount: Int {
    switch self {
    case .view: 0
    case .comment(_, _, let content): content.utf8.count
    case .flag(_, _, _, let reason): reason.utf8.count
    case .upload(_, let category, let caption, let s3URL):
      (category?.utf8.count ?? 0) + (caption?.utf8.count ?? 0) + s3URL.utf8.count
    }
  }
}
