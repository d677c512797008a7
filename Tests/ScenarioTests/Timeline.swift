import Moderation
import Pipeline
import Ports
import Simulation

/// A generated history of a few images: events on and beside window edges, late ones, ineligible
/// actors; with the naive answers to what the pipeline computes from it.
struct Timeline: Sendable {
  struct Entry: Sendable {
    var event: PlatformEvent
    var visibleFrom: EventTime?
  }

  let seed: UInt64
  let start = EventTime(microseconds: 1_772_404_800_000_000)
  private(set) var users: [User] = []
  private(set) var images: [Image] = []
  private(set) var entries: [Entry] = []
  private var random: SeededRandom

  var end: EventTime { start + .seconds(4 * 3600) }

  init(seed: UInt64) {
    self.seed = seed
    random = SeededRandom(seed: seed)
    for number in 0..<4 {
      users.append(
        User(
          id: UserID(high: seed, low: UInt64(number + 1)), username: "user-\(number)",
          isTestAccount: number == 3,
          createdAt: start - .seconds(random.below(40) * 3600)))
    }
    for number in 0..<3 {
      images.append(
        Image(
          id: ImageID(high: seed, low: UInt64(100 + number)), userID: users[random.below(3)].id,
          s3URL: "", caption: number == 0 ? nil : "crème brûlée", category: "Soup",
          createdAt: start + .seconds(random.below(3600))))
    }
    for number in 0..<(20 + random.below(60)) { add(number) }
  }

  private mutating func add(_ number: Int) {
    let image = images[random.below(images.count)]
    // Half of the events stand on an edge of some window, or a microsecond beside it.
    let edges: [Int64] = [0, 60, 300, 1800, 3600, 5400]
    var offset = Int64(random.below(7_200_000_000))
    if random.chance(0.5) {
      offset = edges[random.below(edges.count)] * 1_000_000 + Int64(random.below(3) - 1)
    }
    let time = EventTime(microseconds: max(image.createdAt.microseconds + offset, 0))
    let actor = users[random.below(users.count)]
    let id = UInt64(1000 + number)
    let subject: PlatformEvent.Subject =
      switch random.below(3) {
      case 0: .view(image: image.id)
      case 1: .comment(comment: .init(high: seed, low: id), image: image.id, content: "x")
      default: .flag(flag: .init(high: seed, low: id), image: image.id, comment: nil, reason: "x")
      }
    let event = PlatformEvent(
      id: EventID(high: seed, low: id), time: time, actor: actor.id,
      actorEligible: !actor.isTestAccount, subject: subject)
    let isLate = random.chance(0.15)
    entries.append(
      Entry(
        event: event,
        visibleFrom: isLate ? time + .seconds(1 + random.below(1200)) : nil))
  }

  /// The events in batches of random sizes, some of them sent again.
  var batches: [FeatureBatch] {
    var random = SeededRandom(seed: seed &+ 1)
    var batches: [FeatureBatch] = []
    var offset: Int64 = 0
    var rest = entries[...]
    while !rest.isEmpty {
      let chunk = rest.prefix(1 + random.below(9))
      rest = rest.dropFirst(chunk.count)
      let from = offset
      let events = chunk.map { entry -> FeatureBatch.Entry in
        defer { offset += 1 }
        return FeatureBatch.Entry(
          slot: 0, offset: offset, event: entry.event, visibleFrom: entry.visibleFrom)
      }
      let batch = FeatureBatch(
        entries: events,
        partitions: [
          .init(partition: TopicPartition("t", 0), from: from, to: offset, watermark: nil)
        ])
      batches.append(batch)
      if random.chance(0.3) { batches.append(batch) }
    }
    return batches
  }

  /// Instants at and around the decision points and the events.
  var questions: [CountQuestion] {
    var questions: [CountQuestion] = []
    for image in images {
      for minutes in OfflineFeatures.decisionPoints {
        questions.append(
          CountQuestion(image: image.id, asOf: image.createdAt + .seconds(60 * minutes)))
      }
    }
    for entry in entries {
      guard let image = entry.event.image else { continue }
      for shift in [-1, 0, 1, 60_000_000, 300_000_000, 3_600_000_000] as [Int64] {
        questions.append(
          CountQuestion(image: image, asOf: entry.event.time + .microseconds(shift)))
      }
    }
    return questions
  }

  /// The naive answer: filter the list.
  func naiveCounts(_ question: CountQuestion) -> EngagementCounts {
    let visible = entries.filter { entry in
      entry.event.image == question.image && entry.event.time <= question.asOf
        && (entry.visibleFrom ?? entry.event.time) <= question.asOf
    }
    func tally(_ kind: EventKind, _ seconds: Int64?) -> RollingCounter.Tally {
      let counted = visible.filter { entry in
        entry.event.kind == kind
          && (seconds.map { entry.event.time > question.asOf - .seconds($0) } ?? true)
      }
      return RollingCounter.Tally(
        observed: counted.count, governed: counted.count { $0.event.actorEligible == true })
    }
    return EngagementCounts(
      views5min: tally(.view, 300), views1hr: tally(.view, 3600),
      comments5min: tally(.comment, 300), comments1hr: tally(.comment, 3600),
      flags5min: tally(.flag, 300), flags1hr: tally(.flag, 3600), totalViews: tally(.view, nil),
      totalComments: tally(.comment, nil), totalFlags: tally(.flag, nil))
  }
}
