import Testing

@testable import Moderation

@Suite("EventCodec round trip")
struct EventCodecRoundTripTests {
  @Test("Both paths give back every generated event of a kind", arguments: EventKind.allCases)
  func generated(kind: EventKind) {
    var generator = EventGenerator(seed: 10)
    var wrong: [String] = []
    for _ in 0..<800 {
      let event = generator.event(kind)
      let text = EventCodec.encode(event)
      if !CodecPaths(text).bothGive(event) { wrong.append(String(decoding: text, as: UTF8.self)) }
    }
    #expect(wrong.isEmpty, "\(wrong.count) wrong, first: \(wrong.first ?? "")")
  }

  @Test(
    "Both paths read what a Python producer writes of every kind of event",
    arguments: [
      "", "Z", "+00:00",
    ])
  func python(zone: String) {
    var generator = EventGenerator(seed: 11)
    let python = PythonText(zone: zone)
    var wrong: [String] = []
    for event in generator.events(800) {
      let text = python.encode(event)
      if !CodecPaths(text).bothGive(Self.withoutOurFields(event)) {
        wrong.append(String(decoding: text, as: UTF8.self))
      }
    }
    #expect(wrong.isEmpty, "\(wrong.count) wrong, first: \(wrong.first ?? "")")
  }

  @Test("The canonical text has REFERENCE's fields in order, then ours", arguments: canonical)
  func canonicalText(event: PlatformEvent, text: String) {
    #expect(String(decoding: EventCodec.encode(event), as: UTF8.self) == text)
    #expect(CodecPaths(text).bothGive(event))
  }

  /// The event as it is understood when neither `event_id` nor `actor_eligible` were sent, nor the
  /// viewer.
  private static func withoutOurFields(_ event: PlatformEvent) -> PlatformEvent {
    var event = event
    event.actorEligible = nil
    switch event.subject {
    case .upload(let image, _, _, _): event.id = image.reinterpreted(as: PlatformEvent.self)
    case .comment(let comment, _, _): event.id = comment.reinterpreted(as: PlatformEvent.self)
    case .flag(let flag, _, _, _): event.id = flag.reinterpreted(as: PlatformEvent.self)
    case .view:
      event.id = CodecPaths.fallbackID
      event.actor = nil
    }
    return event
  }

  private static let image = ImageID(high: 1, low: 1)
  private static let user = UserID(high: 2, low: 2)
  private static let time = EventTime.utc(2026, 1, 5, 9, microsecond: 5)

  private static func event(
    _ subject: PlatformEvent.Subject, actor: UserID? = user, eligible: Bool? = nil
  ) -> PlatformEvent {
    PlatformEvent(
      id: EventID(high: 4, low: 4), time: time, actor: actor, actorEligible: eligible,
      subject: subject)
  }

  private static let canonical: [(PlatformEvent, String)] = [
    (
      event(.upload(image: image, category: "Soup", caption: nil, s3URL: "http://s/b/k.jpg")),
      #"{"event_type":"upload","image_id":"00000000-0000-0001-0000-000000000001","#
        + #""user_id":"00000000-0000-0002-0000-000000000002","category":"Soup","caption":null,"#
        + #""created_at":"2026-01-05T09:00:00.000005Z","s3_url":"http://s/b/k.jpg","#
        + #""event_id":"00000000-0000-0004-0000-000000000004"}"#
    ),
    (
      event(.view(image: image), actor: nil, eligible: true),
      #"{"event_type":"view","image_id":"00000000-0000-0001-0000-000000000001","#
        + #""viewed_at":"2026-01-05T09:00:00.000005Z","#
        + #""event_id":"00000000-0000-0004-0000-000000000004","actor_eligible":true}"#
    ),
    (
      event(.view(image: image), eligible: false),
      #"{"event_type":"view","image_id":"00000000-0000-0001-0000-000000000001","#
        + #""viewed_at":"2026-01-05T09:00:00.000005Z","#
        + #""user_id":"00000000-0000-0002-0000-000000000002","#
        + #""event_id":"00000000-0000-0004-0000-000000000004","actor_eligible":false}"#
    ),
    (
      event(.comment(comment: CommentID(high: 3, low: 3), image: image, content: "a\"b\\c\nd\0")),
      #"{"event_type":"comment","comment_id":"00000000-0000-0003-0000-000000000003","#
        + #""image_id":"00000000-0000-0001-0000-000000000001","#
        + #""user_id":"00000000-0000-0002-0000-000000000002","content":"a\"b\\c\nd\u0000","#
        + #""created_at":"2026-01-05T09:00:00.000005Z","#
        + #""event_id":"00000000-0000-0004-0000-000000000004"}"#
    ),
    (
      event(
        .flag(
          flag: FlagID(high: 3, low: 3), image: nil, comment: CommentID(high: 5, low: 5),
          reason: "rude")),
      #"{"event_type":"flag","flag_id":"00000000-0000-0003-0000-000000000003","#
        + #""user_id":"00000000-0000-0002-0000-000000000002","image_id":null,"#
        + #""comment_id":"00000000-0000-0005-0000-000000000005","reason":"rude","#
        + #""created_at":"2026-01-05T09:00:00.000005Z","#
        + #""event_id":"00000000-0000-0004-0000-000000000004"}"#
    ),
  ]
}
