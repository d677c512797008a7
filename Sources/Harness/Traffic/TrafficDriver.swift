import Moderation
import Pipeline
import Ports
import Simulation
import Synchronization

/// Plays a scenario's traffic and actions against the API, each at its virtual instant.
///
/// Requests carry idempotency keys drawn from the traffic's own stream, so that ids of rows and
/// events don't depend on what the pipeline does, nor on which actions are left out.
struct TrafficDriver {
  let scenario: Scenario
  let intake: Intake
  let desk: ReviewDesk
  let log: any EventLog
  let lake: any Lake
  let environment: Environment
  /// Called now and then with the share of the scenario that is played.
  let progress: @Sendable (Double) -> Void

  private(set) var world = World()
  private(set) var refused = 0
  private(set) var requests = 0
  /// What was done at random, as a scenario would script it; only when it is to be recorded.
  var recorded: [TrafficEntry] = []
  let records: Bool
  var people: PeopleGenerator
  var random: SeededRandom
  private var keys: SeededRandom
  /// Which images are bad, and who notices; without any nothing is drawn.
  var planted: PlantedTruth

  init(
    scenario: Scenario, intake: Intake, desk: ReviewDesk, log: any EventLog,
    lake: any Lake, environment: Environment, streams: RandomStreams,
    records: Bool = false, progress: @escaping @Sendable (Double) -> Void
  ) {
    self.scenario = scenario
    self.intake = intake
    self.desk = desk
    self.log = log
    self.lake = lake
    self.environment = environment
    self.progress = progress
    self.records = records
    people = PeopleGenerator(
      population: scenario.population, start: scenario.start, random: streams.stream("people"))
    random = streams.stream("traffic")
    keys = streams.stream("keys")
    planted = PlantedTruth(
      share: scenario.population.badImages, random: streams.stream("planted"))
  }

  /// Makes the population; all of it at the start.
  mutating func populate() async {
    for _ in 0..<scenario.population.users { await createUser(people.user()) }
    for _ in 0..<scenario.population.images { await upload(by: anyPerson(), nil) }
  }

  /// Plays everything up to the scenario's end.
  mutating func play() async {
    let timeline = TrafficTimeline(scenario).steps
    let (start, duration) = (scenario.start.microseconds, scenario.duration.microseconds)
    var next = 0
    var arrivals = Arrivals(scenario, random: &random)
    while true {
      let scripted = next < timeline.count ? timeline[next].at.microseconds : nil
      let arrival = arrivals.next
      guard let at = scripted.map({ min($0, arrival ?? $0) }) ?? arrival, at <= duration
      else { break }
      let instant = ProcessingTime(microseconds: start + at)
      if !environment.time.reaches(instant) {
        await environment.time.wait(until: instant, for: nil, reason: "the next request")
        if Task.isCancelled { return }
      }
      progress(Double(at) / Double(duration))
      if scripted == at {
        await carryOut(timeline[next].step)
        next += 1
      } else if let poisson = arrivals.take(&random) {
        await arrive(poisson)
      }
    }
    await environment.time.sleep(until: ProcessingTime(microseconds: start + duration))
  }

  private mutating func identity(lateBy: Duration = .zero) -> RequestIdentity {
    let key = IdempotencyKey(randomBits: keys.next(), keys.next())
    guard lateBy > .zero else { return RequestIdentity(key: key) }
    return RequestIdentity(key: key, occurredAt: environment.now.asEventTime - lateBy)
  }

  /// Whether a person's action is left out: under `mute_ineligible`, those of ineligible users.
  private func isMuted(_ person: Int?) -> Bool {
    guard scenario.population.muteIneligible, let person else { return false }
    return !scenario.policy.governance.isEligible(
      world.people[person], at: environment.now.asEventTime)
  }

  mutating func anyPerson() -> Int? {
    world.people.isEmpty ? nil : random.below(world.people.count)
  }

  mutating func anyPicture() -> Int? {
    world.popularity.total == 0
      ? nil : world.popularity.item(at: random.below(world.popularity.total))
  }

  /// Counts and traces a refusal; the traffic goes on.
  private mutating func note(_ refusal: IntakeError, of what: StaticString) {
    refused += 1
    environment.record(
      "refused", [.text("request", "\(what)"), .text("error", refusal.description)])
  }

  /// Sends a request. When the API doesn't answer, the client tries again at once, with the same
  /// key, and gives up after the third time. Inlined: called, it and the request would be frames of
  /// their own.
  @inline(__always)
  func sending<Value>(
    _ request: () async throws(IntakeError) -> Value
  ) async throws(IntakeError) -> Value {
    var left = 3
    while true {
      do throws(IntakeError) {
        return try await request()
      } catch {
        left -= 1
        guard error.status == 503, left > 0 else { throw error }
      }
    }
  }

