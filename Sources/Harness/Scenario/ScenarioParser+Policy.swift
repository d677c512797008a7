import Moderation
import Pipeline
import Ports
import Simulation
import Yams

extension ScenarioParser {
  func policy(
    _ heuristics: (String) throws(ScenarioError) -> String?
  ) throws(ScenarioError) -> PipelinePolicy {
    guard let object = try root.object("policy") else {
      return PipelinePolicy(heuristic: try HeuristicPolicy.builtIn("heuristic"))
    }
    var policy = PipelinePolicy(heuristic: try heuristic(object, heuristics))
    if let text = try object.choice("scoring") {
      policy.scoring = PipelinePolicy.Scoring(rawValue: text) ?? policy.scoring
    }
    if let text = try object.choice("publish") {
      policy.publication = PipelinePolicy.Publication(rawValue: text) ?? policy.publication
    }
    if let text = try object.choice("offline") {
      policy.offline = PipelinePolicy.Offline(rawValue: text) ?? policy.offline
    }
    if let text = try object.choice("inference") {
      policy.inference = PipelinePolicy.Inference(rawValue: text) ?? policy.inference
    }
    policy.training = try training(object)
    if let text = try object.choice("labels") { policy.labels = text == "lab" ? .lab : .ripe }
    if let text = try object.choice("minors") {
      policy.governance.ageRule = Governance.AgeRule(rawValue: text) ?? .birthDate
    }
    policy.partitions = try object.integer("partitions") ?? policy.partitions
    policy.batchLimit = try object.integer("batch") ?? policy.batchLimit
    if let every = try object.duration("relay_every") {
      guard every >= .milliseconds(10), every <= .seconds(30) else {
        throw object.error("relay_every", "must be 10ms to 30s")
      }
      policy.relayInterval = every
      policy.pollWait = max(every, policy.pollWait)
    }
    if let retention = try object.duration("snapshot_retention") {
      policy.snapshotRetention = retention
    }
    policy.triggers = try triggers(object)
    return policy
  }

  func training(_ object: YAMLObject) throws(ScenarioError) -> TrainingOptions {
    var options = TrainingOptions()
    guard let object = try object.object("training") else { return options }
    if let text = try object.choice("mode") {
      options.mode = TrainingOptions.Mode(rawValue: text) ?? options.mode
    }
    if let text = try object.choice("split") {
      options.split = TrainingOptions.Split(rawValue: text) ?? options.split
    }
    if let text = try object.choice("from") {
      options.table = TrainingOptions.Table(rawValue: text) ?? options.table
    }
    if options.table == .featureLog {
      guard try object.text("split") != "time" else {
        throw object.error(
          "split", "the feature log's rows stand in the order of scores, not of images",
          "write split: image, or leave it out")
      }
      options.split = .image
    }
    if let share = try object.number("validation") {
      guard share >= 0, share < 1 else {
        throw object.error("validation", "must be at least 0 and below 1")
      }
      options.validationShare = share
    }
    if let alpha = try object.number("alpha") {
      guard alpha > 0, alpha < 1 else { throw object.error("alpha", "must be above 0, below 1") }
      options.alpha = alpha
    }
    options.epochs = try object.integer("epochs") ?? options.epochs
    options.patience = try object.integer("patience") ?? options.patience
    options.balancesClasses = try object.boolean("balanced") ?? options.balancesClasses
    return options
  }

  private func triggers(_ object: YAMLObject) throws(ScenarioError) -> TriggerPolicy {
    var triggers = TriggerPolicy()
    if object.has("anchors") {
      triggers.anchors = []
      for node in try object.list("anchors") {
        let offset = try root.reader.duration(node)
        guard offset.microseconds % 60_000_000 == 0 else {
          throw root.reader.error(node, "an anchor is a whole number of minutes")
        }
        triggers.anchors.append(Int(offset.microseconds / 60_000_000))
      }
    }
    guard let thresholds = try object.object("triggers") else { return triggers }
    func threshold(_ name: String, _ fallback: Int?) throws(ScenarioError) -> Int? {
      guard let value = try thresholds.integer(name) else { return fallback }
      return value == 0 ? nil : value
    }
    triggers.viral = try threshold("viral", triggers.viral)
    triggers.suspicious = try threshold("suspicious", triggers.suspicious)
    triggers.flagged = try threshold("flagged", triggers.flagged)
    triggers.popular = try threshold("popular", triggers.popular)
    return triggers
  }

