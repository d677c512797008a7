import Simulation

extension ScenarioFields {
  private static let at = ScenarioField("at", .duration, "When.", isRequired: true)
  private static let duration = ScenarioField(
    "for", .duration, "For how long.", isRequired: true)
  private static let skip = ScenarioField(
    "skip", .integer(0...1_000_000), "How many calls pass first; default 0.")
  private static let ports = PortOperation.ports + PortOperation.names

  /// What calls a fault of calls strikes.
  private static let calls: [ScenarioField] = [
    .init("at", .duration, "From when on; default the start."),
    .init("for", .duration, "For how long; default to the scenario's end."),
    .init("of", .choice(Component.names), "Whose calls; default everybody's."),
    .init("ratio", .ratio, "The share of the calls that is hit; default all."),
    .init("stable", .duration, "For how long one draw of `ratio` holds; default one call."),
    skip,
    .init("times", .integer(1...1_000_000), "How many calls are hit at the most; default all."),
  ]

  private static func component(
    _ name: String, _ about: String, _ who: [String], _ more: [ScenarioField]
  ) -> ScenarioObject {
    ScenarioObject(
      about, by: name, [at, .init(name, .choice(who), "Who.", isRequired: true)] + more)
  }

  private static func call(
    _ name: String, _ about: String, _ more: [ScenarioField] = []
  ) -> ScenarioObject {
    ScenarioObject(
      about, by: name,
      [.init(name, .choice(ports), "Which calls: Port or Port.method.", isRequired: true)] + more
        + calls)
  }

  static let faults: [ScenarioObject] = [
    component(
      "pause", "A component stands still: its next call waits.", Component.names, [duration]),
    component(
      "crash", "A component loses its memory and starts again.", Component.names,
      [
        duration,
        .init("on", .choice(ports), "Not at the instant, but at its next call of these."),
        .init("before", .boolean, "Before that call is carried out; default after it."), skip,
      ]),
    call("error", "Calls aren't carried out: unavailable."),
    call("lost_reply", "Calls are carried out, but the caller doesn't hear of it."),
    call("conflict", "Calls aren't carried out: somebody else was first."),
    call("duplicate", "Calls are carried out twice."),
    call(
      "slow", "Calls take longer.", [.init("by", .duration, "How much longer.", isRequired: true)]),
    component(
      "partition", "A component can't reach a port.", Component.names,
      [duration, .init("from", .choice(PortOperation.ports), "The port.", isRequired: true)]),
    component(
      "rebalance", "Another member joins the consumer group, and leaves it again.",
      Component.consumers.map(\.rawValue),
      [
        .init("for", .duration, "For how long it stays; default not at all."),
        .init("on", .choice(ports), "Not at the instant, but right before its next call of these."),
        skip,
      ]),
    component(
      "redeliver", "The broker hands out the last records once more.",
      Component.consumers.map(\.rawValue),
      [.init("last", .integer(1...100_000), "How many at the most.", isRequired: true)]),
    component(
      "reorder", "Polls keep the order within partitions only.",
      Component.consumers.map(\.rawValue), [duration]),
    component(
      "evict", "A backend restarts from an older save.", ["FeatureStore"],
      [.init("back", .duration, "How old the save is.", isRequired: true)]),
    component(
      "skew", "A component's clock goes wrong.", Component.names,
      [
        duration, .init("ahead", .duration, "By how much it is ahead."),
        .init("behind", .duration, "By how much it is behind."),
      ]),
  ]
}
