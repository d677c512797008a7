import Testing

@testable import Moderation

@Suite("CivilDate")
struct CivilDateTests {
  @Test(
    "Day 0 is 1970-01-01, and known dates have known day numbers",
    arguments: [
      (1970, 1, 1, 0), (1969, 12, 31, -1), (2000, 2, 29, 11_016), (2000, 3, 1, 11_017),
      (1900, 3, 1, -25_508), (2026, 1, 5, 20_458), (1, 1, 1, -719_162), (0, 3, 1, -719_468),
      (9999, 12, 31, 2_932_896),
    ])
  func knownDays(year: Int, month: Int, day: Int, days: Int) {
    let date = CivilDate(year: year, month: month, day: day)
    #expect(date.daysSinceEpoch == days)
    #expect(CivilDate(daysSinceEpoch: days) == date)
  }

  @Test("Walking the calendar day by day agrees with the arithmetic over 200,000 days both ways")
  func walk() {
    var forward = CivilDate(year: 1970, month: 1, day: 1)
    var backward = forward
    var wrong: [Int] = []
    for days in 0...200_000 {
      if forward.daysSinceEpoch != days || CivilDate(daysSinceEpoch: days) != forward {
        wrong.append(days)
      }
      if backward.daysSinceEpoch != -days || CivilDate(daysSinceEpoch: -days) != backward {
        wrong.append(-days)
      }
      forward = Self.dayAfter(forward)
      backward = Self.dayBefore(backward)
    }
    #expect(wrong.isEmpty, "first wrong days: \(wrong.prefix(3))")
  }

  @Test("A day number survives the round trip, and later days are later dates")
  func roundTrip() {
    let steps = stride(from: -200_000, through: 200_000, by: 37)
    let wrong = steps.filter { days in
      let date = CivilDate(daysSinceEpoch: days)
      return date.daysSinceEpoch != days || date >= CivilDate(daysSinceEpoch: days + 1)
    }
    #expect(wrong.isEmpty, "first wrong days: \(wrong.prefix(3))")
  }

  @Test(
    "Every fourth year is a leap year, except centuries that 400 doesn't divide",
    arguments: [
      (2024, true), (2023, false), (1900, false), (2000, true), (2100, false), (2400, true),
      (0, true), (-4, true), (-1, false), (-100, false), (-400, true),
    ])
  func leap(year: Int, isLeap: Bool) { #expect(CivilDate.isLeap(year) == isLeap) }

  @Test(
    "The months have their lengths",
    arguments: [
      (2023, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]),
      (2024, [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]),
    ])
  func lengths(year: Int, days: [Int]) {
    #expect((1...12).map { CivilDate.days(in: $0, of: year) } == days)
  }

  @Test(
    "A day that the calendar lacks is no date",
    arguments: [
      (2026, 0, 1), (2026, 13, 1), (2026, -1, 1), (2026, 1, 0), (2026, 1, 32), (2026, 4, 31),
      (2026, 2, 29), (2024, 2, 30), (1900, 2, 29), (2026, 12, -1),
    ])
  func impossible(year: Int, month: Int, day: Int) {
    #expect(CivilDate(validYear: year, month: month, day: day) == nil)
  }

  @Test(
    "The first and the last day of a month are dates",
    arguments: [
      (2026, 1, 1), (2026, 12, 31), (2024, 2, 29), (2000, 2, 29), (2026, 4, 30), (0, 1, 1),
    ])
  func possible(year: Int, month: Int, day: Int) {
    let date = CivilDate(validYear: year, month: month, day: day)
    #expect(date == CivilDate(year: year, month: month, day: day))
  }

  @Test("Dates order by year, then month, then day")
  func order() {
    let dates = [(2025, 12, 31), (2026, 1, 1), (2026, 1, 2), (2026, 2, 1), (2027, 1, 1)].map {
      CivilDate(year: $0.0, month: $0.1, day: $0.2)
    }
    #expect(Array(dates.reversed()).sorted() == dates)
  }

  private static func dayAfter(_ date: CivilDate) -> CivilDate {
    var next = date
    next.day += 1
    if next.day > CivilDate.days(in: next.month, of: next.year) {
      next.day = 1
      next.month += 1
    }
    if next.month > 12 {
      next.month = 1
      next.year += 1
    }
    return next
  }

  private static func dayBefore(_ date: CivilDate) -> CivilDate {
    var previous = date
    previous.day -= 1
    guard previous.day == 0 else { return previous }
    previous.month -= 1
    if previous.month == 0 {
      previous.month = 12
      previous.year -= 1
    }
    previous.day = CivilDate.days(in: previous.month, of: previous.year)
    return previous
  }
}