  private func heuristic(
    _ object: YAMLObject, _ heuristics: (String) throws(ScenarioError) -> String?
  ) throws(ScenarioError) -> HeuristicPolicy {
    let scoring = try object.text("scoring").flatMap {
      HeuristicPolicy.builtInNames.contains($0) ? $0 : nil
    }
    let name = try object.text("heuristic") ?? scoring ?? "heuristic"
    if HeuristicPolicy.builtInNames.contains(name) { return try HeuristicPolicy.builtIn(name) }
    guard let text = try heuristics(name) else {
      throw object.error(
        "heuristic", "there is no heuristic '\(name)'",
        "possible: \(HeuristicPolicy.builtInNames.joined(separator: ", ")), or a file's name")
    }
    return try HeuristicPolicy(yaml: text, file: name)
  }

  func expectations() throws(ScenarioError) -> [Expectation] {
    var expectations: [Expectation] = []
    for (key, entry) in try root.variants("expect") {
      let kind = try expectation(key, entry)
      expectations.append(
        Expectation(kind: kind, text: flowText(entry.node), line: entry.node.mark?.line ?? 0))
    }
    return expectations
  }

  private func expectation(
    _ key: String, _ entry: YAMLObject
  ) throws(ScenarioError) -> Expectation.Kind {
    let subject = try entry.text(key) ?? ""
    let trigger = try entry.text("trigger")
    if let trigger, Trigger(name: trigger) == nil {
      throw entry.error("trigger", "there is no trigger '\(trigger)'")
    }
    let image = try entry.text("of") ?? subject
    switch key {
    case "scored":
      return .scored(image: subject, trigger: trigger, try bound(entry, required: false))
    case "unscored": return .unscored(image: subject, trigger: trigger)
    case "feature":
      try demand(subject, among: FeatureVector.names, "feature", entry, key)
      return .feature(
        image: image, trigger: trigger ?? "", feature: subject,
        governed: try entry.choice("flavour") == "governed", try bound(entry))
    case "absent":
      return .absent(image: subject, table: try table(entry, "from").description)
    case "erased": return .erased(image: subject)
    case "present":
      return .present(image: subject, table: try table(entry, "in").description)
    case "column": return .column(name: subject, table: try table(entry, "in").description)
    case "training":
      let columns = FeatureVector.numericNames + [TrainingRow.labelColumn]
      try demand(subject, among: columns, "column of training rows", entry, key)
      return .training(
        image: image, decisionPoint: try decisionPoint(entry), column: subject, try bound(entry))
    case "same_without": return .undisturbed
    case "count":
      try demand(subject, among: RunResult.countNames, "count", entry, key)
      return .count(name: subject, try bound(entry))
    default:
      let features = ["any"] + FeatureVector.numericNames + [SkewReport.category]
      try demand(subject, among: features, "feature", entry, key)
      let metric = try entry.choice("metric").flatMap { SkewMetric(rawValue: $0) }
      return .skew(
        feature: subject == "any" ? nil : subject, metric ?? .mismatches, try bound(entry))
    }
  }

  private func demand(
    _ name: String, among known: [String], _ kind: String, _ entry: YAMLObject, _ key: String
  ) throws(ScenarioError) {
    guard known.contains(name) else {
      throw entry.error(
        key, "there is no \(kind) '\(name)'", entry.reader.suggestion(name, known))
    }
  }

