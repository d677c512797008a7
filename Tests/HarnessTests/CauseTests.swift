import Foundation
import Moderation
import Pipeline
import Ports
import Testing

@testable import Harness

@Suite("Cause")
struct CauseTests {
  /// A late view, a repeated flag, a test account, and a consumer that is gone for a while.
  static let soup = """
    name: soup
    about: Why soup is scored as it is.
    duration: 40m
    population: { users: 4, images: 1, minors: 0, test_accounts: 0, near_birthday: 0 }
    traffic:
      - user: { as: tester, at: 1m, test_account: true }
      - upload: { as: soup, at: 5m, category: Soup, caption: hot, by: user-1 }
      - view: { on: soup, at: 6m, by: user-2, times: 8, every: 5s }
      - view: { on: soup, at: 7m, by: tester }
      - view: { on: soup, at: 12m, by: user-3, late_by: 4m }
      - flag: { on: soup, at: 8m, by: user-2 }
      - flag: { on: soup, at: 8m20s, by: user-3 }
      - duplicates: { at: 13m, last: 1 }
    faults:
      - { at: 8m10s, crash: stream-consumer, for: 30s }
    jobs:
      - { at: 10m, run: event-aggregation }
      - { at: end, run: event-aggregation }
      - { at: end, run: training-set }

    """

  static let run = Result { try ScenarioRun(Scenario(yaml: soup, file: "soup.yaml")).run() }

  /// Lines with short instants and topics: what stays is exact.
  static func brief(_ lines: [String]) -> String {
    lines.joined(separator: "\n").replacing("2026-01-05T", with: "")
      .replacing(".000000Z", with: "").replacing("gourmetgram.", with: "")
      .replacing("moderation_", with: "")
  }

  private static func explain(_ question: CauseQuestion) throws -> Cause {
    try CauseTracer(try run.get()).explain(question)
  }

