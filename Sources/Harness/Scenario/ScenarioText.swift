import Moderation
import Pipeline
import Ports
import Simulation

extension Scenario {
  /// The scenario as a file that reads as it is; what has its default is left out.
  ///
  /// - Parameter comments: lines for its head, without `#`.
  public func yaml(comments: [String] = []) -> String {
    var lines = comments.map { $0.isEmpty ? "#" : "# \($0)" }
    lines += ["name: \(name)", "about: \(Self.quoted(about))", "seed: \(seed)"]
    lines += ["start: \(start)", "duration: \(duration.short)"]
    lines.append("population: \(population.flow)")
    if consumers != 1 { lines.append("consumers: \(consumers)") }
    if let schedule { lines.append("schedule: \(schedule)") }
    lines += Self.section("traffic", traffic.map(\.flow))
    lines += Self.section("actions", actions.map(\.flow))
    lines += Self.section("jobs", jobs.map(\.flow))
    lines += Self.section("faults", faults.map(\.description))
    let policy = policy.flow
    if policy != "{ }" { lines.append("policy: \(policy)") }
    lines += Self.section("expect", expectations.map(\.text))
    return lines.joined(separator: "\n") + "\n"
  }

  private static func section(_ name: String, _ entries: [String]) -> [String] {
    entries.isEmpty ? [] : ["\(name):"] + entries.map { "  - \($0)" }
  }

