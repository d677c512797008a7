import Moderation
import Pipeline
import Ports
import Simulation
import Yams

extension Scenario {
  /// Reads a scenario.
  ///
  /// - Parameters:
  ///   - text: the YAML.
  ///   - file: the file's name, for errors.
  ///   - heuristics: gives the text of a heuristic policy file that the scenario names.
  public init(
    yaml text: String, file: String,
    heuristics: (String) throws(ScenarioError) -> String? = { (_) throws(ScenarioError) in nil }
  ) throws(ScenarioError) {
    let reader = YAMLReader(file: file)
    let root = try YAMLObject(
      reader: reader, node: reader.root(text), shape: ScenarioFields.scenario)
    let name = try root.text("name") ?? ""
    let isPlain = name.utf8.allSatisfy {
      ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: "-")
    }
    guard isPlain, !name.isEmpty else {
      throw root.error("name", "'\(name)' is no name", "use lowercase letters, digits and dashes")
    }
    let duration = try root.duration("duration") ?? .zero
    guard duration > .zero else { throw root.error("duration", "the duration must be positive") }
    let start =
      try root.instant("start") ?? EventTime(microseconds: 1_767_603_600_000_000)
    guard Scenario.range.contains(start) else {
      throw root.error("start", "the start must lie in the years 2000 to 2200")
    }
    let parser = ScenarioParser(root: root, start: start, duration: duration)
    self.init(
      name: name, about: try root.text("about") ?? "",
      seed: UInt64(try root.integer("seed") ?? 42), start: start, duration: duration,
      population: try parser.population(), traffic: try parser.traffic(),
      actions: try parser.actions(), jobs: try parser.jobs(), faults: try parser.faults(),
      policy: try parser.policy(heuristics), consumers: try root.integer("consumers") ?? 1,
      schedule: try root.integer("schedule").map(UInt64.init),
      expectations: try parser.expectations(), golden: try parser.golden())
    policy.horizon = end
    try parser.checkAliases(self)
  }
}

/// Turns checked YAML into a ``Scenario``.
struct ScenarioParser {
  /// How often a job may run in a scenario.
  private static let maximumRuns = 100_000

  let root: YAMLObject
  let start: EventTime
  let duration: Duration

  func population() throws(ScenarioError) -> Population {
    var population = Population()
    guard let object = try root.object("population") else { return population }
    population.users = try object.integer("users") ?? population.users
    population.images = try object.integer("images") ?? population.images
    population.testAccounts = try object.ratio("test_accounts") ?? population.testAccounts
    population.minors = try object.ratio("minors") ?? population.minors
    population.nearBirthday = try object.ratio("near_birthday") ?? population.nearBirthday
    population.muteIneligible = try object.boolean("mute_ineligible") ?? false
    population.badImages = try object.ratio("bad_images") ?? population.badImages
    if population.images > 0 && population.users == 0 {
      throw object.error("images", "images need at least one user to upload them")
    }
    return population
  }

  func actions() throws(ScenarioError) -> [ScheduledAction] {
    var actions: [ScheduledAction] = []
    for (key, entry) in try root.variants("actions") {
      let at = try instant(entry, "at")
      if key == "evolve" {
        actions.append(ScheduledAction(at: at, action: try evolution(entry)))
        continue
      }
      guard let target = try entry.object(key) else { continue }
      let action: ScheduledAction.Action
      if key == "correct" {
        let (year, date) = try birth(target, at: at)
        guard year != nil || date != nil else {
          throw entry.error(key, "a correction needs year_of_birth or date_of_birth")
        }
        action = .correctUser(try target.text("user") ?? "", yearOfBirth: year, dateOfBirth: date)
      } else {
        let status = try entry.choice("decision").flatMap { ReviewStatus(rawValue: $0) }
        switch (try target.text("image"), try target.text("comment"), status) {
        case (let image?, nil, let status?): action = .reviewImage(image, status)
        case (nil, let comment?, let status?): action = .reviewComment(comment, status)
        case (let image?, nil, nil): action = .deleteImage(image)
        case (nil, let comment?, nil): action = .deleteComment(comment)
        default: throw entry.error(key, "name an image or a comment, one of the two")
        }
      }
      actions.append(ScheduledAction(at: at, action: action))
    }
    return actions
  }

