import Moderation
import Pipeline
import Ports
import Simulation

extension TrafficEntry {
  /// The user who does it, where the scenario says so.
  var actor: String? {
    get {
      switch self {
      case .upload(let step): step.by
      case .engagement(let step): step.by
      default: nil
      }
    }
    set {
      switch self {
      case .upload(var step):
        step.by = newValue
        self = .upload(step)
      case .engagement(var step):
        step.by = newValue
        self = .engagement(step)
      default: break
      }
    }
  }

  /// The image that it is about.
  fileprivate var image: String? {
    switch self {
    case .burst(let burst): burst.image
    case .upload(let step): step.alias
    case .engagement(let step): step.image
    default: nil
    }
  }

  /// When it begins.
  fileprivate var at: Duration? {
    get {
      switch self {
      case .poisson: nil
      case .burst(let step): step.at
      case .user(let step): step.at
      case .upload(let step): step.at
      case .engagement(let step): step.at
      case .duplicates(let step): step.at
      case .poison(let step): step.at
      }
    }
    set {
      guard let newValue else { return }
      switch self {
      case .poisson: break
      case .burst(var step):
        step.at = newValue
        self = .burst(step)
      case .user(var step):
        step.at = newValue
        self = .user(step)
      case .upload(var step):
        step.at = newValue
        self = .upload(step)
      case .engagement(var step):
        step.at = newValue
        self = .engagement(step)
      case .duplicates(var step):
        step.at = newValue
        self = .duplicates(step)
      case .poison(var step):
        step.at = newValue
        self = .poison(step)
      }
    }
  }

  /// When the last of it happens.
  fileprivate var last: Duration {
    switch self {
    case .poisson(let poisson): poisson.until ?? .zero
    case .burst(let burst): burst.at + burst.over
    case .engagement(let step): step.at + step.every * (step.times - 1)
    default: at ?? .zero
    }
  }

  /// Whether it is the same as a step, earlier.
  func repeats(_ step: EngagementStep) -> Bool {
    guard case .engagement(let mine) = self else { return false }
    return mine.kind == step.kind && mine.image == step.image && mine.by == step.by
      && mine.lateBy == step.lateBy && mine.onComment == step.onComment && mine.alias == step.alias
  }
}

extension Scenario {
  /// Traffic, actions, jobs and faults together.
  var actionCount: Int { traffic.count + actions.count + jobs.count + faults.count }

  /// The images that traffic makes or uses, in its order.
  var imageNames: [String] {
    var names: [String] = []
    for name in traffic.compactMap(\.image) where !names.contains(name) { names.append(name) }
    return names
  }

  /// Lets what was done to one image be done to another.
  mutating func rename(image name: String, to other: String) {
    traffic.removeAll { entry in
      if case .upload(let step) = entry { step.alias == name } else { false }
    }
    for index in traffic.indices {
      switch traffic[index] {
      case .burst(var burst) where burst.image == name:
        burst.image = other
        traffic[index] = .burst(burst)
      case .engagement(var step) where step.image == name:
        step.image = other
        traffic[index] = .engagement(step)
      default: break
      }
    }
  }

  /// Lets one user do what another did.
  mutating func rename(user name: String, to other: String) {
    for index in traffic.indices where traffic[index].actor == name {
      traffic[index].actor = other
    }
  }

  /// Changes every instant of traffic, actions, jobs and faults.
  mutating func mapTimes(_ change: (Duration) -> Duration) {
    for index in traffic.indices { traffic[index].at = traffic[index].at.map(change) }
    for index in actions.indices { actions[index].at = change(actions[index].at) }
    for index in jobs.indices { jobs[index].at = jobs[index].at.map(change) }
    for index in faults.indices { faults[index].at = change(faults[index].at) }
  }

  /// Without what lies after the end, and without what is about images, users and comments that
  /// aren't there any more.
  var consistent: Scenario {
    var scenario = self
    scenario.traffic.removeAll { ($0.at ?? .zero) > duration || $0.last > duration }
    scenario.actions.removeAll { $0.at > duration }
    scenario.jobs.removeAll { ($0.at ?? .zero) > duration }
    scenario.faults.removeAll { $0.at > duration }
    for index in scenario.faults.indices {
      if case .evict(back: let back) = scenario.faults[index].kind {
        scenario.faults[index].kind = .evict(back: min(back, scenario.faults[index].at))
      }
    }
    let made = scenario.aliases
    scenario.traffic.removeAll { entry in
      entry.image.map { made.fault("image", $0, at: entry.at) != nil } ?? false
    }
    for index in scenario.traffic.indices {
      let entry = scenario.traffic[index]
      if let actor = entry.actor, made.fault("user", actor, at: entry.at) != nil {
        scenario.traffic[index].actor = nil
      }
    }
    let left = scenario.aliases
    scenario.actions.removeAll { action in
      switch action.action {
      case .deleteImage(let name), .reviewImage(let name, _):
        left.fault("image", name, at: action.at) != nil
      case .deleteComment(let name), .reviewComment(let name, _):
        left.fault("comment", name, at: action.at) != nil
      case .correctUser(let name, _, _): left.fault("user", name, at: action.at) != nil
      case .evolve: false
      }
    }
    return scenario
  }
}
