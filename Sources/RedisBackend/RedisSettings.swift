/// How to reach and use Redis; every property's default is what a run without a line about it has.
public struct RedisSettings: Hashable, Sendable {
  /// The defaults.
  public init() {}
}
