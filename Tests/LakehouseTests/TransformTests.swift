import Testing

@testable import Lakehouse

@Suite("Partition transforms are those of the specification")
struct TransformTests {
  /// Values with their hashes (spec, appendix B, "32-bit Hash Requirements").
  static let hashes: [(value: IcebergValue, type: String, hash: Int32)] = [
    (.integer(34), "int", 2_017_239_379), (.integer(34), "long", 2_017_239_379),
    (.integer(17_486), "date", -653_330_422), (.integer(81_068_000_000), "time", -662_762_989),
    (.integer(1_510_871_468_000_000), "timestamp", -2_047_944_441),
    (.integer(1_510_871_468_000_000), "timestamptz", -2_047_944_441),
    (.text("iceberg"), "string", 1_210_000_089),
  ]

  @Test("A bucket is the specified hash modulo their number", arguments: hashes.indices)
  func buckets(index: Int) throws {
    let (value, type, hash) = Self.hashes[index]
    for count in [1, 2, 16, 100, 1009, Int(Int32.max)] {
      let bucket = try Transform.bucket(count).value(value, of: .named(type))
      #expect(bucket == .integer(Int64((hash & Int32.max) % Int32(count))), "\(count)")
    }
  }

  @Test("Murmur3 hashes bytes of any length as specified")
  func murmur() {
    #expect(Murmur3.hash([]) == 0)
    #expect(Murmur3.hash([0, 1, 2, 3]) == -188_683_207)
    let uuid: [UInt8] = [
      0xf7, 0x9c, 0x3e, 0x09, 0x67, 0x7c, 0x4b, 0xbd, 0xa4, 0x79, 0x3f, 0x34, 0x9c, 0xb7, 0x85,
      0xe7,
    ]
    #expect(Murmur3.hash(uuid) == 1_488_055_340)
    #expect(Murmur3.hash(Array("iceberg".utf8)) == 1_210_000_089)
  }

  @Test(
    "Integers are truncated down to a multiple of the width",
    arguments: [
      (0, 10, 0), (1, 10, 0), (9, 10, 0), (10, 10, 10), (-1, 10, -10), (-10, 10, -10),
      (-11, 10, -20), (7, 1, 7), (-7, 1, -7), (.max, 10, 9_223_372_036_854_775_800),
      (.min, 2, .min), (5, .max, 0),
    ] as [(Int64, Int, Int64)])
  func truncateInteger(value: Int64, width: Int, expected: Int64) throws {
    let result = try Transform.truncate(width).value(.integer(value), of: .named("long"))
    #expect(result == .integer(expected))
  }

