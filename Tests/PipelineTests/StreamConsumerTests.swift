import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// Counting, triggers, restarts, late events. Dead letters and failures have suites of their own.
@Suite("Stream consumer")
struct StreamConsumerTests {
  /// 3 views of image 1 and one of image 2, 2 comments by 2 users (one ineligible), 2 flags.
  static let script: [PlatformEvent] = [
    Events.upload(1, at: 0), Events.view(2, at: 1), Events.view(3, at: 2),
    Events.view(4, image: 2, at: 2), Events.comment(5, at: 3),
    Events.comment(6, at: 4, by: 2, eligible: false), Events.flag(7, at: 5),
    Events.view(8, at: 5), Events.flag(9, at: 6, by: 2),
    Events.flag(10, image: nil, comment: 5, at: 6),
  ]

  @Test("Every event is counted once, in both flavours, and comments' flags in neither")
  func counts() throws {
    try simulate { world in
      try await world.append(Self.script)
      await world.run([world.consumer()], for: 5)
      #expect(try await world.totals(at: 600) == [3, 2, 2])
      #expect(try await world.totals(image: 2, at: 600) == [1, 0, 0])
      let counts = try await world.counts(at: 10)
      #expect(counts.comments5min == .init(observed: 2, governed: 1))
      #expect(counts.views5min == .init(observed: 3, governed: 3))
    }
  }

  @Test("Progress is the end of every partition, idle ones included")
  func progress() throws {
    try simulate { world in
      try await world.append(Self.script)
      await world.run([world.consumer()], for: 5)
      let progress = try await world.features.progress()
      for topic in Catalog.sourceTopics {
        for (partition, end) in try await world.log.ends(of: topic).enumerated() {
          #expect(progress[TopicPartition(topic, partition)]?.nextOffset == end)
        }
      }
      #expect(progress.count == 12)
    }
  }

  @Test("The watermark of every partition follows the resolved marks")
  func watermark() throws {
    try simulate { world in
      try await world.append([Events.view(1, at: 0)])
      try await world.resolve(4)
      await world.run([world.consumer()], for: 5)
      let progress = try await world.features.progress().values
      #expect(progress.allSatisfy { $0.watermark == Sample.at(4) })
    }
  }

  @Test("With nobody publishing marks, the watermark of a drained log follows the clock")
  func directWatermark() throws {
    try simulate { world in
      let world = world.with { $0.publication = .direct }
      try await world.append([Events.view(1, at: 0)])
      await world.run([world.consumer()], for: 30)
      let progress = try await world.features.progress().values
      #expect(progress.allSatisfy { ($0.watermark?.sinceStart ?? -1) >= 23 })
      #expect(progress.allSatisfy { ($0.watermark?.sinceStart ?? 99) <= 25 })
    }
  }

  @Test("A restart goes on from what is applied, at any point", arguments: 0...9)
  func restart(split: Int) throws {
    try simulate { world in
      try await world.append(Array(Self.script[..<split]))
      await world.run([world.consumer()], for: 3)
      try await world.append(Array(Self.script[split...]))
      await world.run([world.consumer()], for: 3)
      #expect(try await world.totals(at: 600) == [3, 2, 2])
      #expect(world.journal.lines("duplicate").isEmpty)
    }
  }

  @Test("An event that the log holds twice is counted once, and reported")
  func redelivery() throws {
    try simulate { world in
      try await world.append(Self.script)
      await world.run([world.consumer()], for: 3)
      try await world.append([Self.script[1], Self.script[4], Self.script[6]])
      await world.run([world.consumer()], for: 3)
      #expect(try await world.totals(at: 600) == [3, 2, 2])
      let duplicates = world.journal.values("duplicate", "event_id").compactMap { EventID($0) }
      #expect(duplicates.map(\.number).sorted() == [2, 5, 7])
    }
  }

