import Moderation
import Pipeline
import Ports
import Testing

@testable import Harness

@Suite("Golden causes")
struct GoldenCauseTests {
  /// The causes shown when the golden has other values than the run.
  private static func causes(
    _ test: String = #function, _ change: (inout Golden) throws -> Void
  ) throws -> [String] {
    let run = try CauseTests.run.get()
    return try withTemporaryFolder(test) { folder in
      let store = GoldenStore(root: folder)
      var golden = run.golden(Judgement(run))
      try change(&golden)
      _ = try store.accept(golden)
      return try store.compare(run.golden(Judgement(run)), tolerances: [:]).causes(in: run)
    }
  }

  private static func set(
    _ golden: inout Golden, _ table: String, _ row: String, _ column: String, _ value: String
  ) throws {
    let place = try #require(golden.tables.firstIndex { $0.name == table })
    let index = try #require(golden.tables[place].rows.firstIndex { $0.contains(row) })
    let cell = try #require(golden.tables[place].columns.firstIndex(of: column))
    golden.tables[place].rows[index][cell] = value
  }

  @Test("The first changed cell of each table is traced in a few lines; nothing else is")
  func cells() throws {
    let lines = try Self.causes { golden in
      try Self.set(&golden, "scores", "soup/flagged", "views_5min", "7")
      try Self.set(&golden, "scores", "soup/anchor_30m", "views_1hr", "7")
      try Self.set(&golden, "windows", "soup", "event_count", "1")
    }
    let table = LakeTables.windows(.flags)
    let snapshot = try #require(try CauseTests.run.get().snapshots[table]?.first?.id)
    #expect(
      CauseTests.brief(lines) == """
        cause of scores soup/anchor_30m, 09:35:00, heuristic, views_1hr:
          soup/anchor_30m scored 0.4 as of 09:35:00 by heuristic v1: 0 + 0.4 flagged
            views_1hr = 10: views in (08:35:00, 09:35:00]
              views-2@0  09:06:00  applied 09:06:00  user-2
              … 8 more
              views-2@9  09:08:00  applied 09:12:00  user-3, late: the watermark was at 09:11:58
              views-2@10  09:08:00  applied 09:13:00  user-3, not counted: a repeat of an event \
        that was applied before
        cause of windows flag_windows_5min, soup, 09:05:00, event_count:
          flag_windows_5min soup 09:05:00 = 2: flags in [09:05:00, 09:10:00)
            2 counted at 09:10:00 by event-aggregation in snapshot \(snapshot) of \(table)
            flags-2@0  09:08:00  applied 09:08:00  user-2
            flags-2@1  09:08:20  applied 09:08:40  user-3
        """)
    #expect(try Self.causes { _ in } == [])
  }

  @Test("A row that the run has no more is explained by why it isn't there, an added one as it is")
  func rows() throws {
    let lost = try Self.causes { golden in
      let place = try #require(golden.tables.firstIndex { $0.name == "training_data" })
      var row = try #require(golden.tables[place].rows.first)
      row[1] = "7"
      golden.tables[place].rows.append(row)
    }
    #expect(
      lost == [
        "cause of training_data image-1, 7:",
        "  image-1 has no training row at 7 min: there are 0m, 5m, 30m",
      ])
    let added = try Self.causes { golden in
      let place = try #require(golden.tables.firstIndex { $0.name == "training_data" })
      golden.tables[place].rows.removeAll { $0[0] == "soup" && $0[1] == "30" }
    }
    #expect(added.first == "cause of training_data soup, 30:")
    #expect(CauseTests.brief(added).contains("soup at 30 min, as of 09:35:00"))
    #expect(added.count < 10)
  }
}