  @Test("The smallest integer is truncated without a trap")
  func truncateSmallest() async {
    await #expect(processExitsWith: .success) {
      _ = try? Transform.truncate(10).value(.integer(.min), of: .named("long"))
    }
  }

  @Test(
    "Text is truncated to a number of code points",
    arguments: [
      ("iceberg", 3, "ice"), ("ice", 3, "ice"), ("", 3, ""), ("イロハニホ", 2, "イロ"),
      ("🧪🧪x", 1, "🧪"), ("e\u{301}x", 1, "e"), ("e\u{301}x", 2, "e\u{301}"),
      ("\u{1F1E9}\u{1F1EA}", 1, "\u{1F1E9}"), ("\r\n", 1, "\r"),
    ])
  func truncateText(value: String, width: Int, expected: String) throws {
    let result = try Transform.truncate(width).value(.text(value), of: .named("string"))
    guard case .text(let text)? = result else {
      Issue.record("not text: \(result as Any)")
      return
    }
    #expect(Array(text.utf8) == Array(expected.utf8))
  }

  /// Seconds since the epoch with year, month, day and hour since then.
  static let instants: [(seconds: Int64, parts: [Int64])] = [
    (0, [0, 0, 0, 0]), (-1, [-1, -1, -1, -1]), (-3600, [-1, -1, -1, -1]),
    (-3601, [-1, -1, -1, -2]), (-86_401, [-1, -1, -2, -25]),
    (-31_536_000, [-1, -12, -365, -8760]), (-31_536_001, [-2, -13, -366, -8761]),
    (1_510_871_468, [47, 574, 17_486, 419_686]), (951_782_400, [30, 361, 11_016, 264_384]),
    (-2_203_891_200, [-70, -838, -25_508, -612_192]),
  ]

  private static let units: [Transform] = [.year, .month, .day, .hour]

  @Test("Instants count whole units since 1970, downwards", arguments: instants.indices)
  func countsUnits(index: Int) throws {
    let (seconds, parts) = Self.instants[index]
    for (transform, expected) in zip(Self.units, parts) {
      for type in ["timestamp", "timestamptz"] {
        let value = try transform.value(.integer(seconds * 1_000_000), of: .named(type))
        #expect(value == .integer(expected), "\(transform.name) of \(type)")
      }
    }
    let early = try Transform.day.value(.integer(-1), of: .named("timestamptz"))
    #expect(early == .integer(-1), "a microsecond before 1970")
  }

  @Test("Months and years of dates are those of the calendar, from 1200 to 2800")
  func calendar() throws {
    // The first day of 1200 is so many days before 1970.
    var day: Int64 = -281_237
    for year in 1200...2800 as ClosedRange<Int64> {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as [Int64]
      for (month, length) in lengths.enumerated() {
        for date in [day, day + length - 1] {
          let years = try Transform.year.value(.integer(date), of: .named("date"))
          let months = try Transform.month.value(.integer(date), of: .named("date"))
          let days = try Transform.day.value(.integer(date), of: .named("date"))
          guard years == .integer(year - 1970), days == .integer(date),
            months == .integer((year - 1970) * 12 + Int64(month))
          else {
            Issue.record("day \(date) of \(year)-\(month + 1): \(months as Any)")
            return
          }
        }
        day += length
      }
    }
  }

  @Test("Identity keeps values, void drops them, and null stays null")
  func plain() throws {
    for value in [.integer(3), .text("x"), .boolean(true), .number(0.5)] as [IcebergValue] {
      let same = try Transform.identity.value(value, of: .named("any"))
      #expect(same == value)
      let none = try Transform.void.value(value, of: .named("any"))
      #expect(none == nil)
    }
    for transform in Self.names.map(\.transform) {
      let none = try transform.value(nil, of: .named("timestamptz"))
      #expect(none == nil, "\(transform.name)")
    }
  }

  static let names: [(name: String, transform: Transform)] = [
    ("identity", .identity), ("bucket[16]", .bucket(16)), ("truncate[4]", .truncate(4)),
    ("year", .year), ("month", .month), ("day", .day), ("hour", .hour), ("void", .void),
    ("bucket[1]", .bucket(1)), ("bucket[2147483647]", .bucket(2_147_483_647)),
  ]

  @Test("Names print as they are parsed", arguments: names.indices)
  func printNames(index: Int) {
    let (name, transform) = Self.names[index]
    #expect(Transform(name: name) == transform)
    #expect(transform.name == name)
  }

  @Test(
    "Other names aren't transforms",
    arguments: [
      "", "Day", "days", "bucket", "bucket[]", "bucket[0]", "bucket[-1]", "bucket[x]", "bucket[1",
      "bucket16]", "truncate[0]", "truncate[1.5]", "bucket[2147483648]", " day",
      "bucket[+4]", "truncate[04]",
    ])
  func refuse(name: String) {
    #expect(Transform(name: name) == nil)
  }

  /// Types with a value that a transform isn't defined for (spec, "Partition Transforms").
  static let undefined: [(Transform, String, IcebergValue)] = [
    (.bucket(4), "boolean", .boolean(true)), (.bucket(4), "double", .number(1)),
    (.bucket(4), "float", .number(1)), (.truncate(4), "boolean", .boolean(true)),
    (.truncate(4), "double", .number(1)), (.truncate(4), "date", .integer(1)),
    (.truncate(4), "time", .integer(1)), (.truncate(4), "timestamptz", .integer(1)),
    (.hour, "date", .integer(1)), (.hour, "time", .integer(1)), (.hour, "long", .integer(1)),
    (.year, "long", .integer(1)), (.month, "string", .text("1")), (.day, "time", .integer(1)),
    (.day, "boolean", .boolean(true)), (.day, "int", .integer(1)),
  ]

  @Test("A transform of a type that it isn't defined for is an error", arguments: undefined.indices)
  func refuseType(index: Int) {
    let (transform, type, value) = Self.undefined[index]
    let error = #expect(throws: LakehouseError.self) {
      _ = try transform.value(value, of: .named(type))
    }
    #expect(error?.field == "transform", "\(transform.name) of \(type)")
  }

  @Test("Results have the specified types")
  func resultTypes() {
    let long = IcebergType.named("long")
    #expect(Transform.identity.resultType(of: long) == long)
    #expect(Transform.truncate(3).resultType(of: long) == long)
    #expect(Transform.bucket(3).resultType(of: long) == .named("int"))
    #expect(Transform.day.resultType(of: .named("timestamptz")) == .named("date"))
    for transform in [Transform.year, Transform.month, Transform.hour] {
      #expect(transform.resultType(of: .named("timestamptz")) == .named("int"))
    }
  }
}
