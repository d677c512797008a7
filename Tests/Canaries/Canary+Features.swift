import Harness
import Moderation
import Ports
import Synchronization

/// The rolling features.
extension Canary {
  static let features = [
    Canary(
      "random-member",
      "A window's members have random names, so that a repeated event counts twice.",
      reference: "§10.6", of: "stream-consumer"
    ) { component, ports in
      ports.hookFeatures { features, base in
        features.onApply = { (batch, policy) async throws(PortError) in
          var batch = batch
          for index in batch.entries.indices {
            batch.entries[index].event.id = component.ids.make(label: "member")
          }
          return try await base.apply(batch, policy: policy)
        }
      }
    },
    Canary(
      "plain-increment", "Totals are incremented at each delivery, repeated ones included.",
      reference: "§10.6", of: ["stream-consumer", "risk-scorer"]
    ) {
      let extra = Mutex<[ImageID: Int]>([:])
      return { _, ports in
        ports.hookFeatures { features, base in
          features.onApply = { (batch, policy) async throws(PortError) in
            let applied = try await base.apply(batch, policy: policy)
            extra.withLock { extra in
              for event in applied.duplicates.map({ batch.entries[$0].event })
              where event.kind == .flag {
                if let image = event.image { extra[image, default: 0] += 1 }
              }
            }
            return applied
          }
          features.onCounts = { (questions) async throws(PortError) in
            var counts = try await base.counts(questions)
            extra.withLock { extra in
              for index in counts.indices {
                let more = extra[questions[index].image] ?? 0
                counts[index].totalFlags = counts[index].totalFlags + more
              }
            }
            return counts
          }
        }
      }
    },
    Canary(
      "late-at-once", "A late event counts as of instants that were answered without it.",
      of: "stream-consumer"
    ) { _, ports in
      ports.hookFeatures { features, base in
        features.onApply = { (batch, policy) async throws(PortError) in
          var batch = batch
          for index in batch.entries.indices { batch.entries[index].visibleFrom = nil }
          return try await base.apply(batch, policy: policy)
        }
      }
    },
    Canary(
      "forgetful-triggers", "Which triggers fired is remembered in the consumer's process alone.",
      reference: "§10.10", of: "stream-consumer"
    ) { _, ports in
      ports.hookFeatures { features, base in
        let memory = TriggerMemory()
        features.onApply = { (batch, policy) async throws(PortError) in
          var applied = try await base.apply(batch, policy: policy)
          let durable = applied.fired.filter { TriggerMemory.remembers($0.trigger) }
          try await base.acknowledge(
            durable.filter(\.trigger.asksForScore).map(ModerationRequest.init))
          applied.fired.removeAll { TriggerMemory.remembers($0.trigger) }
          let repeated = Set(applied.duplicates)
          for (index, entry) in batch.entries.enumerated() where !repeated.contains(index) {
            guard let image = entry.event.image else { continue }
            let counts = try await base.counts([
              CountQuestion(image: image, asOf: entry.event.time)
            ])
            applied.fired += memory.fire(entry.event, image, counts[0], policy)
          }
          return applied
        }
      }
    },
    Canary(
      "closed-window", "Windows are `[t − w, t)`: `>=` where `>` belongs, and `<` for `<=`.",
      of: "risk-scorer"
    ) { _, ports in
      ports.hookFeatures { features, base in
        features.onCounts = { (questions) async throws(PortError) in
          try await base.counts(questions.moved(by: .microseconds(-1)))
        }
      }
    },
    Canary(
      "expiring-total", "The key of the total expires after five minutes, as its window's does.",
      of: "risk-scorer"
    ) { _, ports in
      ports.hookFeatures { features, base in
        features.onCounts = { (questions) async throws(PortError) in
          var counts = try await base.counts(questions)
          for index in counts.indices where counts[index].flags5min.observed == 0 {
            counts[index].totalFlags = .init()
          }
          return counts
        }
      }
    },
    Canary(
      "wall-clock-expiry",
      "Window entries expire by the wall clock, however late the scorer comes.",
      reference: "§10.9", of: "risk-scorer"
    ) { component, ports in
      ports.hookFeatures { features, base in
        features.onCounts = { (questions) async throws(PortError) in
          let now = component.now.asEventTime
          let counts = try await base.counts(questions)
          let before5min = try await base.counts(questions.capped(at: now - .seconds(300)))
          let before1hr = try await base.counts(questions.capped(at: now - .seconds(3600)))
          return counts.indices.map { index in
            counts[index].expired(before5min[index], before1hr[index])
          }
        }
      }
    },
    Canary(
      "shuffled-answers", "Counts are answered in the order of the images, not of the questions.",
      of: "risk-scorer"
    ) { _, ports in
      ports.hookFeatures { features, base in
        features.onCounts = { (questions) async throws(PortError) in
          let counts = try await base.counts(questions)
          let order = questions.indices.sorted {
            (questions[$0].image, $0) < (questions[$1].image, $1)
          }
          return order.map { counts[$0] }
        }
      }
    },
    Canary(
      "greatest-watermark", "The scorer waits for the greatest of the watermarks, not the least.",
      needsFaults: true, of: "risk-scorer"
    ) { _, ports in
      ports.hookFeatures { features, base in
        features.onProgress = { () async throws(PortError) in
          let progress = try await base.progress()
          let greatest = progress.values.compactMap(\.watermark).max()
          return progress.mapValues { state in
            PartitionProgress(nextOffset: state.nextOffset, watermark: greatest)
          }
        }
      }
    },
  ]
}

