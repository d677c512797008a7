import Testing

@testable import Moderation

@Suite("EventTime")
struct EventTimeTests {
  @Test(
    "Hour and weekday are those of the UTC day, before 1970 too",
    arguments: [
      (EventTime.utc(1970, 1, 1), 0, 3),
      (EventTime.utc(1969, 12, 31, 23, 59, 59, microsecond: 999_999), 23, 2),
      (EventTime.utc(1969, 12, 31), 0, 2),
      (EventTime.utc(1969, 12, 29), 0, 0),
      (EventTime.utc(1969, 12, 28, 12), 12, 6),
      (EventTime.utc(1900, 1, 1, 1, 59, 59), 1, 0),
      (EventTime.utc(2026, 1, 5, 9), 9, 0),
      (EventTime.utc(2026, 1, 10, 8, 59, 59, microsecond: 999_999), 8, 5),
      (EventTime.utc(2024, 2, 29, 13), 13, 3),
    ])
  func hourAndWeekday(time: EventTime, hour: Int, weekday: Int) {
    #expect(time.hour == hour)
    #expect(time.weekday == weekday)
  }

  @Test(
    "A day begins at midnight, not a microsecond earlier or later",
    arguments: [
      CivilDate(year: 1970, month: 1, day: 1), CivilDate(year: 1969, month: 3, day: 1),
      CivilDate(year: 2026, month: 1, day: 5), CivilDate(year: 2024, month: 3, day: 1),
    ])
  func midnight(date: CivilDate) {
    let midnight = EventTime(date: date, microsecondsIntoDay: 0)
    let before = midnight - .microseconds(1)
    let after = midnight + .microseconds(1)
    #expect(before.date == CivilDate(daysSinceEpoch: date.daysSinceEpoch - 1))
    #expect(before.hour == 23)
    #expect(before.weekday == (midnight.weekday + 6) % 7)
    #expect([midnight.date, after.date] == [date, date])
    #expect([midnight.hour, after.hour] == [0, 0])
    #expect(after.weekday == midnight.weekday)
  }

  @Test("Weekdays follow each other for 4,000 days around 1970")
  func weekdays() {
    let wrong = (-2000..<2000).filter { day in
      let time = EventTime(microseconds: Int64(day) * 86_400_000_000 + 43_200_000_000)
      return time.weekday != (day + 7_003) % 7 || time.hour != 12
    }
    #expect(wrong.isEmpty, "first wrong days: \(wrong.prefix(3))")
  }

  @Test("Adding a duration and taking it away again gives the instant back")
  func arithmetic() {
    let time = EventTime.utc(2026, 1, 5, 9)
    #expect(time + .seconds(90) == .utc(2026, 1, 5, 9, 1, 30))
    #expect(time + .seconds(90) - .seconds(90) == time)
    #expect(time + .seconds(-1) == time - .seconds(1))
  }

  @Test(
    "A duration's microseconds are rounded towards zero",
    arguments: [
      (Duration.nanoseconds(1_999), 1), (.nanoseconds(-1_999), -1),
      (.milliseconds(-1_500), -1_500_000),
      (.seconds(86_400), 86_400_000_000), (.zero, 0),
    ] as [(Duration, Int64)])
  func durations(duration: Duration, microseconds: Int64) {
    #expect(duration.microseconds == microseconds)
  }

  @Test(
    "A 5-minute window holds its start and not its end, before 1970 too",
    arguments: [
      (EventTime.utc(2026, 1, 5, 9, 5), EventTime.utc(2026, 1, 5, 9, 5)),
      (.utc(2026, 1, 5, 9, 9, 59, microsecond: 999_999), .utc(2026, 1, 5, 9, 5)),
      (.utc(2026, 1, 5, 9, 10), .utc(2026, 1, 5, 9, 10)),
      (.utc(1969, 12, 31, 23, 59, 59, microsecond: 999_999), .utc(1969, 12, 31, 23, 55)),
      (.utc(1969, 12, 31, 23, 55), .utc(1969, 12, 31, 23, 55)),
      (.utc(1970, 1, 1), .utc(1970, 1, 1)),
    ])
  func tumblingWindow(time: EventTime, start: EventTime) {
    #expect(TumblingWindow.start(of: time) == start)
  }
}
