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

  var world = World()
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
    for _ in 0..<scenario.population.users {
      await send(createUser(people.user(), at: environment.now))
    }
    for _ in 0..<scenario.population.images {
      await send(upload(by: anyPerson(), nil, at: environment.now))
    }
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
        await send(draw(poisson, at: environment.now))
      }
    }
    await environment.time.sleep(until: ProcessingTime(microseconds: start + duration))
  }

  /// Plays the random traffic alone, up to the scenario's end, each request drawn some time before
  /// it is sent.
  ///
  /// - Parameter drawing: gets the work of drawing some requests, and does it at once.
  mutating func playArrivals(drawing: (() -> Void) -> Void) async {
    var arrivals = Arrivals(scenario, random: &random)
    var drawn: [TrafficRequest] = []
    while true {
      drawn.removeAll(keepingCapacity: true)
      drawing { draw(ahead: 128, &arrivals, into: &drawn) }
      guard !drawn.isEmpty else { break }
      for request in drawn {
        if !environment.time.reaches(request.at) {
          await environment.time.wait(until: request.at, for: nil, reason: "the next request")
          if Task.isCancelled { return }
        }
        await send(request)
      }
    }
    await environment.time.sleep(
      until: ProcessingTime(microseconds: scenario.end.microseconds))
  }

  private mutating func draw(
    ahead limit: Int, _ arrivals: inout Arrivals, into drawn: inout [TrafficRequest]
  ) {
    while drawn.count < limit, let at = arrivals.next, at <= scenario.duration.microseconds,
      let poisson = arrivals.take(&random)
    {
      let instant = ProcessingTime(microseconds: scenario.start.microseconds + at)
      guard let request = draw(poisson, at: instant) else { continue }
      drawn.append(request)
      // Who is new acts from the API's answer on.
      if case .user = request.call { return }
    }
  }

  /// An identity drawn for a request that is made at `now`.
  mutating func identity(lateBy: Duration, at now: ProcessingTime) -> RequestIdentity {
    let key = IdempotencyKey(randomBits: keys.next(), keys.next())
    guard lateBy > .zero else { return RequestIdentity(key: key) }
    return RequestIdentity(key: key, occurredAt: now.asEventTime - lateBy)
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

  /// Sends a request, if there is one, and notes what came of it.
  mutating func send(_ request: TrafficRequest?) async {
    guard let request else { return }
    requests += 1
    switch request.call {
    case .view(let image, let viewer):
      do throws(IntakeError) {
        _ = try await sending { () async throws(IntakeError) in
          try await intake.view(image, by: viewer, request.identity)
        }
      } catch {
        note(error, of: "view")
      }
    case .comment(let new, let place):
      do throws(IntakeError) {
        _ = try await sending { () async throws(IntakeError) in
          try await intake.comment(new, request.identity)
        }
      } catch {
        world.refused(comment: place)
        note(error, of: "comment")
      }
    case .flag(let new):
      do throws(IntakeError) {
        _ = try await sending { () async throws(IntakeError) in
          try await intake.flag(new, request.identity)
        }
      } catch {
        note(error, of: "flag")
      }
    case .upload(let new, let place):
      do throws(IntakeError) {
        _ = try await sending { () async throws(IntakeError) in
          try await intake.upload(new, request.identity)
        }
      } catch {
        world.refused(picture: place)
        note(error, of: "upload")
      }
    case .user(let new, let alias):
      do throws(IntakeError) {
        world.add(
          try await sending { () async throws(IntakeError) in
            try await intake.createUser(new, request.identity)
          }, alias: alias)
      } catch {
        note(error, of: "user")
      }
    case .deleteImage(let id):
      do throws(IntakeError) {
        try await sending { () async throws(IntakeError) in
          try await intake.deleteImage(id)
        }
      } catch {
        note(error, of: "delete")
      }
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
