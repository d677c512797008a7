import Testing

@testable import Moderation

@Suite("PlatformEvent")
struct PlatformEventTests {
  @Test(
    "Each kind has its topic, and all but uploads feed a metric",
    arguments: [
      (.upload, "gourmetgram.uploads", nil), (.view, "gourmetgram.views", .views),
      (.comment, "gourmetgram.comments", .comments), (.flag, "gourmetgram.flags", .flags),
    ] as [(EventKind, String, Metric?)])
  func kinds(kind: EventKind, topic: String, metric: Metric?) {
    #expect(kind.topic == topic)
    #expect(kind.metric == metric)
  }

  @Test("An event knows its kind and image; a flag on a comment has no image")
  func subjects() {
    let image = ImageID(high: 1, low: 1)
    let comment = CommentID(high: 2, low: 2)
    let flag = FlagID(high: 3, low: 3)
    let table: [(PlatformEvent.Subject, EventKind, ImageID?)] = [
      (.upload(image: image, category: nil, caption: nil, s3URL: ""), .upload, image),
      (.view(image: image), .view, image),
      (.comment(comment: comment, image: image, content: ""), .comment, image),
      (.flag(flag: flag, image: image, comment: comment, reason: ""), .flag, image),
      (.flag(flag: flag, image: nil, comment: comment, reason: ""), .flag, nil),
    ]
    for (subject, kind, image) in table {
      let event = PlatformEvent(
        id: EventID(high: 0, low: 0), time: .utc(2026, 1, 5), actor: nil, actorEligible: nil,
        subject: subject)
      #expect(event.kind == kind)
      #expect(event.image == image)
    }
  }
}