  @Test("A score goes back to its rules, features, records, request, wait and faults")
  func score() throws {
    let request = try #require(
      try Self.run.get().scores.first { $0.request.trigger == .flagged }?.request.id)
    let cause = try Self.explain(.score("soup,flagged"))
    #expect(
      Self.brief(cause.lines()) == """
        soup/flagged scored 0.4 as of 09:08:20 by heuristic v1: 0 + 0.4 flagged
          rule flagged adds 0.4: total_flags 2 > 0
            total_flags = 2: flags up to 09:08:20
              flags-2@0  09:08:00  applied 09:08:00  user-2
              flags-2@1  09:08:20  applied 09:08:40  user-3
              flags-2@2  09:08:20  applied 09:13:00  user-3, not counted: a repeat of an event \
        that was applied before
          rule comment-burst adds nothing: comments_5min 0 isn't > 10
          rule view-burst adds nothing: views_5min 9 isn't > 100
          trigger flagged: flags_5min reached 2, threshold 2, with flags-2@1
            flags_5min = 2: flags in (09:03:20, 09:08:20]
              flags-2@0  09:08:00  applied 09:08:00  user-2
              flags-2@1  09:08:20  applied 09:08:40  user-3, crossed the threshold
              flags-2@2  09:08:20  applied 09:13:00  user-3, not counted: a repeat of an event \
        that was applied before
          request \(request): requests-2@1, published 09:08:40
          scored 20.000 s after the instant, 19.000 s of it until: the stream consumer applied \
        flags-2@1
            +1.000 s  the mark resolved-0@500 resolved all up to 09:08:20
            +20.000 s  the stream consumer applied flags-2@1
            +20.000 s  the request was published
            +20.000 s  scored
            fault: crash stream-consumer at 09:08:10 for 30.000 s
        """)
    #expect(try Self.explain(.score(request.description)).lines() == cause.lines())
    #expect(try Self.explain(.score("soup/flagged")).lines() == cause.lines())
  }

  @Test("A training row goes back to the lake's rows, what governance left out, and the skew")
  func row() throws {
    let run = try Self.run.get()
    let snapshot = try #require(run.snapshots[LakeTables.trainingData]?.last?.id)
    let flags = run.tables.flags.map { "\($0.id)" }
    #expect(
      Self.brief(try Self.explain(.row("soup,5m")).lines()) == """
        soup at 5 min, as of 09:10:00: training row, label null
          written by training-set in snapshot \(snapshot) of moderation.training_data, committed \
        09:40:03, history known until 09:40:00
          views_5min = 9: eligible views in (09:05:00, 09:10:00]
            views-2@0  09:06:00  applied 09:06:00  user-2
            views-2@1  09:06:05  applied 09:06:05  user-2
            … 5 more
            views-2@7  09:06:35  applied 09:06:35  user-2
            views-2@9  09:08:00  applied 09:12:00  user-3, late: the watermark was at 09:11:58
            views-2@8  09:07:00  applied 09:07:00  tester, ineligible: test account, left out
          views_1hr = 9: eligible views in (08:10:00, 09:10:00]: the same as of views_5min
          flags_5min = 2: eligible flags in (09:05:00, 09:10:00]
            flags-2@0  09:08:00  applied 09:08:00  user-2
            flags-2@1  09:08:20  applied 09:08:40  user-3
          flags_1hr = 2: eligible flags in (08:10:00, 09:10:00]: the same as of flags_5min
          total_flags = 2: eligible flags up to 09:10:00: the same as of flags_5min
          view_velocity_per_min = 1.8: views_5min / 5
          recent_engagement_score = 9: views_5min + 5 · comments_5min
          from the upload at 09:05:00: time_since_upload_seconds = 300, hour_of_day = 9
          from the caption: caption_length = 3, has_caption = 1
          from the uploader user-1: user_image_count = 2
          label null: flags are known until 09:40:00, not until 2026-01-06T09:05:00
            flag \(flags[0])  09:08:00  user-2  flags-2@0, doesn't count: at or before the \
        decision point
            flag \(flags[1])  09:08:20  user-3  flags-2@1, doesn't count: at or before the \
        decision point
          the scorer at anchor_5m, 09:10:02, saw other values
            skew: views_5min was 8 online, is 9 here, for events that came late
            skew: views_1hr was 8 online, is 9 here, for events that came late
            skew: view_velocity_per_min was 1.6 online, is 1.8 here, for events that came late
            skew: recent_engagement_score was 8 online, is 9 here, for events that came late
        """)
  }

  @Test("A window goes back to every snapshot that wrote it and to the events in it")
  func window() throws {
    let run = try Self.run.get()
    let snapshots = (run.snapshots[LakeTables.windows(.views)] ?? []).map { "\($0.id)" }
    #expect(snapshots.count == 2)
    let cause = try Self.explain(.window("view_windows_5min,soup,2026-01-05T09:05:00Z"))
    let table = "event_aggregations.view_windows_5min"
    #expect(
      Self.brief(cause.lines()) == """
        view_windows_5min soup 09:05:00 = 10: views in [09:05:00, 09:10:00)
          9 counted at 09:10:00 by event-aggregation in snapshot \(snapshots[0]) of \(table)
          1 counted at 09:40:03 by event-aggregation in snapshot \(snapshots[1]) of \(table)
          views-2@0  09:06:00  applied 09:06:00  user-2
          views-2@1  09:06:05  applied 09:06:05  user-2
          … 6 more
          views-2@8  09:07:00  applied 09:07:00  tester, ineligible: test account
          views-2@9  09:08:00  applied 09:12:00  user-3, late: the watermark was at 09:11:58
        """)
    #expect(cause.lines(showsAll: true).count == 1 + 2 + 10)
    for table in ["view_windows", "event_aggregations.view_windows_5min"] {
      let again = try Self.explain(.window("\(table),soup,2026-01-05T09:05:00Z"))
      #expect(again.lines() == cause.lines())
    }
  }

  @Test("JSON has every record, uncut, with where it stands")
  func json() throws {
    struct Node: Decodable {
      var kind: String
      var name: String?
      var topic: String?
      var partition: Int?
      var offset: Int?
      var causes: [Node]
    }
    let cause = try Self.explain(.row("soup,5m"))
    let tree = try JSONDecoder().decode(Node.self, from: Data(cause.json.utf8))
    #expect(tree.kind == "row")
    let views = try #require(tree.causes.first { $0.name == "views_5min" })
    #expect(views.causes.map(\.kind) == Array(repeating: "record", count: 9) + ["left-out"])
    #expect(views.causes.map(\.offset) == [0, 1, 2, 3, 4, 5, 6, 7, 9, 8])
    #expect(views.causes.allSatisfy { $0.topic == "gourmetgram.views" && $0.partition == 2 })
  }

  @Test(
    "What isn't there is named with what is",
    arguments: [
      ("score", "soop,viral", "there is no image 'soop'; did you mean 'soup'?"),
      ("score", "soup,flaged", "there is no score of soup by 'flaged'; did you mean 'flagged'?"),
      (
        "score", "soup,popularity",
        "there is no score of soup by 'popularity'; there are: anchor_0m, anchor_30m, anchor_5m, "
          + "flagged"
      ),
      ("score", "soup", "'soup' is no request; write its id or IMAGE,TRIGGER, as hero,viral"),
      (
        "score", "00000000-0000-4000-8000-000000000000",
        "the request 00000000-0000-4000-8000-000000000000 isn't in the run"
      ),
      (
        "row", "soup,7m", "soup has no training row at 7 min: there are 0m, 5m, 30m"
      ),
      ("row", "soup", "'soup' is no training row; write IMAGE,DECISION_POINT, as hero,5m"),
      ("row", "soup,soon", "'soon' is no decision point; write 0m, 5m or 30m"),
      (
        "row", "nothing-like-it,5m", "there is no image 'nothing-like-it'; there are: image-1, soup"
      ),
      (
        "window", "view_window,soup,2026-01-05T09:05:00Z",
        "there is no window table 'view_window'; there are: view_windows_5min, "
          + "comment_windows_5min, flag_windows_5min"
      ),
      (
        "window", "view_windows,soup,2026-01-05T09:06:00Z",
        "windows start at whole 5 minutes; did you mean 2026-01-05T09:05:00.000000Z?"
      ),
      (
        "window", "flag_windows,soup,2026-01-05T09:00:00Z",
        "event_aggregations.flag_windows_5min has no window of soup at "
          + "2026-01-05T09:00:00.000000Z; there are: 2026-01-05T09:05:00.000000Z"
      ),
      ("window", "view_windows,soup,nine", "'nine' is no instant; write 2026-01-05T09:30:00Z"),
    ])
  func absent(kind: String, text: String, message: String) throws {
    let error = try #require(throws: CauseError.self) {
      switch kind {
      case "row": try Self.explain(.row(text))
      case "window": try Self.explain(.window(text))
      default: try Self.explain(.score(text))
      }
    }
    #expect(error.description == message)
  }

  @Test("A row that isn't there is explained by its deletion, its uploader or the missing build")
  func absentRows() throws {
    let tiny = CauseTracer(try ScenarioTexts.soundRun.get())
    #expect(
      throws: CauseError(
        "cake has no training row at 5 min: the image was deleted at 2026-01-05T09:30:00.000000Z")
    ) { try tiny.explain(.row("cake,5m")) }
    let text = """
      name: unfit
      about: A test account uploads, and no training set is built.
      duration: 10m
      population: { users: 2, images: 0, minors: 0, test_accounts: 0 }
      traffic:
        - user: { as: tester, at: 1m, test_account: true }
        - upload: { as: soup, at: 2m, by: tester }

      """
    let jobs = "jobs: [{ at: end, run: event-aggregation }, { at: end, run: training-set }]\n"
    for (more, why) in [
      ("", "moderation.training_data was never built"),
      (jobs, "its uploader tester is ineligible: test account"),
    ] {
      let run = try ScenarioRun(Scenario(yaml: text + more, file: "unfit.yaml")).run()
      #expect(throws: CauseError("soup has no training row at 5 min: \(why)")) {
        try CauseTracer(run).explain(.row("soup,5m"))
      }
    }
  }
}
