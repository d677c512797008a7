import Testing

@testable import Moderation

/// The naive counter: a list of events, filtered by the definition at every question.
private struct CounterOracle {
  struct Event {
    var time: EventTime
    var visibleFrom: EventTime?
    var isEligible: Bool
  }

  var events: [Event] = []

  func tally(after lower: EventTime?, asOf: EventTime) -> RollingCounter.Tally {
    var tally = RollingCounter.Tally()
    for event in events where event.time <= asOf && (event.visibleFrom ?? asOf) <= asOf {
      if let lower, event.time <= lower { continue }
      tally.observed += 1
      tally.governed += event.isEligible ? 1 : 0
    }
    return tally
  }

  func count(_ window: RollingWindow, asOf: EventTime) -> RollingCounter.Tally {
    tally(after: asOf - .microseconds(window.microseconds), asOf: asOf)
  }

  func total(asOf: EventTime) -> RollingCounter.Tally { tally(after: nil, asOf: asOf) }

  var latest: EventTime? { events.map { $0.visibleFrom ?? $0.time }.max() }
}

@Suite("RollingCounter")
struct RollingCounterTests {
  private static let start = EventTime.utc(2026, 1, 5, 9)
  private static let none = RollingCounter.Tally()
  private static let one = RollingCounter.Tally(observed: 1, governed: 1)

  @Test("A window is half-open, (t − w, t], to the µs", arguments: RollingWindow.allCases)
  func edges(window: RollingWindow) {
    var counter = RollingCounter()
    counter.record(Self.start, visibleFrom: nil, isEligible: true)
    let expected: [(Int64, RollingCounter.Tally)] = [
      (-1, Self.none), (0, Self.one), (1, Self.one),
      (window.microseconds - 1, Self.one),
      (window.microseconds, Self.none), (window.microseconds + 1, Self.none),
    ]
    for (offset, tally) in expected {
      let asOf = Self.start + .microseconds(offset)
      #expect(counter.count(window, asOf: asOf) == tally, "asked \(offset) µs after the event")
      #expect(counter.total(asOf: asOf) == (offset < 0 ? Self.none : Self.one))
    }
  }

  @Test(
    "A late event counts from visibleFrom on, in the window of its own time",
    arguments: [
      (59, 0, 0), (119, 0, 0), (120, 1, 1), (299, 1, 1), (300, 0, 1), (4000, 0, 1),
    ])
  func late(second: Int, inWindow: Int, total: Int) {
    var counter = RollingCounter()
    counter.record(Self.start, visibleFrom: Self.start + .seconds(120), isEligible: false)
    let asOf = Self.start + .seconds(second)
    #expect(
      counter.count(.fiveMinutes, asOf: asOf)
        == RollingCounter.Tally(observed: inWindow, governed: 0))
    #expect(counter.total(asOf: asOf) == RollingCounter.Tally(observed: total, governed: 0))
  }

  @Test("An empty counter counts nothing and has no latest instant")
  func empty() {
    let counter = RollingCounter()
    #expect(counter.latest == nil)
    #expect(counter.count(.oneHour, asOf: Self.start) == Self.none)
    #expect(counter.total(asOf: Self.start) == Self.none)
  }

  @Test("Recording answers the first instant that includes the event and all earlier arrivals")
  func latest() {
    var counter = RollingCounter()
    let record = { (second: Int, visible: Int?) in
      counter.record(
        Self.start + .seconds(second), visibleFrom: visible.map { Self.start + .seconds($0) },
        isEligible: true)
    }
    let answers = [
      record(10, nil), record(5, nil), record(2, 20), record(15, nil), record(21, nil),
    ]
    #expect(answers == [10, 10, 20, 20, 21].map { Self.start + .seconds($0) })
    #expect(counter.latest == Self.start + .seconds(21))
  }

  @Test("Ineligible actors' events are observed and not governed, in any order of arrival")
  func flavours() {
    var counter = RollingCounter()
    for (second, isEligible) in [(30, false), (10, true), (20, false), (20, true)] {
      counter.record(
        Self.start + .seconds(second), visibleFrom: nil, isEligible: isEligible)
    }
    let table = [
      (10, 1, 1), (20, 3, 2), (29, 3, 2), (30, 4, 2), (70, 3, 1), (80, 1, 0), (90, 0, 0),
    ]
    for (second, observed, governed) in table {
      #expect(
        counter.count(.oneMinute, asOf: Self.start + .seconds(second))
          == RollingCounter.Tally(observed: observed, governed: governed), "at second \(second)")
    }
  }

  @Test("Trimming drops what is at or before the horizon from windows and never from totals")
  func trim() {
    var counter = RollingCounter()
    for second in 1...200 {
      counter.record(
        Self.start + .seconds(second), visibleFrom: nil, isEligible: second.isMultiple(of: 2))
    }
    counter.trim(through: Self.start + .seconds(150))
    let end = Self.start + .seconds(200)
    #expect(counter.total(asOf: end) == RollingCounter.Tally(observed: 200, governed: 100))
    #expect(
      counter.count(.oneMinute, asOf: Self.start + .seconds(210))
        == RollingCounter.Tally(observed: 50, governed: 25))
    #expect(counter.latest == end)
  }

  @Test(
    "Every answer is the naive one: disorder, late events, ineligible actors, trims",
    arguments: [UInt64](40..<60))
  func oracle(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var run = CounterRun(start: Self.start)
    for _ in 0..<500 { run.step(&random) }
    #expect(run.questions > 500)
    #expect(run.wrong.isEmpty, "\(run.wrong.count) wrong, first: \(run.wrong.first ?? "")")
  }
}

