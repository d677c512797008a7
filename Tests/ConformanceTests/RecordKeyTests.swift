import Moderation
import Ports
import Testing

@Suite("RecordKey")
struct RecordKeyTests {
  private static let id = ImageID(high: 0x0123_4567_89ab_4cde, low: 0x8fed_cba9_8765_4321)

  @Test(
    "A key gives back its bytes",
    arguments: [
      "", "x", "gourmetgram.views-2@17", "01234567-89ab-4cde-8fed-cba987654321",
      "01234567-89AB-4CDE-8FED-CBA987654321", "01234567-89ab-4cde-8fed-cba98765432g",
      "01234567-89ab-4cde-8fed-cba9876543210", "\u{0}\u{ff}",
    ])
  func bytes(text: String) {
    let key = RecordKey(Array(text.utf8))
    #expect(key.bytes == Array(text.utf8))
    for count in 1...12 {
      #expect(key.partition(of: count) == Murmur2.partition(of: Array(text.utf8), count: count))
    }
  }

  @Test("An id and its text are one key; the text in capitals is another")
  func ids() {
    #expect(RecordKey(Self.id) == RecordKey(Array(Self.id.description.utf8)))
    let capitals = RecordKey(Array(Self.id.description.uppercased().utf8))
    #expect(RecordKey(Self.id) != capitals)
    let all: Set = [RecordKey(Self.id), RecordKey(Array(Self.id.description.utf8)), capitals]
    #expect(all.count == 2)
  }
}