  @Test("An event behind the watermark is listed as late and counts right after the watermark")
  func late() throws {
    try simulate { world in
      await world.reach(20)
      try await world.append([Events.view(1, at: 8)])
      try await world.resolve(10)
      try await world.append([Events.view(2, at: 10), Events.view(3, at: 11)])
      await world.run([world.consumer()], for: 3)
      let late = world.journal.lines("late")
      #expect(late.compactMap { EventID($0.fields["event_id"] ?? "")?.number } == [2])
      #expect(late.map { $0.fields["event_time"] } == ["10"])
      #expect(late.map { $0.fields["watermark"] } == ["10"])
      // A score as of the watermark itself may be there already.
      for second in [9, 10] as [Int64] { #expect(try await world.totals(at: second) == [1, 0, 0]) }
      #expect(try await world.totals(at: 11) == [3, 0, 0])
    }
  }

  @Test(
    "Lateness doesn't depend on how many records a poll takes or on restarts",
    arguments: [1, 2, 3, 5, 500])
  func lateness(limit: Int) throws {
    try simulate { world in
      let world = world.with { $0.batchLimit = limit }
      await world.reach(100)
      for round in 0..<10 as Range<Int64> {
        try await world.append([
          Events.view(UInt64(10 * round + 1), at: 10 * round),
          Events.view(UInt64(10 * round + 2), at: 10 * round - 5),
          Events.view(UInt64(10 * round + 3), at: 10 * round - 15),
        ])
        try await world.resolve(10 * round - 2)
        if round % 3 == 2 { await world.run([world.consumer()], for: 1) }
      }
      for _ in 0..<3 { await world.run([world.consumer()], for: 2) }
      let late = world.journal.values("late", "event_id").compactMap { EventID($0)?.number }
      // Each round's third view is 15 s old, when the mark stands 12 s before the round.
      #expect(late.sorted() == (1...9).map { 10 * $0 + 3 })
      #expect(try await world.totals(at: 200) == [30, 0, 0])
    }
  }

  @Test("Two instances share the partitions and count everything once")
  func sharing() throws {
    try simulate { world in
      let seen = Notes<(name: String, partition: TopicPartition)>()
      let consumers = ["a", "b"].map { name in
        world.consumer(name) { poll in
          for record in poll.records { seen.note((name, record.partition)) }
        }
      }
      await withTaskGroup { group in
        group.addTask { await world.run(consumers, for: 20) }
        group.addTask {
          await world.reach(5)
          for number in 1...60 as ClosedRange<UInt64> {
            try? await world.append([Events.view(number, image: number % 6, at: 5)])
            await world.environment.time.sleep(for: .milliseconds(100))
          }
        }
      }
      var total = 0
      for image in 0..<6 as Range<UInt64> {
        total += try await world.totals(image: image, at: 600)[0]
      }
      #expect(total == 60)
      let owners = Dictionary(grouping: seen.values, by: \.partition)
        .mapValues { Set($0.map(\.name)) }
      #expect(owners.values.allSatisfy { $0.count == 1 }, "a partition has one owner")
      #expect(Set(owners.values) == [["a"], ["b"]], "both work")
    }
  }

  @Test("When an instance dies, the other takes over without a gap or a repeat")
  func takeover() throws {
    try simulate { world in
      await withTaskGroup { group in
        group.addTask { await world.run([world.consumer("a")], for: 60) }
        group.addTask { await world.run([world.consumer("b")], for: 8) }
        group.addTask {
          for number in 1...200 as ClosedRange<UInt64> {
            try? await world.append([Events.view(number, image: number % 6, at: 5)])
            await world.environment.time.sleep(for: .milliseconds(100))
          }
        }
      }
      var total = 0
      for image in 0..<6 as Range<UInt64> {
        total += try await world.totals(image: image, at: 600)[0]
      }
      #expect(total == 200)
      #expect(world.journal.lines("duplicate").isEmpty)
    }
  }
}
