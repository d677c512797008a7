/// A date of the proleptic Gregorian calendar, without a time zone (the platform uses UTC only).
public struct CivilDate: Hashable, Comparable, Sendable {
  // Small, so that a user's row is: every request looks at one.
  private var narrowYear: Int32
  private var narrowMonth: Int8
  private var narrowDay: Int8

  /// Astronomical year: 2026, 0 = 1 BC.
  public var year: Int {
    get { Int(narrowYear) }
    set { narrowYear = Int32(newValue) }
  }
  /// 1…12.
  public var month: Int {
    get { Int(narrowMonth) }
    set { narrowMonth = Int8(newValue) }
  }
  /// 1…31.
  public var day: Int {
    get { Int(narrowDay) }
    set { narrowDay = Int8(newValue) }
  }

  /// A date whose parts the caller has checked; see ``init(validYear:month:day:)``.
  public init(year: Int, month: Int, day: Int) {
    narrowYear = Int32(year)
    narrowMonth = Int8(month)
    narrowDay = Int8(day)
  }

  /// A date, or nil when the calendar has no such day.
  public init?(validYear year: Int, month: Int, day: Int) {
    guard Int32(exactly: year) != nil, (1...12).contains(month),
      (1...Self.days(in: month, of: year)).contains(day)
    else {
      return nil
    }
    self.init(year: year, month: month, day: day)
  }

  /// The date `days` days after 1970-01-01: by Neri's and Schneider's method, which finds century,
  /// year and month each by one multiplication, in years that start in March.
  public init(daysSinceEpoch days: Int) {
    // From 0000-03-01 on, and so many 400-year cycles later that nothing is negative.
    let shifted = UInt64(days + 719_468 + Self.cycles * 146_097)
    let (century, inCentury) = (shifted * 4 + 3).quotientAndRemainder(dividingBy: 146_097)
    let scaled = 2_939_745 * UInt64(UInt32(truncatingIfNeeded: inCentury) | 3)
    let dayOfYear = UInt32(truncatingIfNeeded: scaled) / 2_939_745 / 4
    let monthAndDay = 2_141 * dayOfYear + 197_913
    let isAfterDecember = dayOfYear >= 306
    let year = Int(century * 100 + scaled >> 32) - Self.cycles * 400
    self.init(
      year: year + (isAfterDecember ? 1 : 0),
      month: Int(monthAndDay >> 16) - (isAfterDecember ? 12 : 0),
      day: Int((monthAndDay & 0xFFFF) / 2_141) + 1)
  }

  private static let cycles = 5_000_000

  /// Days since 1970-01-01; negative before.
  public var daysSinceEpoch: Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// Orders dates from early to late.
  public static func < (a: Self, b: Self) -> Bool {
    (a.year, a.month, a.day) < (b.year, b.month, b.day)
  }

  /// Whether `year` has a 29 February.
  public static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  /// The number of days of a month (1…12).
  public static func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

extension EventTime {
  private static let microsecondsPerDay: Int64 = 86_400_000_000

  /// Whole days since the epoch, rounded down, and the microseconds into that day.
  var dayAndRest: (day: Int, rest: Int64) {
    let rest = microseconds % Self.microsecondsPerDay
    let day = microseconds / Self.microsecondsPerDay
    return rest < 0
      ? (Int(day) - 1, rest + Self.microsecondsPerDay) : (Int(day), rest)
  }

  /// The UTC date.
  public var date: CivilDate { CivilDate(daysSinceEpoch: dayAndRest.day) }

  /// The UTC hour, 0…23.
  public var hour: Int { Int(dayAndRest.rest / 3_600_000_000) }

  /// The UTC day of the week, Monday = 0 … Sunday = 6.
  public var weekday: Int {
    // 1970-01-01 was a Thursday.
    let shifted = (dayAndRest.day + 3) % 7
    return shifted < 0 ? shifted + 7 : shifted
  }

  /// The instant at `date` plus `microseconds` into that UTC day.
  public init(date: CivilDate, microsecondsIntoDay: Int64) {
    self.init(
      microseconds: Int64(date.daysSinceEpoch) * Self.microsecondsPerDay + microsecondsIntoDay)
  }
}
