import Moderation
import Pipeline
import Ports
import Simulation
import Testing

@testable import Harness

@Suite("Past")
struct PastTests {
  private static let image = ImageID(high: 1, low: 2)
  private static let views = TopicPartition(EventKind.view.topic, 0)

  private static func view(_ number: UInt64) -> ProducerRecord {
    let event = PlatformEvent(
      id: EventID(high: 3, low: number), time: EventTime(microseconds: 7), actor: nil,
      actorEligible: true, subject: .view(image: image))
    return ProducerRecord(
      topic: views.topic, partition: 0, recordKey: nil, value: EventCodec.encode(event),
      timestamp: event.time)
  }

  private static func applied(_ offsets: Range<Int64>) -> FeatureBatch {
    FeatureBatch(
      entries: [],
      partitions: [
        .init(
          partition: views, from: offsets.lowerBound, to: offsets.upperBound, watermark: nil)
      ])
  }

  /// A platform without traffic, and a body that runs on its clock.
  private static func onPlatform<Value: Sendable>(
    _ body: @escaping @Sendable (Platform) async throws(PortError) -> Value
  ) throws -> Value {
    let scenario = try Scenario(yaml: "name: x\nabout: y\nduration: 1h\n", file: "x.yaml")
    let clock = VirtualClock(start: ProcessingTime(microseconds: scenario.start.microseconds))
    let streams = RandomStreams(seed: 1)
    let platform = Platform(
      backends: .inMemory(time: clock),
      environment: Environment(
        component: "test", time: clock, ids: SeededIDs(streams: streams), trace: NoTrace()),
      policy: scenario.policy,
      faults: FaultPlan(
        [], start: clock.now, end: clock.now, streams: streams, services: [], api: []),
      verdict: nil, injection: nil, yields: false, collector: RunCollector())
    let stop = SimulationExecutor(clock: clock).run { () async -> Result<Value, PortError> in
      do throws(PortError) {
        try await platform.createTopics()
        return .success(try await body(platform))
      } catch {
        return .failure(error)
      }
    }
    guard case .finished(let result) = stop else { throw RunFailure.noProgress("\(stop)") }
    return try result.get()
  }

  @Test("It tells what was applied by then, and each request once")
  func tells() throws {
    let request = ModerationRequest(
      FiredTrigger(image: Self.image, trigger: .viral, asOf: EventTime(microseconds: 9)))
    let past = try Self.onPlatform { (platform) async throws(PortError) in
      let asked = ProducerRecord(
        topic: Topic.moderationRequests, key: nil, value: request.encoded(),
        timestamp: request.asOf)
      _ = try await platform.backends.log.append([
        Self.view(1), Self.view(2), Self.view(3), asked, asked,
      ])
      platform.collector.note(Self.applied(0..<2), AppliedBatch(), at: platform.environment.now)
      return try await Past(platform)
    }
    #expect(past.told.applied.map(\.record.offset) == [0, 1])
    #expect(past.told.events.count == 2)
    #expect(past.requests.all == [request])
    #expect(past.requests.records[request.id]?.offset == 0)
    #expect(past.requests.records[RequestID(high: 7, low: 7)] == nil)
  }

  @Test("What comes to the log or is applied later makes it another one")
  func changes() throws {
    let answers = try Self.onPlatform { (platform) async throws(PortError) in
      let log = platform.backends.log
      _ = try await log.append([Self.view(1)])
      let first = try await Past(platform)
      var answers = [try await first.isAll(of: platform)]
      platform.collector.note(Self.applied(0..<1), AppliedBatch(), at: platform.environment.now)
      answers.append(try await first.isAll(of: platform))
      let second = try await Past(platform)
      answers.append(try await second.isAll(of: platform))
      _ = try await log.append([Self.view(2)])
      answers.append(try await second.isAll(of: platform))
      let third = try await Past(platform)
      _ = try await log.append([
        ProducerRecord(
          topic: Topic.moderationRequests, key: nil, value: [], timestamp: Self.view(1).timestamp)
      ])
      answers.append(try await third.isAll(of: platform))
      return answers
    }
    #expect(answers == [true, false, true, false, false])
  }
}
