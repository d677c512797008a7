import Testing

@testable import Moderation

@Suite("LabelRule")
struct LabelRuleTests {
  private static let upload = EventTime.utc(2026, 1, 5, 9)
  private static let day: Int64 = 86_400_000_000
  private static let minute: Int64 = 60_000_000

  private static func label(
    _ rule: LabelRule, minutes: Int = 0, flags: [Int64], knownUntil: Int64 = day
  ) -> Bool? {
    rule.label(
      upload: upload, decisionPoint: .seconds(60 * minutes),
      flags: flags.map { upload + .microseconds($0) },
      knownUntil: upload + .microseconds(knownUntil))
  }

  @Test(
    "The lab's label is a flag in [upload, upload + 24 h], both ends included",
    arguments: [
      (-1, false), (0, true), (1, true), (day - 1, true), (day, true), (day + 1, false),
    ] as [(Int64, Bool)])
  func lab(flag: Int64, label: Bool) {
    for minutes in [0, 5, 30] {
      #expect(Self.label(.lab, minutes: minutes, flags: [flag]) == label)
    }
  }

  @Test("The lab's label doesn't wait for the 24 hours", arguments: [0, 1, day - 1, day])
  func labUnripe(knownUntil: Int64) {
    #expect(Self.label(.lab, flags: [], knownUntil: knownUntil) == false)
    #expect(Self.label(.lab, flags: [0], knownUntil: knownUntil) == true)
  }

  @Test(
    "Our label is a flag after the decision point, up to upload + 24 h",
    arguments: [
      (0, -1, false), (0, 0, false), (0, 1, true), (0, day, true), (0, day + 1, false),
      (5, 0, false), (5, 5 * minute - 1, false), (5, 5 * minute, false), (5, 5 * minute + 1, true),
      (30, 5 * minute + 1, false), (30, 30 * minute, false), (30, 30 * minute + 1, true),
      (30, day - 1, true), (30, day, true), (30, day + 1, false),
    ] as [(Int, Int64, Bool)])
  func ripe(minutes: Int, flag: Int64, label: Bool) {
    #expect(Self.label(.ripe, minutes: minutes, flags: [flag]) == label)
  }

  @Test(
    "Our label is unknown until 24 hours are over, flags or not",
    arguments: [
      (0, false), (day - 1, false), (day, true), (day + 1, true),
    ] as [(Int64, Bool)])
  func ripeness(knownUntil: Int64, isKnown: Bool) {
    #expect(Self.label(.ripe, flags: [], knownUntil: knownUntil) == (isKnown ? false : nil))
    #expect(Self.label(.ripe, flags: [1], knownUntil: knownUntil) == (isKnown ? true : nil))
  }

  @Test("One flag in time is enough, wherever it stands in the list")
  func many() {
    #expect(Self.label(.ripe, minutes: 5, flags: [0, Self.day + 1, 6 * Self.minute]) == true)
    #expect(Self.label(.ripe, minutes: 5, flags: [0, Self.day + 1]) == false)
    #expect(Self.label(.lab, flags: [-1, Self.day + 1]) == false)
    #expect(Self.label(.lab, flags: []) == false)
  }
}
