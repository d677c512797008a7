import Simulation

extension ScenarioParser {
  func faults() throws(ScenarioError) -> [ScheduledFault] {
    var faults: [ScheduledFault] = []
    for (key, entry) in try root.variants("faults") {
      var fault = ScheduledFault(
        try kind(key, entry), at: try instant(entry, "at"), for: try entry.duration("for"))
      switch key {
      case "pause", "crash", "rebalance", "redeliver", "reorder", "skew":
        fault = try ofComponent(fault, key, entry)
      case "partition":
        fault.component = try entry.choice(key)
        fault.target = try entry.choice("from")
      case "evict":
        fault.target = try entry.choice(key)
      default:
        fault.target = try entry.choice(key)
        fault.component = try entry.choice("of")
        fault.ratio = try entry.ratio("ratio") ?? 1
        fault.stability = try entry.duration("stable")
        fault.limit = try entry.integer("times")
        if fault.stability == .zero { throw entry.error("stable", "must be longer than 0s") }
      }
      fault.skip = entry.shape.field("skip") == nil ? 0 : try entry.integer("skip") ?? 0
      faults.append(fault)
    }
    return faults
  }

  private func kind(
    _ key: String, _ entry: YAMLObject
  ) throws(ScenarioError) -> ScheduledFault.Kind {
    switch key {
    case "pause": return .pause
    case "crash": return .crash
    case "error": return .error
    case "lost_reply": return .lostReply
    case "conflict": return .conflict
    case "duplicate": return .duplicate
    case "slow": return .slow(by: try entry.duration("by") ?? .zero)
    case "partition": return .partition
    case "rebalance": return .rebalance
    case "redeliver": return .redeliver(last: try entry.integer("last") ?? 1)
    case "reorder": return .reorder
    case "evict":
      let (back, at) = (try entry.duration("back") ?? .zero, try instant(entry, "at"))
      guard back <= at else {
        throw entry.error("back", "the save would lie before the start")
      }
      return .evict(back: back)
    default:
      switch (try entry.duration("ahead"), try entry.duration("behind")) {
      case (let ahead?, nil): return .skew(by: ahead)
      case (nil, let behind?): return .skew(by: .zero - behind)
      default: throw entry.error(key, "by how much? add ahead or behind, one of the two")
      }
    }
  }

  private func ofComponent(
    _ fault: ScheduledFault, _ key: String, _ entry: YAMLObject
  ) throws(ScenarioError) -> ScheduledFault {
    let call = entry.shape.field("on") == nil ? nil : try entry.choice("on")
    var result = ScheduledFault(
      fault.kind, at: fault.at, for: fault.duration, of: try entry.choice(key), target: call)
    guard key == "crash" || key == "rebalance" else { return result }
    if call == nil, entry.has("skip") || entry.has("before") {
      throw entry.error(
        entry.has("skip") ? "skip" : "before", "this concerns a fault at a call",
        "add on: Port.method")
    }
    if call != nil, key == "rebalance", entry.has("for") {
      throw entry.error("for", "at a call, the other member leaves at once", "leave out for")
    }
    if key == "crash" { result.strikesBefore = try entry.boolean("before") ?? false }
    return result
  }
}
