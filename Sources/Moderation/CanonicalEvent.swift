/// The canonical text of events: written piece by piece, and read back the same way, field after
/// field, without looking for names. Whatever differs in a byte is left to the general decoder.
enum CanonicalEvent {
  static func encode(_ event: PlatformEvent) -> [UInt8] {
    // Nearly every event fits.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 512) { room in
      var text = TextBuffer(in: room)
      write(event, to: &text)
      return text.bytes
    }
  }

  private static func write(_ event: PlatformEvent, to text: inout TextBuffer) {
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
      var text = CanonicalScanner(bytes: bytes)
      guard text.take("{\"event_type\":\"") else { return nil }
      if text.take("view\",\"image_id\":") { return view(&text) }
      if text.take("comment\",\"comment_id\":") { return comment(&text) }
      if text.take("flag\",\"flag_id\":") { return flag(&text) }
      if text.take("upload\",\"image_id\":") { return upload(&text) }
      return nil
    }
  }

  private static func view(_ text: inout CanonicalScanner) -> PlatformEvent? {
    guard let image: ImageID = text.id(), text.take(",\"viewed_at\":"), let time = text.time()
    else { return nil }
    var actor: UserID?
    if text.take(",\"user_id\":") {
      guard let user: UserID = text.id() else { return nil }
      actor = user
    }
    return finish(&text, time, actor, .view(image: image))
  }

  private static func comment(_ text: inout CanonicalScanner) -> PlatformEvent? {
    guard let comment: CommentID = text.id(), text.take(",\"image_id\":"),
      let image: ImageID = text.id(), text.take(",\"user_id\":"), let actor: UserID = text.id(),
      text.take(",\"content\":"), let content = text.string(), text.take(",\"created_at\":"),
      let time = text.time()
    else { return nil }
    return finish(
      &text, time, actor, .comment(comment: comment, image: image, content: content))
  }

  private static func flag(_ text: inout CanonicalScanner) -> PlatformEvent? {
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

  private static func upload(_ text: inout CanonicalScanner) -> PlatformEvent? {
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
    _ text: inout CanonicalScanner, _ time: EventTime, _ actor: UserID?,
    _ subject: PlatformEvent.Subject
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
}

extension TextBuffer {
  fileprivate mutating func put<Entity>(_ id: ID<Entity>?) {
    guard let id else { return write("null") }
    write("\"")
    write(id)
    write("\"")
  }

  fileprivate mutating func put(_ time: EventTime) {
    write("\"")
    write(time)
    write("\"")
  }

  fileprivate mutating func put(_ text: String?) {
    if let text { writeQuoted(text) } else { write("null") }
  }
}
