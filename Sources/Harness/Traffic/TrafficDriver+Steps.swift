import Moderation
import Pipeline
import Ports
import Simulation

extension TrafficDriver {
  /// One arrival at random: its kind by weight, its image by popularity.
  mutating func arrive(_ poisson: TrafficEntry.Poisson) async {
    let mix = poisson.mix
    var point = random.unit() * mix.total
    func takes(_ weight: Double) -> Bool {
      point -= weight
      return point < 0
    }
    if takes(mix.view) {
      let isAnonymous = random.chance(poisson.anonymous)
      let late = lateness(poisson)
      guard let picture = anyPicture() else { return }
      let person = anyPerson()
      record(.view, picture, by: person, late)
      await view(picture, by: isAnonymous ? nil : person, lateBy: late)
    } else if takes(mix.comment) {
      let late = lateness(poisson)
      guard let picture = anyPicture() else { return }
      let person = anyPerson()
      record(.comment, picture, by: person, late)
      await comment(picture, by: person, lateBy: late)
    } else if takes(mix.upload) {
      let person = anyPerson()
      if records {
        let alias = "image-\(world.pictures.count + 1)"
        recorded.append(.upload(.init(alias: alias, at: now, by: name(of: person))))
      }
      await upload(by: person, nil)
    } else if takes(mix.user) {
      let user = people.user()
      if records {
        recorded.append(
          .user(
            .init(
              alias: "user-\(world.people.count + 1)", at: now, yearOfBirth: user.yearOfBirth,
              dateOfBirth: user.dateOfBirth, isTestAccount: user.isTestAccount)))
      }
      await createUser(user)
    } else if takes(mix.flag) {
      await flagAnything(lateness(poisson))
    } else if !world.pictures.isEmpty {
      // Deletion strikes all alike, but leaves alone what the scenario calls by name.
      let picture = random.below(world.pictures.count)
      if !world.isNamed(picture) { await deletePicture(picture) }
    }
  }

  /// Half of the flags hit images, half comments (REFERENCE §9).
  private mutating func flagAnything(_ late: Duration) async {
    let hitsComment = random.chance(0.5)
    let person = anyPerson()
    if let picture = planted.flagged(at: environment.now) {
      record(.flag, picture, by: person, late)
      await flag(picture, by: person, lateBy: late)
    } else if hitsComment, !world.comments.isEmpty {
      let comment = world.comments[random.below(world.comments.count)]
      record(.flag, comment.picture, by: person, late, onComment: true)
      await flag(
        comment.picture, comment: comment.id, exists: comment.exists, by: person, lateBy: late)
    } else if let picture = anyPicture() {
      record(.flag, picture, by: person, late)
      await flag(picture, by: person, lateBy: late)
    }
  }

  private var now: Duration {
    .microseconds(environment.now.microseconds - scenario.start.microseconds)
  }

  private func name(of person: Int?) -> String? { person.flatMap { world.name(ofPerson: $0) } }

  private mutating func record(
    _ kind: EventKind, _ picture: Int, by person: Int?, _ late: Duration, onComment: Bool = false
  ) {
    guard records, let image = world.name(ofPicture: picture) else { return }
    var step = TrafficEntry.EngagementStep(kind: kind, image: image, at: now)
    (step.by, step.lateBy, step.onComment) = (name(of: person), late, onComment)
    recorded.append(.engagement(step))
  }

  private mutating func lateness(_ poisson: TrafficEntry.Poisson) -> Duration {
    guard poisson.lateShare > 0 else { return .zero }
    let isLate = random.chance(poisson.lateShare)
    let share = random.unit()
    guard isLate else { return .zero }
    // An event can't be older than the scenario.
    let past = environment.now.microseconds - scenario.start.microseconds
    return .microseconds(min(Int64(share * Double(poisson.lateBy.microseconds)), past))
  }

