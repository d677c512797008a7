import Moderation
import Pipeline
import Simulation

// What a request will be, and what the world is if it is done. Nothing here waits or asks the
// platform, so requests can be drawn ahead; nil is a request that isn't made.
extension TrafficDriver {
  /// One arrival at random: its kind by weight, its image by popularity.
  mutating func draw(
    _ poisson: TrafficEntry.Poisson, at now: ProcessingTime
  ) -> TrafficRequest? {
    let mix = poisson.mix
    var point = random.unit() * mix.total
    func takes(_ weight: Double) -> Bool {
      point -= weight
      return point < 0
    }
    if takes(mix.view) {
      let isAnonymous = random.chance(poisson.anonymous)
      let late = lateness(poisson, at: now)
      guard let picture = anyPicture() else { return nil }
      let person = anyPerson()
      record(.view, picture, by: person, late, at: now)
      return view(picture, by: isAnonymous ? nil : person, lateBy: late, at: now)
    } else if takes(mix.comment) {
      let late = lateness(poisson, at: now)
      guard let picture = anyPicture() else { return nil }
      let person = anyPerson()
      record(.comment, picture, by: person, late, at: now)
      return comment(picture, by: person, lateBy: late, at: now)
    } else if takes(mix.upload) {
      let person = anyPerson()
      if records {
        let alias = "image-\(world.pictures.count + 1)"
        recorded.append(.upload(.init(alias: alias, at: played(now), by: name(of: person))))
      }
      return upload(by: person, nil, at: now)
    } else if takes(mix.user) {
      let user = people.user()
      if records {
        recorded.append(
          .user(
            .init(
              alias: "user-\(world.people.count + 1)", at: played(now),
              yearOfBirth: user.yearOfBirth, dateOfBirth: user.dateOfBirth,
              isTestAccount: user.isTestAccount)))
      }
      return createUser(user, at: now)
    } else if takes(mix.flag) {
      return flagAnything(lateness(poisson, at: now), at: now)
    } else if !world.pictures.isEmpty {
      // Deletion strikes all alike, but leaves alone what the scenario calls by name.
      let picture = random.below(world.pictures.count)
      return world.isNamed(picture) ? nil : deletePicture(picture, at: now)
    }
    return nil
  }

  /// Half of the flags hit images, half comments (REFERENCE §9).
  private mutating func flagAnything(
    _ late: Duration, at now: ProcessingTime
  ) -> TrafficRequest? {
    let hitsComment = random.chance(0.5)
    let person = anyPerson()
    if let picture = planted.flagged(at: now) {
      record(.flag, picture, by: person, late, at: now)
      return flag(picture, by: person, lateBy: late, at: now)
    } else if hitsComment, !world.comments.isEmpty {
      let comment = world.comments[random.below(world.comments.count)]
      record(.flag, comment.picture, by: person, late, onComment: true, at: now)
      return flag(
        comment.picture, comment: comment.id, exists: comment.exists, by: person, lateBy: late,
        at: now)
    } else if let picture = anyPicture() {
      record(.flag, picture, by: person, late, at: now)
      return flag(picture, by: person, lateBy: late, at: now)
    }
    return nil
  }

  private mutating func lateness(
    _ poisson: TrafficEntry.Poisson, at now: ProcessingTime
  ) -> Duration {
    guard poisson.lateShare > 0 else { return .zero }
    let isLate = random.chance(poisson.lateShare)
    let share = random.unit()
    guard isLate else { return .zero }
    // An event can't be older than the scenario.
    let past = now.microseconds - scenario.start.microseconds
    return .microseconds(min(Int64(share * Double(poisson.lateBy.microseconds)), past))
  }

  mutating func anyPerson() -> Int? {
    world.people.isEmpty ? nil : random.below(world.people.count)
  }

  private mutating func anyPicture() -> Int? {
    world.popularity.total == 0
      ? nil : world.popularity.item(at: random.below(world.popularity.total))
  }

  /// Whether a person's action is left out: under `mute_ineligible`, those of ineligible users.
  private func isMuted(_ person: Int?, at now: ProcessingTime) -> Bool {
    guard scenario.population.muteIneligible, let person else { return false }
    return !scenario.policy.governance.isEligible(world.people[person], at: now.asEventTime)
  }