/// A generated life of one counter beside its oracle.
private struct CounterRun {
  var counter = RollingCounter()
  var oracle = CounterOracle()
  var watermark: EventTime
  /// Before this instant plus an hour, a trimmed counter owes no exact answer.
  var horizon: EventTime
  var questions = 0
  var wrong: [String] = []

  init(start: EventTime) {
    watermark = start
    horizon = start - .seconds(7200)
  }

  mutating func step(_ random: inout SplitMix64) {
    if random.once(in: 8) {
      watermark = watermark + .seconds(Int.random(in: 0...300, using: &random))
    }
    if random.once(in: 20) { trim(&random) }
    record(&random)
    for _ in 0..<2 { ask(&random) }
  }

  private mutating func record(_ random: inout SplitMix64) {
    let isLate = random.once(in: 6)
    let offset: Duration =
      isLate
      ? .seconds(-Int.random(in: 0...4000, using: &random))
      : .microseconds(Int64.random(in: 1...40, using: &random) * 1_000_000)
    let event = CounterOracle.Event(
      time: watermark + offset, visibleFrom: isLate ? watermark : nil,
      isEligible: !random.once(in: 4))
    oracle.events.append(event)
    let answer = counter.record(
      event.time, visibleFrom: event.visibleFrom, isEligible: event.isEligible)
    if answer != oracle.latest || counter.latest != oracle.latest {
      wrong.append("latest \(answer)")
    }
  }

  private mutating func trim(_ random: inout SplitMix64) {
    let candidate = watermark - .seconds(Int.random(in: 0...3600, using: &random))
    horizon = max(horizon, candidate)
    counter.trim(through: candidate)
  }

  /// Asks near a random event's window edges, or anywhere that an answer is owed.
  private mutating func ask(_ random: inout SplitMix64) {
    guard let event = oracle.events.randomElement(using: &random),
      let window = RollingWindow.allCases.randomElement(using: &random)
    else { return }
    let base = random.once(in: 2) ? event.time : event.visibleFrom ?? watermark
    let edge: Int64 = random.once(in: 2) ? window.microseconds : 0
    let asOf = base + .microseconds(edge + Int64.random(in: -1...1, using: &random))
    if asOf >= horizon + .seconds(3600) {
      let expected = oracle.count(window, asOf: asOf)
      note("count \(window.name)", asOf, counter.count(window, asOf: asOf), expected)
      for threshold in [0, 1, expected.observed, expected.observed + 1, 40]
      where counter.reaches(threshold, window, asOf: asOf) != (expected.observed >= threshold) {
        wrong.append("reaches \(threshold) of \(expected.observed) \(window.name) \(asOf)")
      }
    }
    if asOf >= horizon { note("total", asOf, counter.total(asOf: asOf), oracle.total(asOf: asOf)) }
  }

  private mutating func note(
    _ question: String, _ asOf: EventTime, _ got: RollingCounter.Tally,
    _ expected: RollingCounter.Tally
  ) {
    questions += 1
    if got != expected { wrong.append("\(question) as of \(asOf): \(got), not \(expected)") }
  }
}
