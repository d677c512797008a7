import Moderation
import Ports

/// One fault of a run: what goes wrong, to whom, when and how often (DESIGN §5).
///
/// Every fault is over at the end of its time: the paired verb (restart, heal, resume, restore) is
/// that end.
public struct ScheduledFault: Hashable, Sendable {
  /// What goes wrong.
  public enum Kind: Hashable, Sendable {
    /// The component's next call of a port waits until the fault is over.
    case pause
    /// The component's memory is gone; a service starts again when the fault is over, a job is
    /// started again, and the API refuses until then.
    case crash
    /// Calls aren't carried out; the caller sees `unavailable`.
    case error
    /// Calls are carried out, but the caller sees `unknown outcome`.
    case lostReply
    /// Calls aren't carried out; the caller sees `conflict`, as after a serialization failure.
    case conflict
    /// Calls are carried out twice, as by a client that tried again under the caller.
    case duplicate
    /// Calls take this much longer.
    case slow(by: Duration)
    /// The component reaches the port no more: all calls fail as under ``error``.
    case partition
    /// Another member joins the component's consumer group, and leaves it when the fault is over.
    case rebalance
    /// The broker hands the last records to the component once more.
    case redeliver(last: Int)
    /// Polls keep the order within partitions only.
    case reorder
    /// The backend restarts from a save that is this old: what came since is gone.
    case evict(back: Duration)
    /// The component's clock goes wrong by this much, ahead when positive.
    case skew(by: Duration)

    /// The name in scenario files.
    public var name: String {
      switch self {
      case .pause: "pause"
      case .crash: "crash"
      case .error: "error"
      case .lostReply: "lost_reply"
      case .conflict: "conflict"
      case .duplicate: "duplicate"
      case .slow: "slow"
      case .partition: "partition"
      case .rebalance: "rebalance"
      case .redeliver: "redeliver"
      case .reorder: "reorder"
      case .evict: "evict"
      case .skew: "skew"
      }
    }
  }

  /// What.
  public var kind: Kind
  /// When, after the run's start.
  public var at: Duration
  /// For how long; nil means to the end of the scenario's time.
  public var duration: Duration?
  /// To whom: a service, a job, `intake` or `review-desk`; nil means to everybody.
  public var component: String?
  /// Which calls: `Port` or `Port.method`; nil means all. A crash or rebalance with a target
  /// strikes at a call, not at an instant.
  public var target: String?
  /// Whether a crash at a call strikes before the call is carried out.
  public var strikesBefore = false
  /// The share of the calls that are hit.
  public var ratio = 1.0
  /// For how long one draw of ``ratio`` holds; nil draws for every call.
  public var stability: Duration?
  /// How many calls pass first.
  public var skip = 0
  /// How many calls are hit at the most; nil sets no limit.
  public var limit: Int?

  /// A fault.
  public init(
    _ kind: Kind, at: Duration = .zero, for duration: Duration? = nil, of component: String? = nil,
    target: String? = nil
  ) {
    self.kind = kind
    self.at = at
    self.duration = duration
    self.component = component
    self.target = target
    let strikesOnce = kind == .crash || kind == .rebalance
    limit = strikesOnce && target != nil ? 1 : nil
    if case .redeliver = kind { limit = 1 }
  }

  /// Whether it strikes at an instant, without waiting for a call.
  public var isTimed: Bool {
    switch kind {
    case .crash, .rebalance: target == nil
    case .evict: true
    default: false
    }
  }

  /// Whether it concerns a component: an instance of a service has the service's name and a number.
  public func concerns(_ component: String) -> Bool {
    guard let mine = self.component else { return true }
    return component == mine || component.hasPrefix(mine + "-")
  }

  /// Whether it concerns a call.
  func concerns(call name: String) -> Bool {
    guard let target else { return true }
    return name == target || name.hasPrefix(target + ".")
  }
}

extension ScheduledFault: CustomStringConvertible {
  /// As an entry of a scenario file.
  public var description: String {
    var fields: [(String, String)] = [("at", at.short)]
    let who = component ?? ""
    let calls = target ?? ""
    switch kind {
    case .pause, .reorder: fields.append((kind.name, who))
    case .crash, .rebalance:
      fields.append((kind.name, who))
      if let target { fields.append(("on", target)) }
      if strikesBefore { fields.append(("before", "true")) }
    case .partition: fields += [(kind.name, who), ("from", calls)]
    case .redeliver(let last): fields += [(kind.name, who), ("last", "\(last)")]
    case .evict(let back): fields += [(kind.name, calls), ("back", back.short)]
    case .skew(let by):
      fields += [
        (kind.name, who), by < .zero ? ("behind", (.zero - by).short) : ("ahead", by.short),
      ]
    case .slow(let by): fields += [(kind.name, calls), ("by", by.short)]
    case .error, .lostReply, .conflict, .duplicate: fields.append((kind.name, calls))
    }
    if let duration { fields.append(("for", duration.short)) }
    if strikesCalls {
      if let component { fields.append(("of", component)) }
      if ratio < 1 { fields.append(("ratio", "\(ratio)")) }
      if let stability { fields.append(("stable", stability.short)) }
      if let limit { fields.append(("times", "\(limit)")) }
    }
    if skip > 0 { fields.append(("skip", "\(skip)")) }
    return "{ " + fields.map { "\($0): \($1)" }.joined(separator: ", ") + " }"
  }

  /// Whether it is one of those that name calls and, at will, whose.
  private var strikesCalls: Bool {
    switch kind {
    case .error, .lostReply, .conflict, .duplicate, .slow: true
    default: false
    }
  }
}

extension Duration {
  /// `1h5m`, `90s`, `250ms`, `3us`: the shortest way that scenario files have for it.
  public var short: String {
    var rest = microseconds
    guard rest != 0 else { return "0s" }
    var text = ""
    let units: [(String, Int64)] = [
      ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1),
    ]
    for (unit, size) in units where rest >= size {
      text += "\(rest / size)\(unit)"
      rest %= size
    }
    return text
  }
}