  mutating func createUser(
    _ new: NewUser, alias: String? = nil, lateBy: Duration = .zero
  ) async {
    let identity = identity(lateBy: lateBy)
    requests += 1
    do throws(IntakeError) {
      world.add(
        try await sending { () async throws(IntakeError) in
          try await intake.createUser(new, identity)
        }, alias: alias)
    } catch {
      note(error, of: "user")
    }
  }

  mutating func upload(by person: Int?, _ step: TrafficEntry.UploadStep?) async {
    guard let person else { return }
    let identity = identity()
    var new = NewImage(
      userID: world.peopleIDs[person], file: SampleImage.bytes(world.pictures.count))
    new.caption = people.caption()
    new.category = people.category()
    if let step {
      new.caption = step.caption ?? new.caption
      new.category = step.category ?? new.category
    } else if planted.isNextBad(picture: world.pictures.count, at: environment.now) {
      planted.spoil(&new)
    }
    let id = identity.key?.reinterpreted(as: Image.self) ?? ImageID(high: 0, low: 0)
    var exists = false
    if !isMuted(person) {
      requests += 1
      do throws(IntakeError) {
        _ = try await sending { () async throws(IntakeError) in
          try await intake.upload(new, identity)
        }
        exists = true
      } catch {
        note(error, of: "upload")
      }
    }
    world.addPicture(id, exists: exists, alias: step?.alias)
  }

  mutating func view(_ picture: Int, by person: Int?, lateBy: Duration = .zero) async {
    let identity = identity(lateBy: lateBy)
    world.engage(picture, .view)
    guard !isMuted(person), world.pictures[picture].exists else { return }
    let (id, viewer) = (world.pictures[picture].id, person.map { world.peopleIDs[$0] })
    requests += 1
    do throws(IntakeError) {
      _ = try await sending { () async throws(IntakeError) in
        try await intake.view(id, by: viewer, identity)
      }
    } catch {
      note(error, of: "view")
    }
  }

  mutating func comment(
    _ picture: Int, by person: Int?, lateBy: Duration = .zero, alias: String? = nil
  ) async {
    guard let person else { return }
    let identity = identity(lateBy: lateBy)
    let new = NewComment(
      imageID: world.pictures[picture].id, userID: world.peopleIDs[person],
      content: people.remark())
    world.engage(picture, .comment)
    var exists = false
    if !isMuted(person), world.pictures[picture].exists {
      requests += 1
      do throws(IntakeError) {
        _ = try await sending { () async throws(IntakeError) in
          try await intake.comment(new, identity)
        }
        exists = true
      } catch {
        note(error, of: "comment")
      }
    }
    let id = identity.key?.reinterpreted(as: Comment.self) ?? CommentID(high: 0, low: 0)
    world.addComment(id, on: picture, exists: exists, alias: alias)
  }

  /// Flags a picture, or a comment of it.
  mutating func flag(
    _ picture: Int, comment: CommentID? = nil, exists: Bool = true, by person: Int?,
    lateBy: Duration = .zero
  ) async {
    guard let person else { return }
    let identity = identity(lateBy: lateBy)
    let new = NewFlag(
      userID: world.peopleIDs[person], imageID: comment == nil ? world.pictures[picture].id : nil,
      commentID: comment, reason: people.reason())
    world.engage(picture, .flag)
    guard exists, !isMuted(person), world.pictures[picture].exists else { return }
    requests += 1
    do throws(IntakeError) {
      _ = try await sending { () async throws(IntakeError) in
        try await intake.flag(new, identity)
      }
    } catch {
      note(error, of: "flag")
    }
  }

  mutating func deletePicture(_ picture: Int) async {
    let id = world.pictures[picture].id
    let existed = world.pictures[picture].exists
    world.delete(picture)
    guard existed else { return }
    requests += 1
    do throws(IntakeError) {
      try await sending { () async throws(IntakeError) in
        try await intake.deleteImage(id)
      }
    } catch {
      note(error, of: "delete")
    }
  }

  mutating func deleteComment(_ id: CommentID) async {
    requests += 1
    do throws(IntakeError) {
      try await sending { () async throws(IntakeError) in
        try await intake.deleteComment(id)
      }
    } catch {
      note(error, of: "delete")
    }
  }

  mutating func correct(_ person: Int, yearOfBirth: Int?, dateOfBirth: CivilDate?) async {
    let id = world.peopleIDs[person]
    requests += 1
    do throws(IntakeError) {
      world.correct(
        try await sending { () async throws(IntakeError) in
          try await intake.correctUser(id, yearOfBirth: yearOfBirth, dateOfBirth: dateOfBirth)
        })
    } catch {
      note(error, of: "correct")
    }
  }
}
