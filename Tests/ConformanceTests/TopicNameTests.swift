import Ports
import Testing

@Suite("TopicName")
struct TopicNameTests {
  @Test("The same text is the same name, and its text comes back as it was")
  func identity() {
    for text in ["gourmetgram.views", "", "x", "soupe à l'oignon"] {
      #expect(TopicName(text) == TopicName(text))
      #expect(TopicName(text).text == text)
      #expect(TopicName(text).hashValue == TopicName(text).hashValue)
    }
    #expect(TopicName("a") != TopicName("b"))
  }

  @Test("Names order by their texts, in whatever order the process met them")
  func order() {
    let names = ["c-order", "a-order", "d-order", "b-order"].map { TopicName($0) }
    #expect(names.sorted().map(\.text) == ["a-order", "b-order", "c-order", "d-order"])
    #expect(!(names[0] < names[0]))
  }

  @Test("Partitions order by topic, then number, and all are told apart")
  func partitions() {
    let topics = ["t-b", "t-a"]
    let partitions = topics.flatMap { topic in [11, 2, 0].map { TopicPartition(topic, $0) } }
    #expect(
      partitions.sorted().map(\.description) == [
        "t-a-0", "t-a-2", "t-a-11", "t-b-0", "t-b-2", "t-b-11",
      ])
    #expect(Set(partitions).count == 6)
  }

  @Test("Names met on many threads at once are one name each")
  func threads() async {
    let found = await withTaskGroup(of: [TopicName].self) { group in
      for _ in 0..<8 {
        group.addTask { (0..<200).map { TopicName("thread-\($0)") } }
      }
      return await group.reduce(into: Set<TopicName>()) { $0.formUnion($1) }
    }
    #expect(found.count == 200)
    #expect(Set(found.map(\.text)) == Set((0..<200).map { "thread-\($0)" }))
  }
}
