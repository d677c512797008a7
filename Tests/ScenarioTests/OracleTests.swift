import InMemoryBackends
import Moderation
import Pipeline
import Ports
import Simulation
import Testing

/// Online and offline features of generated timelines against counts by brute force.
@Suite struct OracleTests {
  @Test("On 200 timelines, online features equal the naive count", arguments: 0..<20)
  func online(group: Int) throws {
    for seed in 0..<10 {
      let timeline = Timeline(seed: UInt64(group * 10 + seed))
      let store = InMemoryFeatureStore()
      let executor = SimulationExecutor(clock: VirtualClock(start: .init(microseconds: 0)))
      let questions = timeline.questions
      let stop = executor.run { () async -> Result<[EngagementCounts], PortError> in
        do throws(PortError) {
          for batch in timeline.batches {
            _ = try await store.apply(batch, policy: TriggerPolicy())
          }
          return .success(try await store.counts(questions))
        } catch {
          return .failure(error)
        }
      }
      guard case .finished(let result) = stop else {
        Issue.record("\(stop)")
        return
      }
      for (question, counts) in zip(questions, try result.get()) {
        #expect(counts == timeline.naiveCounts(question), "seed \(timeline.seed) \(question)")
      }
    }
  }

  @Test("On 200 timelines, both offline definitions equal the naive row", arguments: 0..<20)
  func offline(group: Int) throws {
    for seed in 0..<10 {
      let timeline = Timeline(seed: UInt64(group * 10 + seed))
      for definition in PipelinePolicy.Offline.allCases {
        var policy = PipelinePolicy(
          heuristic: HeuristicPolicy(name: "none", version: "v1", start: 0, rules: []))
        policy.offline = definition
        var set = TrainingSet(
          snapshot: timeline.snapshot, knownUntil: timeline.end, policy: policy)
        for metric in Metric.allCases {
          set.addHistory(metric, timeline.bronze(metric))
          set.addWindows(metric, timeline.windows(metric))
        }
        let rows = set.rows()
        let expected = timeline.naiveRows(definition)
        #expect(rows.count == expected.count)
        for (row, naive) in zip(rows, expected) {
          #expect(row.features == naive, "seed \(timeline.seed) \(definition) \(row)")
        }
      }
    }
  }
}
