import Moderation
import Ports

// What every request goes through is inlined: called, each step would be a frame of its own.
extension Intake {
  /// The instant of a request: when it happened, which can't be in the future.
  func time(of identity: RequestIdentity) throws(IntakeError) -> EventTime {
    let now = environment.now.asEventTime
    guard let occurredAt = identity.occurredAt else { return now }
    guard occurredAt <= now else {
      throw IntakeError(
        status: 422, field: "occurred_at", reason: "\(occurredAt) is in the future; it is \(now)")
    }
    return occurredAt
  }

  /// The row's id: made from the client's key, or fresh.
  func newID<Entity>(_ identity: RequestIdentity, _ label: StaticString) -> ID<Entity> {
    identity.key?.reinterpreted(as: Entity.self) ?? environment.ids.make(label: label)
  }

  @inline(__always)
  func requireUser(_ id: UserID) async throws(IntakeError) -> User {
    guard case .user(let user)? = try await fetch([.user(id)])[0] else {
      throw Self.unknown("user_id", id)
    }
    return user
  }

  /// Whether the actor of a request about an image is eligible; nil without an actor. The image
  /// must be there to be seen.
  @inline(__always)
  func requireActor(
    _ actor: UserID?, seeing id: ImageID, at time: EventTime
  ) async throws(IntakeError) -> Bool? {
    let rows: [Row?]
    do throws(PortError) {
      rows = try await store.fetch(
        actor.map { [.visibleImage(id), .user($0)] } ?? [.visibleImage(id)])
    } catch {
      throw IntakeError(error)
    }
    guard rows[0] != nil else { throw Self.unknown("image_id", id) }
    guard let actor else { return nil }
    guard case .user(let user)? = rows[1] else { throw Self.unknown("user_id", actor) }
    return policy.governance.isEligible(user, at: time)
  }

  func requireTargets(
    image: ImageID?, comment: CommentID?, at time: EventTime
  ) async throws(IntakeError) {
    if let image { _ = try await requireActor(nil, seeing: image, at: time) }
    guard let comment else { return }
    guard case .comment(let row)? = try await fetch([.comment(comment)])[0], row.deletedAt == nil
    else { throw Self.unknown("comment_id", comment) }
  }

  /// One transaction of a row and, if the API publishes, its event.
  @inline(__always)
  func commit(
    _ mutation: Mutation, _ event: PlatformEvent? = nil
  ) async throws(IntakeError) -> [MutationOutcome] {
    let message = policy.publication == .none ? nil : event.map(OutboxEvent.init)
    let outcomes: [MutationOutcome]
    do throws(PortError) {
      outcomes =
        if policy.publication == .outbox, let message {
          try await store.commit([mutation, .enqueue(message)])
        } else {
          try await store.commit([mutation])
        }
    } catch {
      throw IntakeError(error)
    }
    if policy.publication == .direct, let message { await publish(message) }
    return outcomes
  }

  /// The lab's way: nobody waits for the publication, and nobody learns that it failed.
  private func publish(_ message: OutboxEvent) async {
    do throws(PortError) {
      _ = try await log.append([ProducerRecord(message)])
    } catch {
      environment.record("event-lost", [.text("error", error.description)])
    }
  }

  @inline(__always)
  func fetch(_ keys: [RowKey]) async throws(IntakeError) -> [Row?] {
    do throws(PortError) {
      return try await store.fetch(keys)
    } catch {
      throw IntakeError(error)
    }
  }

  private static func unknown<Entity>(_ field: String, _ id: ID<Entity>) -> IntakeError {
    IntakeError(status: 404, field: field, reason: "there is no row \(id)")
  }
}

extension IntakeError {
  /// A port's error as an answer that a client understands.
  init(_ error: PortError) {
    switch error.code {
    case .notFound, .missingReference: self.init(status: 404, reason: error.hint)
    case .invalid: self.init(status: 422, reason: error.hint)
    default: self.init(status: 503, reason: error.description)
    }
  }
}

extension OutboxEvent {
  /// The message of an event.
  fileprivate init(_ event: PlatformEvent) {
    self.init(
      TopicName(event.kind), key: event.image, value: EventCodec.encode(event), time: event.time)
  }
}

extension ProducerRecord {
  /// The record of an event from a transaction.
  init(_ event: OutboxEvent) {
    self.init(
      event.name, recordKey: event.key.map { RecordKey($0) }, value: event.value,
      timestamp: event.time)
  }
}

/// The API's rules about fields; each error names the field and the value seen.
enum Validation {
  static func check(
    _ field: String, _ value: String, _ range: ClosedRange<Int>
  ) throws(IntakeError) {
    // The byte count bounds the character count and is known at once.
    if value.utf8.count <= range.upperBound && value.utf8.count >= max(range.lowerBound, 1) {
      return
    }
    guard range.contains(value.count) else {
      throw IntakeError(
        status: 422, field: field,
        reason:
          "must have \(range.lowerBound) to \(range.upperBound) characters, not \(value.count)")
    }
  }

  static func check(_ new: NewUser, today: CivilDate) throws(IntakeError) {
    try check("username", new.username, 1...64)
    guard new.tosVersionAccepted >= 1 else {
      throw IntakeError(
        status: 422, field: "tos_version_accepted",
        reason: "must be at least 1, not \(new.tosVersionAccepted)")
    }
    if let country = new.countryOfResidence {
      let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
      guard country.utf8.count == 2, country.utf8.allSatisfy(letters.contains) else {
        throw IntakeError(
          status: 422, field: "country_of_residence",
          reason: "must be two capital letters, not '\(country)'")
      }
    }
    try check(yearOfBirth: new.yearOfBirth, dateOfBirth: new.dateOfBirth, today: today)
  }

  static func check(
    yearOfBirth: Int?, dateOfBirth: CivilDate?, today: CivilDate
  ) throws(IntakeError) {
    if let year = yearOfBirth, !(1900...today.year).contains(year) {
      throw IntakeError(
        status: 422, field: "year_of_birth", reason: "must be 1900 to \(today.year), not \(year)")
    }
    if let date = dateOfBirth, date > today || date.year < 1900 {
      throw IntakeError(
        status: 422, field: "date_of_birth", reason: "must lie between 1900 and today")
    }
    if let date = dateOfBirth, let year = yearOfBirth, date.year != year {
      throw IntakeError(
        status: 422, field: "year_of_birth",
        reason: "\(year) contradicts date_of_birth's \(date.year)")
    }
  }

  static func check(_ new: NewImage) throws(IntakeError) {
    if let caption = new.caption { try check("caption", caption, 0...2_000) }
    guard ["user_upload", "synthetic", "import"].contains(new.source) else {
      throw IntakeError(
        status: 422, field: "source",
        reason: "must be user_upload, synthetic or import, not '\(new.source)'")
    }
    guard !new.file.isEmpty else {
      throw IntakeError(status: 422, field: "file", reason: "is empty")
    }
    let isPlain = new.fileExtension.utf8.allSatisfy { $0 | 0x20 >= 97 && $0 | 0x20 <= 122 }
    guard isPlain, (1...5).contains(new.fileExtension.utf8.count) else {
      throw IntakeError(
        status: 422, field: "file", reason: "has the extension '\(new.fileExtension)'")
    }
  }
}
