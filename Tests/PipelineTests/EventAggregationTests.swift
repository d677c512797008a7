import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

/// What a run takes and what it makes of it. Failures are in `EventAggregationFaultTests`.
@Suite("Event aggregation")
struct EventAggregationTests {
  /// Views of images 1 and 2 across two windows, a comment, a flag on an image, one on a comment.
  static let script: [PlatformEvent] = [
    Events.view(1, at: 0), Events.view(2, at: 299, by: 3, eligible: false),
    Events.view(3, at: 300), Events.view(4, image: 2, at: 10), Events.comment(5, at: 20),
    Events.flag(6, at: 30, by: 2), Events.flag(7, image: nil, comment: 5, at: 31),
  ]

  @Test("The first run reads from the earliest offset")
  func firstRun() throws {
    try simulate { world in
      try await world.append(Self.script)
      let counts = try await world.aggregation.run()
      #expect(counts == ["views": 4, "comments": 1, "flags": 1])
      #expect(try await world.windows(.views) == ["1 @ 0": 2, "1 @ 300": 1, "2 @ 0": 1])
      #expect(try await world.windows(.comments) == ["1 @ 0": 1])
      #expect(try await world.windows(.flags) == ["1 @ 0": 1], "flags on comments are skipped")
      #expect(
        try await world.events(.views) == [
          "1 of 1 by nobody at 0", "2 of 1 by 3 at 299 (ineligible)", "3 of 1 by nobody at 300",
          "4 of 2 by nobody at 10",
        ])
      #expect(try await world.events(.flags) == ["6 of 1 by 2 at 30"])
    }
  }

  @Test("Bronze rows name the record's partition and offset")
  func positions() throws {
    try simulate { world in
      try await world.append(Self.script)
      _ = try await world.aggregation.run()
      let rows = try await world.lake.scan(LakeTables.events(.views), snapshot: nil)
      let partitions = rows.integers("kafka_partition")
      let offsets = rows.integers("kafka_offset")
      for (row, id) in rows.strings("event_id").enumerated() {
        let partition = TopicPartition("gourmetgram.views", Int(partitions[row]))
        let record = try await world.log.read(partition, from: offsets[row], limit: 1)[0]
        let event = try EventCodec.decode(record.value, fallbackID: .number(0))
        #expect(event.id.description == id)
      }
    }
  }

  @Test("Windows start at multiples of 5 minutes, end 5 minutes later and are half-open")
  func windows() throws {
    try simulate { world in
      try await world.append([
        Events.view(1, at: -1), Events.view(2, at: 0), Events.view(3, at: 299),
      ])
      _ = try await world.aggregation.run()
      let rows = try await world.lake.scan(LakeTables.windows(.views), snapshot: nil)
      let starts = rows.integers("window_start")
      #expect(starts == [Sample.at(-300).microseconds, Sample.at(0).microseconds])
      #expect(rows.integers("window_end") == starts.map { $0 + 300_000_000 })
      #expect(rows.integers("event_count") == [1, 2])
      #expect(
        rows.integers("processed_at") == [Sample.start.microseconds, Sample.start.microseconds])
    }
  }

  @Test("The second run takes only what is new, and partial rows of a window add up")
  func secondRun() throws {
    try simulate { world in
      try await world.append(Self.script)
      _ = try await world.aggregation.run()
      try await world.append([Events.view(11, at: 100), Events.comment(12, at: 21)])
      #expect(try await world.aggregation.run() == ["views": 1, "comments": 1, "flags": 0])
      #expect(try await world.windows(.views)["1 @ 0"] == 3)
      #expect(try await world.windows(.comments)["1 @ 0"] == 2)
      let rows = try await world.lake.scan(LakeTables.windows(.views), snapshot: nil)
      #expect(rows.count == 4, "two partial rows of one window")
      #expect(try await world.aggregation.run() == ["views": 0, "comments": 0, "flags": 0])
      #expect(try await world.lake.snapshots(of: LakeTables.windows(.views)).count == 2)
    }
  }

  @Test("What arrives during a run is left to the next one")
  func boundary() throws {
    try simulate { world in
      try await world.append(Self.script)
      var slow = world
      slow.lake = HookedLake(world.lake, before: "createTable") {
        try? await world.append([Events.view(50, at: 1), Events.flag(51, at: 1)])
      }
      #expect(try await slow.aggregation.run() == ["views": 4, "comments": 1, "flags": 1])
      #expect(try await world.aggregation.run() == ["views": 1, "comments": 0, "flags": 1])
    }
  }

  @Test("What can't be decoded is skipped")
  func undecodable() throws {
    try simulate { world in
      try await world.append("nonsense", to: "gourmetgram.views")
      try await world.append([0xFF], to: "gourmetgram.views")
      try await world.append(Self.script)
      #expect(try await world.aggregation.run()["views"] == 4)
      #expect(try await world.aggregation.run()["views"] == 0)
    }
  }

  @Test("An event that the log holds twice is taken once, within a run and across runs")
  func duplicates() throws {
    try simulate { world in
      try await world.append(Self.script + Self.script)
      _ = try await world.aggregation.run()
      try await world.append(Self.script)
      _ = try await world.aggregation.run()
      let view = try await world.lakeView()
      #expect(view.windows == (try await world.expectedWindows()))
      #expect(view.events["views"]?.count == 4)
      #expect(view.windows["views"] == ["1 @ 0": 2, "1 @ 300": 1, "2 @ 0": 1])
    }
  }

  @Test("An event that comes again hours later is taken once, whatever comes with it")
  func lateRepeats() throws {
    try simulate { world in
      func append(_ number: UInt64, at time: String) async throws {
        let text = """
          {"event_type":"view","event_id":"\(EventID.number(number))",\
          "image_id":"\(ImageID.number(1))","viewed_at":"2025-06-15T\(time)Z"}
          """
        try await world.append(text, to: "gourmetgram.views")
      }
      let hours = [(1, "14:00:00"), (2, "15:00:00"), (3, "16:00:00")] as [(UInt64, String)]
      for (number, time) in hours {
        try await append(number, at: time)
        #expect(try await world.aggregation.run()["views"] == 1)
      }
      for (number, time) in [hours[1], (4, "16:30:00"), hours[0], hours[2]] {
        try await append(number, at: time)
      }
      #expect(try await world.aggregation.run()["views"] == 1)
      #expect(try await world.lakeView().events["views"]?.count == 4)
    }
  }

  @Test("A view without an id of its own is told apart by its place in the log")
  func idless() throws {
    try simulate { world in
      let image: ImageID = .number(1)
      let text =
        "{\"event_type\":\"view\",\"image_id\":\"\(image)\",\"viewed_at\":\"2025-06-15T14:00:00Z\"}"
      for _ in 0..<3 { try await world.append(text, to: "gourmetgram.views") }
      #expect(try await world.aggregation.run()["views"] == 3)
      #expect(try await world.aggregation.run()["views"] == 0)
    }
  }

  @Test("Reading in small batches changes nothing", arguments: [1, 2, 3])
  func batches(limit: Int) throws {
    try simulate { world in
      try await world.append(Self.script)
      let counts = try await world.with { $0.batchLimit = limit }.aggregation.run()
      #expect(counts == ["views": 4, "comments": 1, "flags": 1])
    }
  }

  @Test("The checkpoint has the boundary's offsets; each table's snapshot its own")
  func checkpoint() throws {
    try simulate { world in
      try await world.append(Self.script)
      _ = try await world.aggregation.run()
      let name = EventAggregation.checkpointName
      let checkpoint = try #require(try await world.checkpoints.load(name))
      for metric in Metric.allCases {
        let ends = try await world.log.ends(of: metric.topic)
        for (partition, end) in ends.enumerated() {
          #expect(checkpoint.offsets[TopicPartition(metric.topic, partition)] == end)
        }
        for table in [LakeTables.events(metric), LakeTables.windows(metric)] {
          let noted = try await world.lake.current(table)?.summary[LogOffsets.key]
          #expect(noted == ends.map(String.init).joined(separator: ","))
        }
      }
    }
  }

  @Test("The history is complete through the last resolved mark within the boundary")
  func completeThrough() throws {
    try simulate { world in
      try await world.append(Self.script)
      try await world.resolve(40)
      try await world.append([Events.view(20, at: 50)])
      try await world.resolve(60)
      var slow = world
      slow.log = HookedLog(world.log, afterEndsOf: "gourmetgram.flags") {
        try? await world.append([Events.view(21, at: 61)])
        try? await world.resolve(70)
      }
      _ = try await slow.aggregation.run()
      let name = EventAggregation.checkpointName
      #expect(try await world.checkpoints.load(name)?.completeThrough == Sample.at(60))
    }
  }

  @Test("Without a mark the completeness isn't known; published directly, it follows the clock")
  func completeThroughWithoutMarks() throws {
    try simulate { world in
      await world.reach(100)
      let name = EventAggregation.checkpointName
      _ = try await world.aggregation.run()
      #expect(try await world.checkpoints.load(name)?.completeThrough == nil)
      _ = try await world.with { $0.publication = .direct }.aggregation.run()
      #expect(try await world.checkpoints.load(name)?.completeThrough == Sample.at(95))
    }
  }

  @Test("The last mark is found behind any number of marks that can't be used")
  func manyMarks() throws {
    try simulate { world in
      try await world.resolve(10)
      for _ in 0..<120 { try await world.append("nonsense", to: Topic.resolved) }
      _ = try await world.aggregation.run()
      let name = EventAggregation.checkpointName
      #expect(try await world.checkpoints.load(name)?.completeThrough == Sample.at(10))
    }
  }
}
