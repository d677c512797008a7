import Moderation
import Yams

extension ScenarioParser {
  func traffic() throws(ScenarioError) -> [TrafficEntry] {
    var entries: [TrafficEntry] = []
    var made: Set<[String]> = []
    for (key, entry) in try root.variants("traffic") {
      guard let object = try entry.object(key) else { continue }
      // A burst's image may be there already.
      if key != "burst", let alias = try object.text("as"), !made.insert([key, alias]).inserted {
        throw object.error(
          "as", "the \(key) '\(alias)' is made twice", "give one of them another name")
      }
      switch key {
      case "poisson": entries.append(.poisson(try poisson(object)))
      case "burst": entries.append(.burst(try burst(object)))
      case "user": entries.append(.user(try user(object)))
      case "upload": entries.append(.upload(try upload(object)))
      case "duplicates":
        entries.append(
          .duplicates(
            .init(at: try instant(object, "at"), last: try object.integer("last") ?? 1)))
      case "poison": entries.append(.poison(try poison(object)))
      default:
        if let kind = EventKind(rawValue: key) {
          entries.append(.engagement(try engagement(kind, object)))
        }
      }
    }
    return entries
  }

  private func poisson(_ object: YAMLObject) throws(ScenarioError) -> TrafficEntry.Poisson {
    let text = try object.text("rate") ?? ""
    guard let rate = Quantity.rate(text) else {
      throw object.error("rate", "'\(text)' is no rate", "write it as 3000/h, 50/min or 2/s")
    }
    var poisson = TrafficEntry.Poisson(perSecond: rate)
    poisson.from = try object.has("from") ? instant(object, "from") : .zero
    poisson.until = try object.has("until") ? instant(object, "until") : nil
    poisson.anonymous = try object.ratio("anonymous") ?? poisson.anonymous
    poisson.lateShare = try object.ratio("late") ?? 0
    poisson.lateBy = try object.duration("late_by") ?? poisson.lateBy
    guard let mix = try object.object("mix") else { return poisson }
    func weight(_ name: String, _ fallback: Double) throws(ScenarioError) -> Double {
      let value = try mix.number(name) ?? fallback
      guard value >= 0 else { throw mix.error(name, "a weight can't be negative") }
      return value
    }
    poisson.mix = TrafficMix(
      view: try weight("view", 1), comment: try weight("comment", 1),
      upload: try weight("upload", 1), user: try weight("user", 1), flag: try weight("flag", 1),
      delete: try weight("delete", 0))
    guard poisson.mix.total > 0 else { throw object.error("mix", "all weights are 0") }
    return poisson
  }

  private func burst(_ object: YAMLObject) throws(ScenarioError) -> TrafficEntry.Burst {
    let last = try instant(object, "at") + (object.duration("over") ?? .zero)
    guard last <= duration else {
      throw object.error("over", "the burst lasts beyond the scenario's end")
    }
    return TrafficEntry.Burst(
      image: try object.text("as") ?? "", at: try instant(object, "at"),
      over: try object.duration("over") ?? .zero, views: try object.integer("views") ?? 0,
      comments: try object.integer("comments") ?? 0, flags: try object.integer("flags") ?? 0)
  }

  private func user(_ object: YAMLObject) throws(ScenarioError) -> TrafficEntry.UserStep {
    let birth = try birth(object, at: instant(object, "at"))
    return TrafficEntry.UserStep(
      alias: try object.text("as") ?? "", at: try instant(object, "at"),
      yearOfBirth: birth.year, dateOfBirth: birth.date,
      isTestAccount: try object.boolean("test_account") ?? false,
      age: try object.duration("age") ?? .zero)
  }

  private func upload(_ object: YAMLObject) throws(ScenarioError) -> TrafficEntry.UploadStep {
    TrafficEntry.UploadStep(
      alias: try object.text("as") ?? "", at: try instant(object, "at"), by: try object.text("by"),
      category: try object.text("category"), caption: try object.text("caption"))
  }

  private func engagement(
    _ kind: EventKind, _ object: YAMLObject
  ) throws(ScenarioError) -> TrafficEntry.EngagementStep {
    var step = TrafficEntry.EngagementStep(
      kind: kind, image: try object.text("on") ?? "", at: try instant(object, "at"))
    step.by = try object.text("by")
    step.times = try object.integer("times") ?? 1
    step.every = try object.duration("every") ?? step.every
    step.lateBy = try object.duration("late_by") ?? .zero
    if kind == .comment { step.alias = try object.text("as") }
    if kind == .flag { step.onComment = try object.boolean("comment") ?? false }
    let last = step.at + step.every * (step.times - 1)
    guard last <= duration else {
      throw object.error("times", "the last of them lies after the scenario's end")
    }
    return step
  }

  private func poison(_ object: YAMLObject) throws(ScenarioError) -> TrafficEntry.PoisonStep {
    let kind = try object.choice("topic").flatMap { EventKind(rawValue: $0) } ?? .view
    var value = Array((try object.text("value") ?? "").utf8)
    if let hex = try object.text("bytes") {
      let digits = hex.compactMap(\.hexDigitValue)
      guard digits.count == hex.count, digits.count.isMultiple(of: 2) else {
        throw object.error("bytes", "'\(hex)' is no list of hexadecimal bytes")
      }
      value = stride(from: 0, to: digits.count, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
      }
    }
    guard object.has("value") != object.has("bytes") else {
      throw object.error("topic", "a poison record needs `value` or `bytes`, one of the two")
    }
    return TrafficEntry.PoisonStep(
      at: try instant(object, "at"), topic: kind, value: value,
      times: try object.integer("times") ?? 1)
  }

  /// Every alias that is used must be made by then; what makes it is told by its kind.
  func checkAliases(_ scenario: Scenario) throws(ScenarioError) {
    let made = scenario.aliases
    for (section, keys) in Self.aliasKeys {
      for entry in try root.list(section) { try check(entry, keys, made, at: nil) }
    }
  }

  /// Which keys of which section hold aliases of what.
  private static let aliasKeys: [(String, [String: String])] = [
    ("traffic", ["on": "image", "by": "user"]),
    ("actions", ["image": "image", "comment": "comment", "user": "user"]),
    (
      "expect",
      [
        "scored": "image", "unscored": "image", "of": "image", "absent": "image",
        "erased": "image or user",
        "present": "image",
      ]
    ),
  ]

  /// Looks for uses in an entry; `instant` is that of the mapping around it.
  private func check(
    _ node: Node, _ keys: [String: String], _ made: MadeAliases, at instant: Duration?
  ) throws(ScenarioError) {
    guard let mapping = node.mapping else { return }
    let instant = mapping["at"]?.scalar.flatMap { Quantity.duration($0.string) } ?? instant
    for (key, value) in mapping {
      if let kind = keys[key.scalar?.string ?? ""], let alias = value.scalar?.string {
        // `comment: true` of a flag is no alias.
        guard kind != "comment" || alias != "true" else { continue }
        if let fault = made.fault(kind, alias, at: instant) {
          throw root.reader.error(value, fault.message, fault.hint)
        }
      } else {
        try check(value, keys, made, at: instant)
      }
    }
  }
}

extension TrafficMix {
  /// The sum of the weights.
  var total: Double { view + comment + upload + user + flag + delete }
}