  /// The minutes of one of the decision points.
  private func decisionPoint(_ entry: YAMLObject) throws(ScenarioError) -> Int {
    let point = try entry.duration("decision_point") ?? .zero
    let known = OfflineFeatures.decisionPoints
    guard let minutes = known.first(where: { .seconds(60 * $0) == point }) else {
      throw entry.error(
        "decision_point", "there are no training rows of \(point.short)",
        "possible: \(known.map { "\($0)m" }.joined(separator: ", "))")
    }
    return minutes
  }

  func table(_ entry: YAMLObject, _ key: String) throws(ScenarioError) -> TableName {
    let name = try entry.text(key) ?? ""
    guard name.split(separator: ".").count == 2, let table = TableName(name) else {
      throw entry.error(
        key, "'\(name)' is no table", "write namespace.name, as in moderation.training_data")
    }
    return table
  }

  private func bound(
    _ entry: YAMLObject, required: Bool = true
  ) throws(ScenarioError) -> Expectation.Bound {
    let bound = Expectation.Bound(
      atLeast: try entry.number("at_least"), atMost: try entry.number("at_most"),
      equals: try entry.number("equals"))
    if required && bound == Expectation.Bound() {
      throw entry.reader.error(
        entry.node, "how much? add at_least, at_most or equals")
    }
    return bound
  }

  /// `{ key: value, … }` as an entry of a list may be written.
  private func flowText(_ node: Node) -> String {
    switch node {
    case .scalar(let scalar): scalar.string
    case .sequence(let sequence): "[" + sequence.map(flowText).joined(separator: ", ") + "]"
    case .mapping(let mapping):
      "{ " + mapping.map { "\(flowText($0.key)): \(flowText($0.value))" }.joined(separator: ", ")
        + " }"
    case .alias: ""
    }
  }
}

extension HeuristicPolicy {
  /// The policies that come with the program (REFERENCE §6).
  public static let builtInNames = ["heuristic", "heuristic-weighted"]

  /// A policy that comes with the program.
  public static func builtIn(_ name: String) throws(ScenarioError) -> HeuristicPolicy {
    let bytes =
      name == "heuristic-weighted"
      ? PackageResources.heuristic_weighted_yaml : PackageResources.heuristic_yaml
    return try HeuristicPolicy(yaml: String(decoding: bytes, as: UTF8.self), file: "\(name).yaml")
  }

  /// Reads a policy from YAML.
  public init(yaml text: String, file: String) throws(ScenarioError) {
    let reader = YAMLReader(file: file)
    let root = try YAMLObject(
      reader: reader, node: reader.root(text), shape: ScenarioFields.heuristic)
    var rules: [Rule] = []
    guard case .list(.object(let shape))? = root.shape.field("rules")?.shape else {
      throw ScenarioError(file: file, message: "no rules")
    }
    for node in try root.list("rules") {
      let rule = try YAMLObject(reader: reader, node: node, shape: shape)
      var conditions: [Condition] = []
      for (key, value) in try rule.map("when") {
        conditions.append(try Self.condition(reader, key, value))
      }
      rules.append(
        Rule(
          name: try rule.text("name") ?? "", conditions: conditions,
          adds: try rule.number("add") ?? 0))
    }
    self.init(
      name: try root.text("name") ?? "", version: try root.text("version") ?? "v1",
      start: try root.number("start") ?? 0, rules: rules)
  }

  private static func condition(
    _ reader: YAMLReader, _ key: Node, _ value: Node
  ) throws(ScenarioError) -> Condition {
    let feature = key.scalar?.string ?? ""
    let text = try reader.scalar(value, "a comparison").string
    let parts = text.split(separator: " ")
    guard parts.count == 2, let comparison = Condition.Comparison(rawValue: String(parts[0])),
      let threshold = Double(parts[1]), threshold.isFinite
    else {
      throw reader.error(value, "'\(text)' is no comparison", "write it as \"> 10\"")
    }
    guard
      let condition = Condition(feature: feature, comparison: comparison, threshold: threshold)
    else {
      throw reader.error(
        key, "there is no feature '\(feature)'",
        reader.suggestion(feature, FeatureVector.names))
    }
    return condition
  }
}