  private func played(_ now: ProcessingTime) -> Duration {
    .microseconds(now.microseconds - scenario.start.microseconds)
  }

  private func name(of person: Int?) -> String? { person.flatMap { world.name(ofPerson: $0) } }

  private mutating func record(
    _ kind: EventKind, _ picture: Int, by person: Int?, _ late: Duration, onComment: Bool = false,
    at now: ProcessingTime
  ) {
    guard records, let image = world.name(ofPicture: picture) else { return }
    var step = TrafficEntry.EngagementStep(kind: kind, image: image, at: played(now))
    (step.by, step.lateBy, step.onComment) = (name(of: person), late, onComment)
    recorded.append(.engagement(step))
  }

  mutating func createUser(
    _ new: NewUser, alias: String? = nil, lateBy: Duration = .zero, at now: ProcessingTime
  ) -> TrafficRequest {
    TrafficRequest(
      at: now, call: .user(new, alias: alias), identity: identity(lateBy: lateBy, at: now))
  }

  mutating func upload(
    by person: Int?, _ step: TrafficEntry.UploadStep?, at now: ProcessingTime
  ) -> TrafficRequest? {
    guard let person else { return nil }
    let identity = identity(lateBy: .zero, at: now)
    let place = world.pictures.count
    var new = NewImage(userID: world.peopleIDs[person], file: SampleImage.bytes(place))
    new.caption = people.caption()
    new.category = people.category()
    if let step {
      new.caption = step.caption ?? new.caption
      new.category = step.category ?? new.category
    } else if planted.isNextBad(picture: place, at: now) {
      planted.spoil(&new)
    }
    let isMade = !isMuted(person, at: now)
    world.addPicture(identity.rowID(), exists: isMade, alias: step?.alias)
    return isMade
      ? TrafficRequest(at: now, call: .upload(new, place: place), identity: identity) : nil
  }

  mutating func view(
    _ picture: Int, by person: Int?, lateBy: Duration = .zero, at now: ProcessingTime
  ) -> TrafficRequest? {
    let identity = identity(lateBy: lateBy, at: now)
    world.engage(picture, .view)
    guard !isMuted(person, at: now), world.pictures[picture].exists else { return nil }
    return TrafficRequest(
      at: now, call: .view(world.pictures[picture].id, by: person.map { world.peopleIDs[$0] }),
      identity: identity)
  }

  mutating func comment(
    _ picture: Int, by person: Int?, lateBy: Duration = .zero, alias: String? = nil,
    at now: ProcessingTime
  ) -> TrafficRequest? {
    guard let person else { return nil }
    let identity = identity(lateBy: lateBy, at: now)
    let new = NewComment(
      imageID: world.pictures[picture].id, userID: world.peopleIDs[person],
      content: people.remark())
    world.engage(picture, .comment)
    let isMade = !isMuted(person, at: now) && world.pictures[picture].exists
    let place = world.comments.count
    world.addComment(identity.rowID(), on: picture, exists: isMade, alias: alias)
    return isMade
      ? TrafficRequest(at: now, call: .comment(new, place: place), identity: identity) : nil
  }

  /// Flags a picture, or a comment of it.
  mutating func flag(
    _ picture: Int, comment: CommentID? = nil, exists: Bool = true, by person: Int?,
    lateBy: Duration = .zero, at now: ProcessingTime
  ) -> TrafficRequest? {
    guard let person else { return nil }
    let identity = identity(lateBy: lateBy, at: now)
    let new = NewFlag(
      userID: world.peopleIDs[person], imageID: comment == nil ? world.pictures[picture].id : nil,
      commentID: comment, reason: people.reason())
    world.engage(picture, .flag)
    guard exists, !isMuted(person, at: now), world.pictures[picture].exists else { return nil }
    return TrafficRequest(at: now, call: .flag(new), identity: identity)
  }

  mutating func deletePicture(_ picture: Int, at now: ProcessingTime) -> TrafficRequest? {
    let (id, existed) = (world.pictures[picture].id, world.pictures[picture].exists)
    world.delete(picture)
    return existed ? TrafficRequest(at: now, call: .deleteImage(id)) : nil
  }
}

extension RequestIdentity {
  /// The id that the API will give to the request's row.
  fileprivate func rowID<Entity>() -> ID<Entity> {
    key?.reinterpreted(as: Entity.self) ?? ID(high: 0, low: 0)
  }
}
