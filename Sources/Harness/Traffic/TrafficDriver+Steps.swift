import Moderation
import Pipeline
import Ports
import Simulation

extension TrafficDriver {
  private var now: ProcessingTime { environment.now }

  /// One scripted step.
  mutating func carryOut(_ step: TrafficStep) async {
    switch step {
    case .user(let user):
      var new = NewUser(username: user.alias)
      new.yearOfBirth = user.yearOfBirth
      new.dateOfBirth = user.dateOfBirth
      new.isTestAccount = user.isTestAccount
      await send(createUser(new, alias: user.alias, lateBy: user.age, at: now))
    case .upload(let upload):
      let person = upload.by.flatMap { world.person($0) } ?? eligiblePerson()
      await send(self.upload(by: person, upload, at: now))
    case .burstStart(let burst):
      guard world.picture(burst.image) == nil else { return }
      let upload = TrafficEntry.UploadStep(alias: burst.image, at: burst.at)
      await send(self.upload(by: eligiblePerson(), upload, at: now))
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
    case .view: await send(view(picture, by: person, lateBy: step.lateBy, at: now))
    case .comment:
      await send(comment(picture, by: person, lateBy: step.lateBy, alias: step.alias, at: now))
    case .flag:
      let target = step.onComment ? world.lastComment(on: picture) : nil
      if step.onComment && target == nil { return }
      await send(
        flag(
          picture, comment: target?.id, exists: target?.exists ?? true, by: person,
          lateBy: step.lateBy, at: now))
    case .upload: break
    }
  }

  private mutating func act(_ action: ScheduledAction.Action) async {
    switch action {
    case .deleteImage(let alias):
      if let picture = world.picture(alias) { await send(deletePicture(picture, at: now)) }
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
