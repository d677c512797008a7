/// How to reach and use Kafka; every property's default is what a run without a line about it has.
public struct KafkaSettings: Hashable, Sendable {
  /// The defaults.
  public init() {}
}
