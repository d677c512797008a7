import Foundation
import RehearsalHarness

/// A short scenario that the suites play; services look around rarely, to be quick.
enum Soup {
  static let yaml = """
    name: soup
    about: One image draws twelve views and two flags; the second flag asks for a score.
    duration: 1h
    population: { users: 5, images: 3, minors: 0, test_accounts: 0 }
    traffic:
      - upload: { as: soup, at: 5m, category: Soup }
      - view: { on: soup, at: 6m, times: 12, every: 5s }
      - flag: { on: soup, at: 8m, times: 2, every: 20s }
    policy: { relay_every: 20s }
    jobs: [{ at: end, run: event-aggregation }, { at: end, run: training-set }]
    expect:
      - { scored: soup, trigger: flagged, equals: 0.4 }

    """

  /// The same with an expectation that can't hold.
  static let red =
    yaml.replacing("name: soup", with: "name: red")
    + "  - { scored: soup, trigger: viral }\n"

  /// The repository's folder: three above this file.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
}