/// Which triggers fired, as a process remembers it; the durable memory isn't asked.
private final class TriggerMemory: Sendable {
  private let fired = Mutex<Set<String>>([])

  static func remembers(_ trigger: Trigger) -> Bool {
    [.viral, .popular, .flagged].contains(trigger)
  }

  /// The triggers whose threshold the counts reach, each once in this process.
  func fire(
    _ event: PlatformEvent, _ image: ImageID, _ counts: EngagementCounts, _ policy: TriggerPolicy
  ) -> [FiredTrigger] {
    let reached: [(Trigger, Int?, Int)] =
      switch event.kind {
      case .view:
        [
          (.viral, policy.viral, counts.views5min.observed),
          (.popular, policy.popular, counts.views1hr.observed),
        ]
      case .flag: [(.flagged, policy.flagged, counts.flags5min.observed)]
      case .upload, .comment: []
      }
    return reached.compactMap { trigger, threshold, count in
      guard let threshold, count >= threshold,
        fired.withLock({ $0.insert("\(image) \(trigger.name)").inserted })
      else { return nil }
      return FiredTrigger(image: image, trigger: trigger, asOf: event.time, count: count)
    }
  }
}

extension [CountQuestion] {
  /// The same questions about other instants.
  func moved(by duration: Duration) -> Self {
    map { CountQuestion(image: $0.image, asOf: $0.asOf + duration) }
  }

  /// The same questions about an instant, where they are about a later one.
  fileprivate func capped(at instant: EventTime) -> Self {
    map { CountQuestion(image: $0.image, asOf: Swift.min($0.asOf, instant)) }
  }
}

extension EngagementCounts {
  /// The windows without what came before them, by totals.
  fileprivate func expired(_ before5min: Self, _ before1hr: Self) -> Self {
    var counts = self
    counts.views5min = totalViews - before5min.totalViews
    counts.comments5min = totalComments - before5min.totalComments
    counts.flags5min = totalFlags - before5min.totalFlags
    counts.views1hr = totalViews - before1hr.totalViews
    counts.comments1hr = totalComments - before1hr.totalComments
    counts.flags1hr = totalFlags - before1hr.totalFlags
    return counts
  }
}

extension RollingCounter.Tally {
  fileprivate static func - (a: Self, b: Self) -> Self {
    Self(observed: a.observed - b.observed, governed: a.governed - b.governed)
  }

  fileprivate static func + (tally: Self, more: Int) -> Self {
    Self(observed: tally.observed + more, governed: tally.governed + more)
  }
}
