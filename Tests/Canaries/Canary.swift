import Harness
import Ports

/// A deliberate defect: what real pipelines get wrong, put into an otherwise sound one.
///
/// It changes the scenario's policy where the project offers the defect as the lab's way, else a
/// port of one or more components; production code knows nothing of it.
struct Canary: Sendable {
  /// Changes a component's ports.
  typealias Change = @Sendable (_ component: Environment, _ ports: inout Backends) -> Void

  /// Its name in reports.
  let name: String
  /// What is wrong, in a sentence.
  let about: String
  /// Where the platform's reference lists the defect; nil for those of other pipelines.
  let reference: String?
  /// Whether only faults can show it; then it isn't looked for without them. A golden may differ
  /// even so, in when a score was stored, which isn't what is wrong.
  let needsFaults: Bool
  private let mutate: @Sendable (inout Scenario) -> Void
  /// Makes the change for one run, with what outlives a component's start in it.
  private let arm: @Sendable () -> Change

  /// The pipeline as it is.
  static let none = Canary("none", "nothing is wrong") { _ in }

  /// A defect that a policy switches on.
  init(
    _ name: String, _ about: String, reference: String? = nil,
    needsFaults: Bool = false, mutate: @escaping @Sendable (inout Scenario) -> Void
  ) {
    self.name = name
    self.about = about
    self.reference = reference
    self.needsFaults = needsFaults
    self.mutate = mutate
    arm = { { _, _ in } }
  }

  /// A defect of some components' ports, of which each start of a component begins anew.
  ///
  /// - Parameter components: names as in traces; an instance's name begins with its service's.
  init(
    _ name: String, _ about: String, reference: String? = nil,
    needsFaults: Bool = false, of components: String..., change: @escaping Change
  ) {
    self.init(
      name, about, reference: reference, needsFaults: needsFaults,
      of: components
    ) { change }
  }

  /// A defect with a memory that outlives a component's start, as a server's does.
  init(
    _ name: String, _ about: String, reference: String? = nil,
    needsFaults: Bool = false, of components: [String],
    remembering arm: @escaping @Sendable () -> Change
  ) {
    self.name = name
    self.about = about
    self.reference = reference
    self.needsFaults = needsFaults
    mutate = { _ in }
    self.arm = {
      let change = arm()
      return { component, ports in
        guard components.contains(where: { component.component.hasPrefix($0) }) else { return }
        change(component, &ports)
      }
    }
  }

  /// The scenario with the defect's policy.
  func scenario(_ scenario: Scenario) -> Scenario {
    var scenario = scenario
    mutate(&scenario)
    return scenario
  }

  /// Options of one run with the defect in its ports.
  func options() -> RunOptions {
    let change = arm()
    var options = RunOptions()
    options.isTraced = false
    options.injection = { component, ports in
      var ports = ports
      change(component, &ports)
      return ports
    }
    return options
  }

  /// All of them, in the order of the pipeline.
  static let all = intake + stream + features + scores + training + lake
}
