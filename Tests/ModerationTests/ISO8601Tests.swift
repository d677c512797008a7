import Testing

@testable import Moderation

@Suite("ISO8601")
struct ISO8601Tests {
  @Test(
    "Every accepted form names its instant",
    arguments: [
      ("2026-01-05T09:00:00Z", EventTime.utc(2026, 1, 5, 9)),
      ("2026-01-05T09:00:00", .utc(2026, 1, 5, 9)),
      ("2026-01-05 09:00:00", .utc(2026, 1, 5, 9)),
      ("2026-01-05 09:00:00+00:00", .utc(2026, 1, 5, 9)),
      ("2026-01-05T09:00:00-00:00", .utc(2026, 1, 5, 9)),
      ("2026-01-05T09:00Z", .utc(2026, 1, 5, 9)),
      ("2026-01-05T09:00", .utc(2026, 1, 5, 9)),
      ("2026-01-05T09:00+02:00", .utc(2026, 1, 5, 7)),
      ("2026-01-05T09:00:00+02:00", .utc(2026, 1, 5, 7)),
      ("2026-01-05T09:00:00+0200", .utc(2026, 1, 5, 7)),
      ("2026-01-05T09:00:00+02", .utc(2026, 1, 5, 7)),
      ("2026-01-05T09:00:00-05:30", .utc(2026, 1, 5, 14, 30)),
      ("2026-01-05T09:00:00-0530", .utc(2026, 1, 5, 14, 30)),
      ("2026-01-01T00:30:00+01:00", .utc(2025, 12, 31, 23, 30)),
      ("2025-12-31T23:30:00-01:00", .utc(2026, 1, 1, 0, 30)),
      ("2026-01-05T09:00:00+23:59", .utc(2026, 1, 4, 9, 1)),
      ("2024-02-29T23:59:59Z", .utc(2024, 2, 29, 23, 59, 59)),
      ("1969-12-31T23:59:59.999999Z", .utc(1970, 1, 1, microsecond: -1)),
      ("0001-01-01T00:00:00Z", .utc(1, 1, 1)),
      ("9999-12-31T23:59:59.999999Z", .utc(9999, 12, 31, 23, 59, 59, microsecond: 999_999)),
    ])
  func accepted(text: String, time: EventTime) { #expect(ISO8601.parse(text) == time) }

  @Test(
    "A fraction has any number of digits; those past microseconds are dropped",
    arguments: [
      ("5", 500_000), ("05", 50_000), ("123", 123_000), ("1234", 123_400), ("12345", 123_450),
      ("123456", 123_456), ("1234567", 123_456), ("123456789", 123_456), ("9999999", 999_999),
      ("0000009", 0), ("000001", 1), ("1234567890123456789012345", 123_456),
    ] as [(String, Int64)])
  func fractions(digits: String, microsecond: Int64) {
    let expected = EventTime.utc(2026, 1, 5, 9, microsecond: microsecond)
    for zone in ["", "Z", "+00:00"] {
      #expect(ISO8601.parse("2026-01-05T09:00:00.\(digits)\(zone)") == expected)
    }
  }

  @Test(
    "Text that names no instant is refused",
    arguments: [
      "", " ", "now", "2026", "2026-01", "2026-01-05", "2026-01-05T", "2026-01-05T09",
      "2026-01-05T09Z", "2026-01-05T09:", "2026-01-05T09:0", "2026-01-05T09:00:",
      "2026-01-05T09:00:0", "2026-01-05T09:00:00.", "2026-01-05T09:00:00.Z",
      "2026-01-05T09:00:00,5Z", "2026-01-05T09:00.5Z", "2026-00-05T09:00:00Z",
      "2026-13-05T09:00:00Z", "2026-01-00T09:00:00Z", "2026-01-32T09:00:00Z",
      "2026-02-29T09:00:00Z", "1900-02-29T09:00:00Z", "2026-04-31T09:00:00Z",
      "2026-01-05T24:00:00Z", "2026-01-05T09:60:00Z", "2026-01-05T09:00:60Z",
      "2026-01-05T09:00:00+24:00", "2026-01-05T09:00:00+02:60", "2026-01-05T09:00:00+2",
      "2026-01-05T09:00:00+2:00", "2026-01-05T09:00:00+02:", "2026-01-05T09:00:00+02:0",
      "2026-01-05T09:00:00+020", "2026-01-05T09:00:00+", "2026-01-05T09:00:00Z ",
      " 2026-01-05T09:00:00Z", "2026-01-05T09:00:00ZZ", "2026-01-05T09:00:00Z+00:00",
      "2026-01-05T09:00:00 Z", "2026-01-05t09:00:00Z", "2026-01-05T09:00:00z",
      "2026/01/05T09:00:00Z", "20260105T090000Z", "26-01-05T09:00:00Z", "+2026-01-05T09:00:00Z",
      "-026-01-05T09:00:00Z", "2026-1-5T09:00:00Z", "2026-01-05T9:00:00Z", "2026-01-05T09-00-00Z",
      "2026-01-05T09:00:-1Z", "２026-01-05T09:00:00Z", "2026-01-05T09:00:00\0", "1767603600",
    ])
  func refused(text: String) { #expect(ISO8601.parse(text) == nil) }

  @Test(
    "The text is 27 characters: microseconds and Z, every part padded",
    arguments: [
      (EventTime(microseconds: 0), "1970-01-01T00:00:00.000000Z"),
      (EventTime(microseconds: -1), "1969-12-31T23:59:59.999999Z"),
      (.utc(2026, 1, 5, 9, 8, 7, microsecond: 42), "2026-01-05T09:08:07.000042Z"),
      (.utc(7, 3, 1, 23, 59, 59, microsecond: 999_999), "0007-03-01T23:59:59.999999Z"),
      (.utc(0, 1, 1), "0000-01-01T00:00:00.000000Z"),
      (.utc(9999, 12, 31), "9999-12-31T00:00:00.000000Z"),
    ])
  func text(time: EventTime, text: String) {
    #expect(ISO8601.string(time) == text)
    #expect(time.description == text)
    #expect(ProcessingTime(microseconds: time.microseconds).description == text)
  }

  @Test("An instant of the years 0 to 9999 survives the round trip through its text")
  func roundTrip() {
    var random = SplitMix64(seed: 1)
    let first = EventTime.utc(0, 1, 1).microseconds
    let last = EventTime.utc(9999, 12, 31, 23, 59, 59, microsecond: 999_999).microseconds
    var wrong: [Int64] = []
    for _ in 0..<5000 {
      let time = EventTime(microseconds: .random(in: first...last, using: &random))
      if ISO8601.parse(ISO8601.string(time)) != time { wrong.append(time.microseconds) }
    }
    #expect(wrong.isEmpty, "first wrong instants: \(wrong.prefix(3))")
  }

  @Test("Text order is time order")
  func order() {
    var random = SplitMix64(seed: 2)
    let range = EventTime.utc(1900, 1, 1).microseconds...EventTime.utc(2100, 1, 1).microseconds
    let times = (0..<500).map { _ in
      EventTime(microseconds: .random(in: range, using: &random))
    }
    #expect(times.sorted().map(\.description) == times.map(\.description).sorted())
  }

  @Test("What parses after the year 9999 in UTC can be written and read back, or doesn't parse")
  func lateEdge() {
    let time = ISO8601.parse("9999-12-31T23:59:59-01:00")
    #expect(time == time.flatMap { ISO8601.parse(ISO8601.string($0)) })
  }

  @Test("What parses before the year 0 in UTC can be written and read back, or doesn't parse")
  func earlyEdge() async {
    // A trap in here would take every other test with it, hence the process of its own.
    await #expect(processExitsWith: .success) {
      let time = ISO8601.parse("0000-01-01T00:00:00+01:00")
      precondition(time == time.flatMap { ISO8601.parse(ISO8601.string($0)) })
    }
  }

  @Test("The usual form is read as any other is: with one more digit the general reader takes it")
  func bothReaders() {
    var random = SplitMix64(seed: 8)
    for _ in 0..<200 {
      let time = EventTime(microseconds: .random(in: 0...4_000_000_000_000_000, using: &random))
      let text = Array(ISO8601.string(time).utf8)
      for place in 0..<26 {
        var changed = text
        changed[place] =
          random.once(in: 2)
          ? .random(in: 0...255, using: &random)
          : "0123459-:T.Z +a/".utf8.randomElement(using: &random) ?? 48
        var longer = changed
        longer.insert(48, at: 26)
        let (usual, general) = (
          String(decoding: changed, as: UTF8.self), String(decoding: longer, as: UTF8.self)
        )
        #expect(ISO8601.parse(usual) == ISO8601.parse(general), "\(usual)")
      }
    }
  }
}