  /// One scripted step.
  mutating func carryOut(_ step: TrafficStep) async {
    switch step {
    case .user(let user):
      var new = NewUser(username: user.alias)
      new.yearOfBirth = user.yearOfBirth
      new.dateOfBirth = user.dateOfBirth
      new.isTestAccount = user.isTestAccount
      await createUser(new, alias: user.alias, lateBy: user.age)
    case .upload(let upload):
      await self.upload(by: upload.by.flatMap { world.person($0) } ?? eligiblePerson(), upload)
    case .burstStart(let burst):
      guard world.picture(burst.image) == nil else { return }
      await upload(
        by: eligiblePerson(), TrafficEntry.UploadStep(alias: burst.image, at: burst.at))
    case .engagement(let step): await engage(step)
    case .duplicates(let step): await duplicate(last: step.last)
    case .poison(let step): await poison(step)
    case .action(let action): await act(action)
    }
  }

  /// A person whose images may be training rows.
  private mutating func eligiblePerson() -> Int? {
    let now = environment.now.asEventTime
    let eligible = world.people.indices.filter {
      scenario.policy.governance.isEligible(world.people[$0], at: now)
    }
    return eligible.isEmpty ? anyPerson() : eligible[random.below(eligible.count)]
  }

  private mutating func engage(_ step: TrafficEntry.EngagementStep) async {
    guard let picture = world.picture(step.image) else { return }
    let person = step.by.flatMap { world.person($0) } ?? anyPerson()
    switch step.kind {
    case .view: await view(picture, by: person, lateBy: step.lateBy)
    case .comment: await comment(picture, by: person, lateBy: step.lateBy, alias: step.alias)
    case .flag:
      let target = step.onComment ? world.lastComment(on: picture) : nil
      if step.onComment && target == nil { return }
      await flag(
        picture, comment: target?.id, exists: target?.exists ?? true, by: person,
        lateBy: step.lateBy)
    case .upload: break
    }
  }

  private mutating func act(_ action: ScheduledAction.Action) async {
    switch action {
    case .deleteImage(let alias):
      if let picture = world.picture(alias) { await deletePicture(picture) }
    case .deleteComment(let alias):
      if let comment = world.commentsByAlias[alias] { await deleteComment(comment) }
    case .correctUser(let alias, let year, let date):
      if let person = world.person(alias) {
        await correct(person, yearOfBirth: year, dateOfBirth: date)
      }
    case .reviewImage(let alias, let status):
      if let picture = world.picture(alias) {
        await review(.image(world.pictures[picture].id), status)
      }
    case .reviewComment(let alias, let status):
      if let comment = world.commentsByAlias[alias] { await review(.comment(comment), status) }
    case .evolve(let table, let change): await evolve(table, change)
    }
  }

  private func evolve(_ table: TableName, _ change: SchemaChange) async {
    do throws(PortError) {
      try await lake.evolve(table, change)
      environment.record(
        "evolved", [.text("table", table.description), .text("change", change.description)])
    } catch {
      environment.record("refused", [.text("request", "evolve"), .text("error", "\(error)")])
    }
  }

  private func review(_ target: ModerationTarget, _ status: ReviewStatus) async {
    do throws(PortError) {
      _ = try await desk.decide(target, status)
    } catch {
      environment.record("refused", [.text("request", "review"), .text("error", "\(error)")])
    }
  }

  /// Appends the newest records of each topic again: what a producer without idempotence does when
  /// it retries.
  private func duplicate(last: Int) async {
    do throws(PortError) {
      for topic in Catalog.sourceTopics {
        for (index, end) in try await log.ends(of: topic).enumerated() {
          let records = try await log.read(
            TopicPartition(topic, index), from: max(0, end - Int64(last)), limit: last)
          let again = records.map { record in
            ProducerRecord(
              topic: topic, partition: index, recordKey: record.recordKey, value: record.value,
              timestamp: EventTime(microseconds: record.timestampMilliseconds * 1000))
          }
          _ = try await log.append(again)
        }
      }
    } catch {
      environment.record("refused", [.text("request", "duplicates"), .text("error", "\(error)")])
    }
  }

  private func poison(_ step: TrafficEntry.PoisonStep) async {
    do throws(PortError) {
      _ = try await log.append([
        ProducerRecord(
          topic: step.topic.topic, key: nil, value: step.value,
          timestamp: environment.now.asEventTime)
      ])
    } catch {
      environment.record("refused", [.text("request", "poison"), .text("error", "\(error)")])
    }
  }
}
