/// How to reach and use Postgres; every property's default is what a run without a line about it has.
public struct PostgresSettings: Hashable, Sendable {
  /// The defaults.
  public init() {}
}