  /// Text in double quotes, for what isn't a plain name.
  static func quoted(_ text: String) -> String {
    var bytes: [UInt8] = []
    JSONWriter.appendString(text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// `{ key: value, … }`, with what is nil left out.
private func flow(_ fields: [(String, String?)]) -> String {
  let kept = fields.compactMap { name, value in value.map { "\(name): \($0)" } }
  return kept.isEmpty ? "{ }" : "{ \(kept.joined(separator: ", ")) }"
}

/// A value as text, nil when it is the default.
private func unless<Value: Equatable>(_ fallback: Value, _ value: Value) -> String? {
  value == fallback ? nil : "\(value)"
}

private func unless(_ fallback: Duration, _ value: Duration) -> String? {
  value == fallback ? nil : value.short
}

/// `YYYY-MM-DD`.
private func text(_ date: CivilDate) -> String {
  func padded(_ value: Int, _ width: Int) -> String {
    String(repeating: "0", count: max(0, width - "\(value)".count)) + "\(value)"
  }
  return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
}

extension Population {
  fileprivate var flow: String {
    let usual = Population()
    return Harness.flow([
      ("users", "\(users)"), ("images", "\(images)"),
      ("test_accounts", unless(usual.testAccounts, testAccounts)),
      ("minors", unless(usual.minors, minors)),
      ("near_birthday", unless(usual.nearBirthday, nearBirthday)),
      ("mute_ineligible", unless(false, muteIneligible)),
      ("bad_images", unless(0, badImages)),
    ])
  }
}

extension TrafficEntry {
  fileprivate var flow: String {
    switch self {
    case .poisson(let poisson): return "poisson: \(poisson.flow)"
    case .burst(let burst):
      return "burst: "
        + Harness.flow([
          ("as", burst.image), ("at", burst.at.short), ("over", burst.over.short),
          ("views", unless(0, burst.views)), ("comments", unless(0, burst.comments)),
          ("flags", unless(0, burst.flags)),
        ])
    case .user(let user):
      return "user: "
        + Harness.flow([
          ("as", user.alias), ("at", user.at.short),
          ("year_of_birth", user.yearOfBirth.map(String.init)),
          ("date_of_birth", user.dateOfBirth.map(text)),
          ("test_account", unless(false, user.isTestAccount)), ("age", unless(.zero, user.age)),
        ])
    case .upload(let upload):
      return "upload: "
        + Harness.flow([
          ("as", upload.alias), ("at", upload.at.short), ("by", upload.by),
          ("category", upload.category.map(Scenario.quoted)),
          ("caption", upload.caption.map(Scenario.quoted)),
        ])
    case .engagement(let step): return "\(step.kind.rawValue): \(step.flow)"
    case .duplicates(let step):
      return "duplicates: \(Harness.flow([("at", step.at.short), ("last", "\(step.last)")]))"
    case .poison(let step):
      let hex = step.value.map { byte in
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }.joined()
      return "poison: "
        + Harness.flow([
          ("at", step.at.short), ("topic", step.topic.rawValue), ("bytes", "\"\(hex)\""),
          ("times", unless(1, step.times)),
        ])
    }
  }
}

extension TrafficEntry.Poisson {
  fileprivate var flow: String {
    let mix = Harness.flow([
      ("view", "\(mix.view)"), ("comment", "\(mix.comment)"), ("upload", "\(mix.upload)"),
      ("user", "\(mix.user)"), ("flag", "\(mix.flag)"), ("delete", "\(mix.delete)"),
    ])
    return Harness.flow([
      ("rate", "\(perSecond)/s"), ("mix", mix), ("from", unless(.zero, from)),
      ("until", until?.short), ("anonymous", unless(0.2, anonymous)),
      ("late", unless(0, lateShare)), ("late_by", unless(.seconds(600), lateBy)),
    ])
  }
}

extension TrafficEntry.EngagementStep {
  fileprivate var flow: String {
    Harness.flow([
      ("on", image), ("at", at.short), ("by", by), ("times", unless(1, times)),
      ("every", unless(.seconds(1), every)), ("late_by", unless(.zero, lateBy)), ("as", alias),
      ("comment", unless(false, onComment)),
    ])
  }
}

extension ScheduledAction {
  fileprivate var flow: String {
    let at = ("at", String?(at.short))
    switch action {
    case .deleteImage(let alias): return Harness.flow([at, ("delete", "{ image: \(alias) }")])
    case .deleteComment(let alias): return Harness.flow([at, ("delete", "{ comment: \(alias) }")])
    case .correctUser(let alias, let year, let date):
      let whom = Harness.flow([
        ("user", alias), ("year_of_birth", year.map(String.init)),
        ("date_of_birth", date.map(text)),
      ])
      return Harness.flow([at, ("correct", whom)])
    case .reviewImage(let alias, let status):
      return Harness.flow([
        at, ("review", "{ image: \(alias) }"), ("decision", status.rawValue),
      ])
    case .reviewComment(let alias, let status):
      return Harness.flow([
        at, ("review", "{ comment: \(alias) }"), ("decision", status.rawValue),
      ])
    case .evolve(let table, .add(let column, let type)):
      return Harness.flow([at, ("evolve", "\(table)"), ("add", column), ("type", type)])
    case .evolve(let table, .rename(let column, let name)):
      return Harness.flow([at, ("evolve", "\(table)"), ("rename", column), ("to", name)])
    case .evolve(let table, .widen(let column, let type)):
      return Harness.flow([at, ("evolve", "\(table)"), ("widen", column), ("to", type)])
    }
  }
}

extension ScheduledJob {
  fileprivate var flow: String {
    let usual = ModelPromotion.Order()
    return Harness.flow([
      ("run", job.rawValue), ("at", at?.short ?? "end"), ("beside", unless(false, isBeside)),
      ("model", unless(usual.model, promotion.model)),
      ("stage", unless(usual.stage.rawValue, promotion.stage.rawValue)),
      ("training", training.map(\.flow)),
    ])
  }
}

extension PipelinePolicy {
  fileprivate var flow: String {
    let usual = PipelinePolicy(heuristic: heuristic)
    let triggers = Harness.flow([
      ("viral", Self.threshold(triggers.viral, usual.triggers.viral)),
      ("suspicious", Self.threshold(triggers.suspicious, usual.triggers.suspicious)),
      ("flagged", Self.threshold(triggers.flagged, usual.triggers.flagged)),
      ("popular", Self.threshold(triggers.popular, usual.triggers.popular)),
    ])
    let anchors = self.triggers.anchors.map { "\($0)m" }.joined(separator: ", ")
    return Harness.flow([
      ("heuristic", unless("heuristic", heuristic.name)),
      ("scoring", unless(usual.scoring.rawValue, scoring.rawValue)),
      ("inference", unless(usual.inference.rawValue, inference.rawValue)),
      ("training", training == usual.training ? nil : training.flow),
      ("publish", unless(usual.publication.rawValue, publication.rawValue)),
      ("offline", unless(usual.offline.rawValue, offline.rawValue)),
      ("labels", labels == usual.labels ? nil : "lab"),
      ("minors", unless(usual.governance.ageRule.rawValue, governance.ageRule.rawValue)),
      ("anchors", self.triggers.anchors == usual.triggers.anchors ? nil : "[\(anchors)]"),
      ("triggers", triggers == "{ }" ? nil : triggers),
      ("partitions", unless(usual.partitions, partitions)),
      ("batch", unless(usual.batchLimit, batchLimit)),
      ("relay_every", unless(usual.relayInterval, relayInterval)),
      ("snapshot_retention", unless(usual.snapshotRetention, snapshotRetention)),
    ])
  }

  private static func threshold(_ value: Int?, _ usual: Int?) -> String? {
    value == usual ? nil : "\(value ?? 0)"
  }
}

extension TrainingOptions {
  fileprivate var flow: String {
    let usual = TrainingOptions()
    return Harness.flow([
      ("from", unless(usual.table.rawValue, table.rawValue)),
      ("mode", unless(usual.mode.rawValue, mode.rawValue)),
      ("split", unless(usual.split.rawValue, split.rawValue)),
      ("validation", unless(usual.validationShare, validationShare)),
      ("epochs", unless(usual.epochs, epochs)),
      ("patience", unless(usual.patience, patience)),
      ("balanced", unless(usual.balancesClasses, balancesClasses)),
      ("alpha", unless(usual.alpha, alpha)),
    ])
  }
}
