/// A risk score as data: start at a number, add what each rule that holds says, clamp
/// (REFERENCE §6). Read from YAML by the harness.
public struct HeuristicPolicy: Hashable, Sendable {
  /// One comparison of a feature with a number.
  public struct Condition: Hashable, Sendable {
    /// How the feature is compared.
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
      case greater = ">"
      case greaterOrEqual = ">="
      case less = "<"
      case lessOrEqual = "<="
      case equal = "=="
    }

    /// The feature's position in the vector.
    public let feature: Int
    /// How it is compared.
    public let comparison: Comparison
    /// With what.
    public let threshold: Double

    /// A condition; nil when there is no feature of that name.
    public init?(feature: String, comparison: Comparison, threshold: Double) {
      guard let index = FeatureVector.index(of: feature) else { return nil }
      self.feature = index
      self.comparison = comparison
      self.threshold = threshold
    }

    /// Whether it holds for `vector`.
    public func holds(for vector: FeatureVector) -> Bool {
      let value = vector.values[feature]
      switch comparison {
      case .greater: return value > threshold
      case .greaterOrEqual: return value >= threshold
      case .less: return value < threshold
      case .lessOrEqual: return value <= threshold
      case .equal: return value == threshold
      }
    }
  }

  /// Adds to the score when all its conditions hold.
  public struct Rule: Hashable, Sendable {
    /// The name in a row's rationale.
    public var name: String
    /// All must hold.
    public var conditions: [Condition]
    /// What it adds, possibly negative.
    public var adds: Double

    /// A rule.
    public init(name: String, conditions: [Condition], adds: Double) {
      self.name = name
      self.conditions = conditions
      self.adds = adds
    }
  }

  /// A score with its reasons.
  public struct Score: Hashable, Sendable {
    /// 0…1.
    public var risk: Double
    /// The names of the rules that held, in the policy's order.
    public var firedRules: [String]

    /// `rule + rule`, or `none` when no rule held.
    public var rationale: String {
      firedRules.isEmpty ? "none" : firedRules.joined(separator: " + ")
    }
  }

  /// The policy's name: `heuristic`, `heuristic-weighted`, or the scenario's own.
  public var name: String
  /// The version stored with each score.
  public var version: String
  /// The score before any rule.
  public var start: Double
  /// Applied in order.
  public var rules: [Rule]

  /// A policy.
  public init(name: String, version: String, start: Double, rules: [Rule]) {
    self.name = name
    self.version = version
    self.start = start
    self.rules = rules
  }

  /// The score of a vector, clamped to 0…1.
  public func score(_ vector: FeatureVector) -> Score {
    var risk = start
    var fired: [String] = []
    for rule in rules where rule.conditions.allSatisfy({ $0.holds(for: vector) }) {
      risk += rule.adds
      fired.append(rule.name)
    }
    return Score(risk: min(max(risk, 0), 1), firedRules: fired)
  }
}
