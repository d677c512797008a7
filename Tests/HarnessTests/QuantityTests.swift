import Testing

@testable import Harness

@Suite("Quantities")
struct QuantityTests {
  @Test(
    "A duration is numbers with units, and nothing else",
    arguments: [
      ("90s", 90_000_000), ("30m", 1_800_000_000), ("1h5m", 3_900_000_000),
      ("1d2h3m4s5ms6us", 93_784_005_006), ("250ms", 250_000), ("3us", 3), ("3µs", 3),
      ("0s", 0), ("007s", 7_000_000), ("1s1s", 2_000_000), ("1m1ms", 60_001_000),
      ("3660d", 316_224_000_000_000), ("3660d1us", nil), ("3661d", nil),
      ("9223372036854775807d", nil), ("99999999999999999999s", nil), ("", nil), ("5", nil),
      ("s", nil), ("5x", nil), ("5 s", nil), (" 5s", nil), ("5s ", nil), ("-5s", nil),
      ("+5s", nil), ("1.5h", nil), ("1e3s", nil), ("5S", nil), ("٥s", nil), ("５s", nil),
      ("5min", nil), ("1h5", nil), ("end", nil),
    ] as [(String, Int64?)])
  func duration(text: String, microseconds: Int64?) {
    #expect(Quantity.duration(text) == microseconds.map { .microseconds($0) })
  }

  @Test(
    "A ratio is a fraction, a number or a percentage",
    arguments: [
      ("1/50", 0.02), ("0.02", 0.02), ("2%", 0.02), ("0", 0), ("1", 1), ("100%", 1), ("0/3", 0),
      ("3/2", 1.5), ("-1/2", -0.5), ("1/0", nil), ("0/0", nil), ("", nil), ("%", nil), ("/", nil),
      ("1/", nil), ("/2", nil), ("1/2/3", nil), ("1//2", nil), ("a/b", nil), ("half", nil),
      ("1 / 2", nil), ("2 %", nil), ("2%%", nil),
    ] as [(String, Double?)])
  func ratio(text: String, value: Double?) {
    #expect(Quantity.ratio(text) == value)
  }

  @Test(
    "A rate is a positive number per unit of time, in events per second",
    arguments: [
      ("3600/h", 1), ("60/min", 1), ("60/m", 1), ("2/s", 2), ("86400/d", 1), ("0.5/s", 0.5),
      ("0/h", nil), ("-1/s", nil), ("inf/s", nil), ("nan/s", nil), ("1e999/s", nil), ("3", nil),
      ("3/", nil), ("/s", nil), ("3/week", nil), ("3/S", nil), ("3/s/s", nil), ("3 / s", nil),
      ("", nil),
    ] as [(String, Double?)])
  func rate(text: String, perSecond: Double?) {
    #expect(Quantity.rate(text) == perSecond)
  }

  @Test(
    "The edit distance counts insertions, deletions and replacements, either way round",
    arguments: [
      ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "ab", 1),
      ("kitten", "sitting", 3), ("veiw", "view", 2), ("flaw", "lawn", 2), ("é", "e", 1),
      ("populaton", "population", 1), ("intention", "execution", 5),
    ])
  func editDistance(a: String, b: String, distance: Int) {
    #expect(Quantity.editDistance(a, b) == distance)
    #expect(Quantity.editDistance(b, a) == distance)
  }
}
