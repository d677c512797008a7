import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

@Suite("Watermark tracker")
struct WatermarkTrackerTests {
  private static let partition = TopicPartition("t", 0)

  private static func mark(_ seconds: Int64, _ ends: Int64...) -> ResolvedMark {
    ResolvedMark(resolvedAt: Sample.at(seconds), ends: [TopicName("t"): ends])
  }

  private static func tracker(_ marks: [ResolvedMark]) -> WatermarkTracker {
    var tracker = WatermarkTracker()
    tracker.follow([partition], from: [nil])
    for mark in marks { tracker.add(mark) }
    return tracker
  }

  @Test("Before the first mark there is no watermark")
  func none() {
    var tracker = Self.tracker([])
    #expect(tracker.watermark(of: 0, before: 5) == nil)
  }

  @Test("A mark holds from the record at its end on")
  func boundary() {
    var tracker = Self.tracker([Self.mark(10, 3)])
    #expect(tracker.watermark(of: 0, before: 2) == nil)
    #expect(tracker.watermark(of: 0, before: 3) == Sample.at(10))
    #expect(tracker.watermark(of: 0, before: 9) == Sample.at(10))
  }

  @Test("An older mark after a newer one doesn't move the watermark back")
  func monotonous() {
    var tracker = Self.tracker([Self.mark(10, 1), Self.mark(5, 2), Self.mark(12, 3)])
    let watermarks = (0...3).map { tracker.watermark(of: 0, before: $0) }
    #expect(watermarks == [nil, Sample.at(10), Sample.at(10), Sample.at(12)])
  }

  @Test("Following starts from the progress given, and forgets other partitions and marks")
  func follow() {
    var tracker = Self.tracker([Self.mark(10, 0, 0)])
    let other = TopicPartition("t", 1)
    tracker.follow([other], from: [Sample.at(4)])
    #expect(tracker.watermark(of: 0, before: 9) == Sample.at(4))
    tracker.add(Self.mark(3, 0, 0))
    #expect(tracker.watermark(of: 0, before: 9) == Sample.at(4))
    tracker.add(Self.mark(12, 0, 8))
    #expect(tracker.watermark(of: 0, before: 7) == Sample.at(4))
    #expect(tracker.watermark(of: 0, before: 8) == Sample.at(12))
  }

  @Test("Pruning changes no answer")
  func prune() {
    let other = TopicPartition("t", 1)
    var pruned = WatermarkTracker()
    var kept = WatermarkTracker()
    pruned.follow([Self.partition, other], from: [nil, nil])
    kept.follow([Self.partition, other], from: [nil, nil])
    for step in 1...50 as ClosedRange<Int64> {
      let mark = Self.mark(step, step, step / 2)
      pruned.add(mark)
      kept.add(mark)
      for (slot, offset) in [(0, step), (1, step / 3)] {
        #expect(
          pruned.watermark(of: slot, before: offset)
            == kept.watermark(of: slot, before: offset))
      }
      pruned.prune()
    }
  }

  /// What one partition's consumer sees: records and marks, in the order of the log.
  private struct Script {
    private static let partition = TopicPartition("t", 0)
    /// Event times of the records, in seconds, and after how many marks each was appended.
    var records: [(time: Int64, marks: Int)] = []
    var marks: [ResolvedMark] = []

    init(seed: UInt64) {
      var random = RandomStreams(seed: seed).stream("script")
      var now: Int64 = 0
      for _ in 0..<60 {
        now += Int64(random.below(3))
        if random.chance(0.3) {
          marks.append(WatermarkTrackerTests.mark(now - 2, Int64(records.count)))
        } else {
          records.append((now - Int64(random.below(6)), marks.count))
        }
      }
    }

    /// Which records are late by definition: a mark before them had passed their time.
    var late: [Bool] {
      records.map { record in
        marks.prefix(record.marks).contains { $0.resolvedAt >= Sample.at(record.time) }
      }
    }

    /// Which are late to a consumer that polls `sizes` records at a time, restarts now and then,
    /// and sees more marks than it needs to.
    func late(polls seed: UInt64) -> [Bool] {
      var random = RandomStreams(seed: seed).stream("polls")
      var tracker = WatermarkTracker()
      tracker.follow([Self.partition], from: [nil])
      var readMarks = 0
      var next = 0
      var late: [Bool] = []
      while next < records.count {
        let end = min(records.count, next + random.below(9))
        let needed = end > next ? records[end - 1].marks : 0
        let seen = max(readMarks, needed + random.below(marks.count - needed + 1))
        for mark in marks[readMarks..<seen] { tracker.add(mark) }
        readMarks = seen
        for offset in next..<end {
          let watermark = tracker.watermark(of: 0, before: Int64(offset))
          late.append(watermark.map { Sample.at(records[offset].time) <= $0 } ?? false)
        }
        next = end
        let watermark = tracker.watermark(of: 0, before: Int64(next))
        tracker.prune()
        if random.chance(0.2) {
          // A restart reads again at least the marks that the partition hasn't passed.
          let passed = marks.prefix { $0.end(of: Self.partition) <= Int64(next) }.count
          tracker.follow([Self.partition], from: [watermark])
          readMarks = random.below(min(passed, readMarks) + 1)
        }
      }
      return late
    }
  }

  @Test("Which records are late depends on the log alone, not on the polls", arguments: 1...40)
  func deterministic(seed: UInt64) {
    let script = Script(seed: seed)
    #expect(script.late.contains(true) && script.late.contains(false))
    for polls in 1...20 as ClosedRange<UInt64> {
      #expect(script.late(polls: polls) == script.late)
    }
  }
}
