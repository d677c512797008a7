import Moderation
import Ports
import Simulation
import Testing

@testable import Pipeline

@Suite("Resolved marks")
struct ResolvedMarkTests {
  @Test("A mark is decoded as it was encoded")
  func roundTrip() {
    var random = RandomStreams(seed: 3).stream("marks")
    for _ in 0..<200 {
      var ends: [TopicName: [Int64]] = [:]
      for topic in 0..<random.below(5) {
        ends[TopicName("topic-\(topic).x")] = (0...random.below(4)).map { _ in
          Int64(random.below(1 << 40))
        }
      }
      let microseconds = Int64(random.below(1 << 50)) - (1 << 49)
      let mark = ResolvedMark(
        resolvedAt: EventTime(microseconds: microseconds), ends: ends)
      #expect(ResolvedMark(mark.encoded()) == mark)
    }
  }

  @Test("The text is the microseconds, then the offsets of each topic, sorted")
  func text() {
    let mark = ResolvedMark(
      resolvedAt: EventTime(microseconds: 17),
      ends: [TopicName("b"): [3], TopicName("a"): [1, 20]])
    #expect(String(decoding: mark.encoded(), as: UTF8.self) == "17 a=1,20 b=3")
  }

  @Test("Every number is written as Swift writes it", arguments: [0, 9, 10, -1, .max, .min])
  func numbers(number: Int64) {
    let mark = ResolvedMark(
      resolvedAt: EventTime(microseconds: number), ends: [TopicName("a"): [number]])
    #expect(String(decoding: mark.encoded(), as: UTF8.self) == "\(number) a=\(number)")
  }

  @Test(
    "What isn't a mark is nil",
    arguments: [
      "", " ", "x", "17x a=1", "a=1", "17 a", "17 a=", "17 =1", "17 a=1=2", "17 a=1,x,3",
      "17 a=1,,3", "17 a=1,", "17 a=x", "17 gourmetgram.comments", "17 gourmetgram.comments=",
      "99999999999999999999 a=1", "{}", "\u{0}",
    ])
  func bad(text: String) {
    #expect(ResolvedMark(Array(text.utf8)) == nil)
  }

  @Test(
    "Topics are known by their whole names, in any order",
    arguments: [
      Catalog.sourceTopics, Catalog.sourceTopics.reversed(),
      ["gourmetgram.comments1", "gourmetgram.flags", "gourmetgram.fla", "g"],
    ])
  func names(topics: [String]) {
    let ends = topics.enumerated().map { "\($1)=\($0),\($0 + 10)" }
    let mark = ResolvedMark(Array("17 \(ends.joined(separator: " "))".utf8))
    let expected = topics.enumerated().map { (TopicName($1), [Int64($0), Int64($0 + 10)]) }
    #expect(mark?.ends == Dictionary(uniqueKeysWithValues: expected))
  }

  @Test("Bytes that aren't text are nil")
  func binary() {
    #expect(ResolvedMark([0xFF, 0xFE]) == nil)
    #expect(ResolvedMark([]) == nil)
  }

  @Test("A partition that a mark doesn't know has the end 0")
  func unknown() {
    let mark = ResolvedMark(resolvedAt: Sample.start, ends: [TopicName("a"): [1, 2]])
    #expect(mark.end(of: TopicPartition("a", 1)) == 2)
    #expect(mark.end(of: TopicPartition("a", 2)) == 0)
    #expect(mark.end(of: TopicPartition("b", 0)) == 0)
  }

  @Test("A published mark holds the ends of all source topics, and nothing else's")
  func publish() throws {
    try simulate { world in
      try await world.append([Events.view(1, at: 0), Events.comment(2, at: 0)])
      try await world.append("x", to: Topic.deadLetters)
      await world.reach(4)
      try await world.resolve(3)
      let mark = try #require(try await world.marks().first)
      #expect(mark.resolvedAt == Sample.at(3))
      for topic in Catalog.sourceTopics {
        #expect(try await mark.ends[TopicName(topic)] == world.log.ends(of: topic))
      }
      #expect(mark.ends.count == Catalog.sourceTopics.count)
      let record = try #require(try await world.records(Topic.resolved).first)
      #expect(record.timestampMilliseconds == Sample.at(4).microseconds / 1000)
    }
  }
}
