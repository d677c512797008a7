import Moderation

/// One thing that the traffic driver does.
enum TrafficStep: Sendable {
  case user(TrafficEntry.UserStep)
  case upload(TrafficEntry.UploadStep)
  case burstStart(TrafficEntry.Burst)
  case engagement(TrafficEntry.EngagementStep)
  case duplicates(TrafficEntry.DuplicateStep)
  case poison(TrafficEntry.PoisonStep)
  case action(ScheduledAction.Action)
}

/// The scripted steps of a scenario in the order in which they happen: by time, then as written.
struct TrafficTimeline: Sendable {
  private(set) var steps: [(at: Duration, step: TrafficStep)] = []

  init(_ scenario: Scenario) {
    for entry in scenario.traffic {
      switch entry {
      case .poisson: break
      case .burst(let burst): add(burst)
      case .user(let user): steps.append((user.at, .user(user)))
      case .upload(let upload): steps.append((upload.at, .upload(upload)))
      case .engagement(let step):
        for index in 0..<step.times {
          steps.append((step.at + step.every * index, .engagement(step)))
        }
      case .duplicates(let step): steps.append((step.at, .duplicates(step)))
      case .poison(let step):
        for _ in 0..<step.times { steps.append((step.at, .poison(step))) }
      }
    }
    for action in scenario.actions { steps.append((action.at, .action(action.action))) }
    // Stable: what happens at one instant happens in the order of the file.
    steps = steps.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
      .map(\.element)
  }

  /// Views, comments and flags of a burst, each kind spread evenly over its time.
  private mutating func add(_ burst: TrafficEntry.Burst) {
    steps.append((burst.at, .burstStart(burst)))
    let kinds: [(EventKind, Int)] = [
      (.view, burst.views), (.comment, burst.comments), (.flag, burst.flags),
    ]
    for (kind, count) in kinds where count > 0 {
      let gap = burst.over / count
      for index in 0..<count {
        let at = burst.at + gap * index + gap / 2
        steps.append(
          (at, .engagement(.init(kind: kind, image: burst.image, at: at))))
      }
    }
  }
}
