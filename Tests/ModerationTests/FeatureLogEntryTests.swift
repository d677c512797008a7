import Testing

@testable import Moderation

@Suite("FeatureLogEntry")
struct FeatureLogEntryTests {
  private static let at = EventTime.utc(2026, 1, 5, 9, microsecond: 5)

  /// An entry with every field set, and a fraction that has no short decimal text.
  private static var entry: FeatureLogEntry {
    let subject = ScoringSubject(
      uploadedAt: at, category: "Soup", captionLength: 12, accountCreatedAt: at, userImageCount: 3)
    var counts = EngagementCounts()
    counts.views1hr = .init(observed: 7, governed: 3)
    counts.comments1hr = .init(observed: 1, governed: 1)
    func vector(_ flavour: CountFlavour) -> FeatureVector {
      FeatureVector(subject, counts: counts, flavour: flavour, asOf: at + .seconds(60))
    }
    let request = ModerationRequest(
      FiredTrigger(
        image: ImageID(high: 1, low: 1), trigger: .anchor(minutes: 5), asOf: at, count: nil))
    let row = ModerationRow(
      id: request.id.reinterpreted(as: ModerationRow.self), requestID: request.id,
      target: .image(request.image), inferenceMode: "heuristic", modelVersion: "2026-01",
      riskScore: 0.1 + 0.2, triggerType: "anchor_5m", policyVersion: "v1", createdAt: at)
    return FeatureLogEntry(
      row, of: request, asOf: at, category: "Soup", isUploaderEligible: true,
      observed: vector(.observed), governed: vector(.governed))
  }

  @Test("An entry comes back as it was, to the last bit of a fraction")
  func roundTrip() throws {
    let entry = Self.entry
    #expect(entry.governed[FeatureVector.numericNames.firstIndex(of: "views_1hr") ?? 0] == 3)
    #expect(entry.observed[FeatureVector.numericNames.firstIndex(of: "views_1hr") ?? 0] == 7)
    #expect(try FeatureLogEntry(decoding: entry.encoded()) == entry)
  }

  @Test("What isn't known is null, and comes back as nil")
  func nulls() throws {
    var entry = Self.entry
    entry.category = nil
    entry.modelVersion = nil
    entry.policyVersion = nil
    entry.isUploaderEligible = false
    #expect(String(decoding: entry.encoded(), as: UTF8.self).contains("\"category\":null"))
    #expect(try FeatureLogEntry(decoding: entry.encoded()) == entry)
  }

  @Test("The text is one flat object; whole numbers have no point")
  func text() {
    let text = String(decoding: Self.entry.encoded(), as: UTF8.self)
    #expect(text.hasPrefix(#"{"request_id":"\#(Self.entry.requestID)","image_id":""#))
    #expect(text.contains(#""risk_score":0.30000000000000004,"#))
    #expect(
      text.hasSuffix(
        #""governed":[60,9,0,0,0,3,0,1,0,0,0,0.0,0.3333333333333333,0.0,12,1,3,0]}"#
          .replacing("0.0,", with: "0,")))
  }

  @Test(
    "An entry that can't be read names its field",
    arguments: [
      (#""risk_score":0.30000000000000004"#, #""risk_score":"high""#, "risk_score"),
      (#""risk_score":0.30000000000000004"#, #""risk_score":true"#, "risk_score"),
      (#""observed":["#, #""observed":[1,"#, "observed"),
      (#""governed":[60"#, #""governed":["60""#, "governed"),
      (#""governed":[60"#, #""governed":[0.5"#, "governed"),
      (#""governed":[60"#, #""governed":[1e300"#, "governed"),
      (#""trigger":"anchor_5m""#, #""trigger":"noon""#, "trigger"),
      (#""as_of":"2026"#, #""as_of":"soon"#, "as_of"),
      (#""request_id""#, #""request""#, "request_id"),
    ])
  func errors(part: String, other: String, field: String) {
    let text = String(decoding: Self.entry.encoded(), as: UTF8.self)
    #expect(text.contains(part))
    let error = #expect(throws: EventDecodingError.self) {
      try FeatureLogEntry(decoding: Array(text.replacing(part, with: other).utf8))
    }
    #expect(error?.field == field, "\(String(describing: error))")
  }
}
