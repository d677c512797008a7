import Testing

@testable import Harness

@Suite("Skew differences")
struct SkewDifferencesTests {
  private static func differences(
    _ pairs: [(online: Double, offline: Double)]
  ) -> SkewDifferences {
    var differences = SkewDifferences()
    for pair in pairs where pair.online != pair.offline {
      differences.note(online: pair.online, offline: pair.offline)
    }
    differences.complete(pairs: pairs.count)
    return differences
  }

  @Test("Percentiles are by nearest rank over all pairs, equal ones counting as 0")
  func percentiles() {
    let pairs = (0..<100).map {
      (online: $0 < 3 ? 0.0 : 5, offline: $0 < 3 ? 2.0 : $0 < 90 ? 5 : 1)
    }
    let found = Self.differences(pairs)
    #expect(found.percentile(1) == -2 && found.percentile(3) == -2)
    #expect(found.percentile(4) == 0 && found.percentile(50) == 0 && found.percentile(90) == 0)
    #expect(found.percentile(91) == 4 && found.percentile(100) == 4)
    #expect(found.largest == 4)
    #expect(found.meanAbsolute == 0.46, "3 times 2, and 10 times 4, of 100")
  }

  @Test("smape is 0 for equal values, 2 where one side is 0, and doesn't care which side is larger")
  func smape() {
    #expect(Self.differences([(1, 1), (7, 7)]).smape == 0)
    #expect(Self.differences([(0, 3)]).smape == 2)
    #expect(Self.differences([(3, 1)]).smape == 1 && Self.differences([(1, 3)]).smape == 1)
    #expect(Self.differences([(3, 1), (4, 4)]).smape == 0.5)
    #expect(Self.differences([]).smape == 0 && Self.differences([]).percentile(50) == 0)
  }
}
