import Glibc
import Moderation
import Pipeline
import Ports

/// Each `events` table holds the log's events up to its offsets, each once and as it was logged,
/// and each window table their sums; but for what an erasure rightly took.
///
/// The log is what the stream consumer applied. Doesn't check: that it applied all of it (see
/// ``NoEventLost``), that the offsets are the log's end, when an erasure had to take what is gone
/// (see ``ErasureIsComplete``).
public struct WindowTablesSumToLog: Checker {
  /// `WindowTablesSumToLog`.
  public let name = "WindowTablesSumToLog"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.jobs.contains(where: { $0.job == .eventAggregation }) else { return nil }
    let wasErased = run.jobs.contains { $0.job == .erasure }
    let erased = wasErased ? ErasedContent(run) : nil
    return Metric.allCases.flatMap { metric -> [String] in
      let events = run.events.filter { $0.event.kind.metric == metric && $0.event.image != nil }
      var bronze = BronzeRows(metric, run, events)
      bronze.compare(run.lake[LakeTables.events(metric)], erased)
      return bronze.faults + Self.windowFaults(metric, run, events, taken: bronze.taken)
    }
  }

  /// The windows that aren't the sums of the events up to their offsets.
  ///
  /// - Parameter taken: events that an erasure took.
  private static func windowFaults(
    _ metric: Metric, _ run: RunResult, _ events: [LoggedEvent], taken: Set<EventID>
  ) -> [String] {
    let offsets = run.offsets(of: LakeTables.windows(metric))
    var expected: [Key: Int64] = Dictionary(minimumCapacity: events.count)
    var seen = taken
    seen.reserveCapacity(taken.count + events.count)
    // By index: an event is large.
    for index in events.indices where offsets.reach(events[index].position) {
      guard let image = events[index].event.image, seen.insert(events[index].event.id).inserted
      else { continue }
      let start = TumblingWindow.start(of: events[index].event.time).microseconds
      expected[Key(image: image, start: start), default: 0] += 1
    }
    var faults: [String] = []
    for window in run.windows(metric) {
      // Text that is no id's own stands for no image.
      let image = ImageID(window.image).flatMap { $0.isSpelt(window.image) ? $0 : nil }
      let count =
        image.flatMap { expected.removeValue(forKey: Key(image: $0, start: window.start)) } ?? 0
      if count != window.count {
        faults.append(
          "\(metric.windowTable) \(window.image) \(EventTime(microseconds: window.start)): "
            + "\(window.count) in the table, \(count) events")
      }
    }
    for (key, count) in expected.sorted(by: { $0.key < $1.key }) {
      faults.append(
        "\(metric.windowTable) \(key.image) \(EventTime(microseconds: key.start)): "
          + "missing, \(count) events")
    }
    return faults
  }

  private struct Key: Hashable, Comparable {
    var image: ImageID
    var start: Int64

    static func < (a: Self, b: Self) -> Bool { (a.image, a.start) < (b.image, b.start) }
  }
}

/// The rows of one `events` table against the log.
private struct BronzeRows {
  private let table: TableName
  private let offsets: [Int64]
  private let events: [LoggedEvent]
  private(set) var faults: [String] = []
  /// The events that an erasure took from the table.
  private(set) var taken: Set<EventID> = []
  /// The events that the table should have and that weren't found yet.
  private var missing: Set<EventID>

  init(_ metric: Metric, _ run: RunResult, _ events: [LoggedEvent]) {
    table = LakeTables.events(metric)
    let offsets = run.offsets(of: table)
    self.offsets = offsets
    self.events = events
    missing = Set(minimumCapacity: events.count)
    for index in events.indices where offsets.reach(events[index].position) {
      missing.insert(events[index].event.id)
    }
  }

  /// Compares row by row; what is missing must have been erased.
  mutating func compare(_ rows: RecordBatch?, _ erased: ErasedContent?) {
    if let rows { look(at: rows) }
    guard !missing.isEmpty else { return }
    for entry in events where offsets.reach(entry.position) {
      guard missing.remove(entry.event.id) != nil else { continue }
      if let erased, erased.takes(entry.event) {
        taken.insert(entry.event.id)
      } else {
        faults.append("\(table) lacks event \(entry.event.id) of \(entry.position.name)")
      }
    }
  }

  private mutating func look(at rows: RecordBatch) {
    var log: [RecordPosition: Int] = Dictionary(minimumCapacity: events.count)
    for index in events.indices { log[events[index].position] = index }
    let topic = events.first?.position.partition.name ?? TopicName("")
    let (ids, images, actors) = (
      rows.strings("event_id"), rows.strings("image_id"), rows.strings("user_id")
    )
    let (eligible, times) = (rows.booleans("actor_eligible"), rows.integers("event_time"))
    let (partitions, places) = (rows.integers("kafka_partition"), rows.integers("kafka_offset"))
    for (row, id) in ids.enumerated() {
      let position = RecordPosition(
        partition: TopicPartition(topic, Int(partitions[row])), offset: places[row])
      guard let index = log[position], offsets.reach(position),
        events[index].event.id.isSpelt(id),
        events[index].event.image?.isSpelt(images[row]) ?? false,
        events[index].event.actor?.isSpelt(actors[row]) ?? actors[row].isEmpty,
        events[index].event.actorEligible ?? true == eligible[row],
        events[index].event.time.microseconds == times[row]
      else {
        faults.append("\(table) has event \(id) of \(position.name) otherwise than the log")
        continue
      }
      if missing.remove(events[index].event.id) == nil {
        faults.append("\(table) has event \(id) twice")
      }
    }
  }
}

extension ID {
  /// Whether a text is this id's own.
  fileprivate func isSpelt(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      withText { own in
        guard bytes.count == own.count, let a = bytes.baseAddress, let b = own.baseAddress
        else { return false }
        return memcmp(a, b, own.count) == 0
      }
    }
  }
}

extension [Int64] {
  /// Whether a position lies before these next offsets of its topic's partitions.
  func reach(_ position: RecordPosition) -> Bool {
    let partition = position.partition.partition
    return indices.contains(partition) && position.offset < self[partition]
  }
}

extension RecordPosition {
  /// `gourmetgram.views-2@17`.
  fileprivate var name: String { "\(partition)@\(offset)" }
}
