import Testing

@testable import Moderation

@Suite("ModerationRequest")
struct ModerationRequestTests {
  private static let image = ImageID(high: 1, low: 1)
  private static let time = EventTime.utc(2026, 1, 5, 9, microsecond: 5)

  private static func request(
    _ trigger: Trigger, count: Int? = nil, asOf: EventTime = time
  ) -> ModerationRequest {
    ModerationRequest(FiredTrigger(image: image, trigger: trigger, asOf: asOf, count: count))
  }

  /// The request as it comes back: the count isn't read.
  private static func decoded(
    _ text: [UInt8], _ decode: ([UInt8]) throws(EventDecodingError) -> ModerationRequest
  ) -> Result<ModerationRequest, EventDecodingError> {
    do throws(EventDecodingError) {
      return .success(try decode(text))
    } catch {
      return .failure(error)
    }
  }

  private static func agree(_ text: [UInt8]) -> Bool {
    decoded(text, ModerationRequest.decodeFast) == decoded(text, ModerationRequest.decode)
  }

  @Test(
    "The text has the lab's fields, then ours; the context names the count",
    arguments: [
      (.viral, 100, #"{"views_5min":100}"#), (.suspicious, 10, #"{"comments_1min":10}"#),
      (.flagged, 2, #"{"flags_5min":2}"#), (.anchor(minutes: 5), nil, "{}"), (.scoreAt, nil, "{}"),
    ] as [(Trigger, Int?, String)])
  func encoded(trigger: Trigger, count: Int?, context: String) {
    let request = Self.request(trigger, count: count)
    let expected =
      #"{"image_id":"00000000-0000-0001-0000-000000000001","trigger":"\#(trigger.name)","#
      + #""context":\#(context),"timestamp":1767603600.000005,"request_id":"\#(request.id)","#
      + #""as_of":"2026-01-05T09:00:00.000005Z"}"#
    #expect(String(decoding: request.encoded(), as: UTF8.self) == expected)
  }

  @Test(
    "The timestamp is Unix seconds with six exact decimals",
    arguments: [
      (0, "0.000000"), (1, "0.000001"), (999_999, "0.999999"), (1_000_000, "1.000000"),
      (1_767_603_600_123_456, "1767603600.123456"),
      (253_402_300_799_999_999, "253402300799.999999"),
      (-1_000_000, "-1.000000"), (-1_500_000, "-1.500000"), (-1, "-0.000001"),
      (-500_000, "-0.500000"),
    ] as [(Int64, String)])
  func timestamp(microseconds: Int64, text: String) {
    let request = Self.request(.viral, asOf: EventTime(microseconds: microseconds))
    let encoded = String(decoding: request.encoded(), as: UTF8.self)
    #expect(encoded.contains("\"timestamp\":\(text),"), "\(encoded)")
  }

  @Test("The id depends on image and trigger, and on the instant only when asked for by hand")
  func stableID() {
    let later = Self.time + .seconds(1)
    for trigger in [Trigger.viral, .suspicious, .flagged, .anchor(minutes: 5)] {
      #expect(Self.request(trigger).id == Self.request(trigger, count: 7, asOf: later).id)
    }
    #expect(Self.request(.scoreAt).id == Self.request(.scoreAt, count: 7).id)
    #expect(Self.request(.scoreAt).id != Self.request(.scoreAt, asOf: later).id)
  }

  @Test("The id is the same in every version of this program")
  func pinnedID() {
    // Stored rows hold these ids: to change them is to score every image again.
    #expect(Self.request(.viral).id.description == "d8f7f321-3b7e-4ae1-8a25-38801686f8c0")
    #expect(Self.request(.scoreAt).id.description == "b89d13bf-9f3b-4c8b-bf99-0a3224521da2")
  }

  @Test("Ids are distinct for every image, trigger and instant asked for, and version 4")
  func distinctIDs() {
    var random = SplitMix64(seed: 50)
    let images: [ImageID] =
      (0..<400).map { _ in random.id() }
      + (0..<100).map {
        ImageID(high: 0, low: $0)
      }
    let triggers: [Trigger] =
      [.viral, .suspicious, .flagged, .scoreAt] + (0..<10).map { .anchor(minutes: $0) }
    var ids = images.flatMap { image in
      triggers.map { ModerationRequest.id(image: image, trigger: $0, asOf: Self.time) }
    }
    ids += (1...500).map { microsecond in
      let asOf = Self.time + .microseconds(microsecond)
      return ModerationRequest.id(image: Self.image, trigger: .scoreAt, asOf: asOf)
    }
    #expect(Set(ids.map(\.description)).count == ids.count)
    #expect(ids.allSatisfy { $0 == RequestID(randomBits: $0.high, $0.low) })
  }

  @Test("A request survives the round trip on both paths")
  func roundTrip() {
    var random = SplitMix64(seed: 51)
    let triggers: [Trigger] = [.viral, .suspicious, .flagged, .scoreAt, .anchor(minutes: 30)]
    for index in 0..<500 {
      let fired = FiredTrigger(
        image: random.id(), trigger: triggers[index % triggers.count],
        asOf: EventTime(microseconds: .random(in: 0...4_000_000_000_000_000, using: &random)),
        count: random.once(in: 2) ? nil : Int.random(in: 0...1000, using: &random))
      let expected = ModerationRequest(fired)
      let text = expected.encoded()
      #expect(Self.decoded(text, ModerationRequest.decode) == .success(expected))
      #expect(Self.decoded(text, ModerationRequest.decodeFast) == .success(expected))
    }
  }

  @Test(
    "Texts that aren't canonical are understood alike by both paths",
    arguments: [
      #"{"image_id": "\#(image)", "trigger": "viral", "as_of": "2026-01-05T09:00:00.000005Z"}"#,
      #" {"image_id":"\#(image)","trigger":"viral","as_of":"2026-01-05T09:00:00.000005Z"}"#,
      #"{"as_of":"2026-01-05T09:00:00.000005","trigger":"viral","image_id":"\#(image)"}"#,
      #"{"image_id":"\#(image)","trigger":"viral","as_of":"2026-01-05T10:00:00.000005+01:00"}"#,
      #"{"image_id":"\#(image)","trigger":"viral","as_of":"2026-01-05T09:00:00.000005Z","x":[1]}"#,
      #"{"image_id":"\#(image)","trigger":"vir\u0061l","as_of":"2026-01-05T09:00:00.000005Z"}"#,
      #"{"image_id":"\#(image)","trigger":"viral","context":{"caption":"a\",\"as_of\":\"🍜"},"#
        + #""as_of":"2026-01-05T09:00:00.000005Z"}"#,
      #"{"x":"\",\"trigger\":\"flagged","image_id":"\#(image)","trigger":"viral","#
        + #""as_of":"2026-01-05T09:00:00.000005Z"}"#,
    ])
  func unusual(text: String) {
    let bytes = Array(text.utf8)
    #expect(Self.decoded(bytes, ModerationRequest.decode) == .success(Self.request(.viral)))
    #expect(Self.agree(bytes))
  }

  @Test(
    "A bad request is refused on both paths, with the field and the reason",
    arguments: [
      ("[]", nil, "the value is JSON, but not an object"),
      ("{}", "image_id", "is missing"),
      (#"{"image_id":"x"}"#, "image_id", "should be a UUID, not 'x'"),
      (#"{"image_id":"\#(image)"}"#, "trigger", "is missing"),
      (#"{"image_id":"\#(image)","trigger":"viral"}"#, "as_of", "is missing"),
      (
        #"{"image_id":"\#(image)","trigger":"viral","as_of":"2026-02-30T09:00:00.000005Z"}"#,
        "as_of",
        "should be an ISO 8601 instant, not '2026-02-30T09:00:00.000005Z'"
      ),
      (
        #"{"image_id":"\#(image)","trigger":"popular","as_of":"2026-01-05T09:00:00.000005Z"}"#,
        "trigger", "'popular' asks for no score"
      ),
      (
        #"{"image_id":"\#(image)","trigger":"","as_of":"2026-01-05T09:00:00.000005Z"}"#,
        "trigger", "'' asks for no score"
      ),
    ] as [(String, String?, String)])
  func refused(text: String, field: String?, reason: String) {
    let error = EventDecodingError(field: field, reason: reason)
    let bytes = Array(text.utf8)
    #expect(Self.decoded(bytes, ModerationRequest.decode) == .failure(error))
    #expect(Self.decoded(bytes, ModerationRequest.decodeFast) == .failure(error))
  }

  @Test(
    "What isn't JSON is no request, though it begins and ends like one",
    arguments: [
      #"" rubbish ,"request_id":"x","as_of":"2026-01-05T09:00:00.000005Z"}"#,
      #"","context":{,"request_id":"x","as_of":"2026-01-05T09:00:00.000005Z"}"#,
      #"","context":{},"request_id":"","as_of":"2026-01-05T09:00:00.000005Z"x"#,
      #"","context":{},"request_id":"","as_of":"2026-01-05T09:00:00.000005Zxx"#,
      #"","context":{},"request_id":"\q","as_of":"2026-01-05T09:00:00.000005Z"}"#,
    ])
  func rubbish(rest: String) {
    let bytes = Array((#"{"image_id":"\#(Self.image)","trigger":"viral"# + rest).utf8)
    #expect(throws: EventDecodingError.self) { try ModerationRequest.decode(bytes) }
    #expect(throws: EventDecodingError.self) { try ModerationRequest.decodeFast(bytes) }
  }

  @Test("Whatever happens to its bytes, both paths say the same of a request")
  func mutations() {
    var random = SplitMix64(seed: 52)
    let text = Self.request(.viral, count: 100).encoded()
    let wrong = (0..<3000).map { _ in random.mutated(text) }.filter { !Self.agree($0) }
    #expect(wrong.count == 0, "first: \(RawText(wrong.first ?? []).testDescription)")
  }

  @Test("The id is found without decoding, and only where there is one")
  func idInPlace() {
    for trigger in [Trigger.viral, .anchor(minutes: 5), .scoreAt] {
      let request = Self.request(trigger, count: 7)
      #expect(ModerationRequest.id(in: request.encoded()) == request.id)
    }
    #expect(ModerationRequest.id(in: Array("{}".utf8)) == nil)
    #expect(ModerationRequest.id(in: Array(repeating: UInt8(ascii: " "), count: 99)) == nil)
  }
}