  private func evolution(
    _ entry: YAMLObject
  ) throws(ScenarioError) -> ScheduledAction.Action {
    let table = try table(entry, "evolve")
    let (type, target) = (try entry.text("type"), try entry.text("to"))
    let parts = (
      try entry.text("add"), try entry.text("rename"), try entry.text("widen"), type, target
    )
    switch parts {
    case (let column?, nil, nil, let type?, nil):
      return .evolve(table, .add(column, type: type))
    case (nil, let column?, nil, nil, let name?):
      return .evolve(table, .rename(column, to: name))
    case (nil, nil, let column?, nil, let wider?):
      return .evolve(table, .widen(column, to: wider))
    default:
      throw entry.error(
        "evolve", "what changes?",
        "write add: COLUMN and type: TYPE, rename: COLUMN and to: NAME, "
          + "or widen: COLUMN and to: TYPE")
    }
  }

  func jobs() throws(ScenarioError) -> [ScheduledJob] {
    var jobs: [ScheduledJob] = []
    for (_, entry) in try root.variants("jobs") {
      guard let job = try entry.choice("run").flatMap({ JobName(rawValue: $0) }) else { continue }
      let isAtEnd = try entry.text("at") == "end"
      let isBeside = try entry.boolean("beside") ?? false
      var scheduled = ScheduledJob(at: nil, job: job)
      scheduled.promotion = try promotion(entry, of: job)
      guard !entry.has("training") || job == .training else {
        throw entry.error("training", "is for `run: training` only")
      }
      if entry.has("training") { scheduled.training = try training(entry) }
      let at = try entry.has("at") && !isAtEnd ? instant(entry, "at") : nil
      guard let every = try entry.duration("every") else {
        guard at != nil || isAtEnd else {
          throw entry.error("run", "when? add `at: 1h`, `at: end` or `every: 1h`")
        }
        scheduled.at = at
        scheduled.isBeside = isBeside
        jobs.append(scheduled)
        continue
      }
      guard every >= .seconds(1) else { throw entry.error("every", "must be at least 1s") }
      guard duration / every <= Double(Self.maximumRuns) else {
        throw entry.error(
          "every", "that is more than \(Self.maximumRuns) runs in \(duration.short)",
          "write a longer interval")
      }
      scheduled.isBeside = isBeside
      var next = at ?? every
      while next <= duration {
        scheduled.at = next
        jobs.append(scheduled)
        next += every
      }
      guard isAtEnd else { continue }
      (scheduled.at, scheduled.isBeside) = (nil, false)
      jobs.append(scheduled)
    }
    return jobs
  }

  private func promotion(
    _ entry: YAMLObject, of job: JobName
  ) throws(ScenarioError) -> ModelPromotion.Order {
    for key in ["model", "stage"] where entry.has(key) && job != .promote {
      throw entry.error(key, "is for `run: promote` only")
    }
    return ModelPromotion.Order(
      model: try entry.text("model") ?? "latest",
      stage: try entry.choice("stage").flatMap { ModelStage(rawValue: $0) } ?? .deployed)
  }

  func golden() throws(ScenarioError) -> GoldenPolicy {
    var golden = GoldenPolicy()
    guard let object = try root.object("golden") else { return golden }
    if let keep = try object.ratio("keep") {
      guard keep >= 1e-6 else {
        throw object.error("keep", "at least one image in a million is kept")
      }
      golden.keepOneIn = max(1, Int((1 / keep).rounded()))
    }
    for (key, value) in try object.map("tolerance") {
      let tolerance = try root.reader.number(value)
      guard tolerance >= 0 else {
        throw root.reader.error(value, "a tolerance can't be negative")
      }
      golden.tolerances[key.scalar?.string ?? ""] = tolerance
    }
    return golden
  }

  /// A year and date of birth as the API would take them: of one year, and not after the request.
  func birth(
    _ object: YAMLObject, at: Duration
  ) throws(ScenarioError) -> (year: Int?, date: CivilDate?) {
    let today = (start + at).date
    let (year, date) = (try object.integer("year_of_birth"), try object.date("date_of_birth"))
    if let year, year > today.year {
      throw object.error(
        "year_of_birth", "\(year) is still to come at \(at.short), in \(today.year)")
    }
    if let date, date > today {
      throw object.error("date_of_birth", "the date is still to come at \(at.short)")
    }
    if let year, let date, date.year != year {
      throw object.error(
        "year_of_birth", "\(year) isn't the year of date_of_birth", "leave one of them out")
    }
    return (year, date)
  }

  /// An offset within the scenario.
  func instant(_ object: YAMLObject, _ name: String) throws(ScenarioError) -> Duration {
    let offset = try object.duration(name) ?? .zero
    guard offset <= duration else {
      throw object.error(
        name, "\(name) lies after the scenario's end", "the duration is \(duration)")
    }
    return offset
  }
}
