import Moderation
import Testing

@Suite("Upload history")
struct UploadHistoryTests {
  private static func at(_ seconds: Int64) -> EventTime {
    EventTime(microseconds: seconds * 1_000_000)
  }

  private static func image(_ created: Int64, deleted: Int64? = nil) -> Image {
    Image(
      id: ImageID(high: 1, low: UInt64(created)), userID: UserID(high: 2, low: 2), s3URL: "",
      createdAt: at(created), deletedAt: deleted.map(at))
  }

  @Test("An image counts from its creation on, and exists until its deletion")
  func bounds() {
    var later = UploadHistory()
    later.add(Self.image(10))
    later.add(deleted: Self.at(20))
    var atOnce = UploadHistory()
    atOnce.add(Self.image(10, deleted: 20))
    #expect(later == atOnce)
    #expect([9, 10, 19, 20].map { later.created(asOf: Self.at($0)) } == [0, 1, 1, 1])
    #expect([9, 10, 19, 20].map { later.existing(asOf: Self.at($0)) } == [0, 1, 1, 0])
  }

  @Test("Images may be noted in any order")
  func order() {
    var history = UploadHistory()
    for image in [Self.image(30), Self.image(10, deleted: 40), Self.image(20, deleted: 25)] {
      history.add(image)
    }
    #expect([10, 20, 25, 30, 40].map { history.existing(asOf: Self.at($0)) } == [1, 2, 1, 2, 1])
  }
}
