import Moderation
import Ports
import Synchronization

/// Ids that follow from the seed: one random stream per label.
public final class SeededIDs: IDSource {
  private let streams: RandomStreams
  private let generators = Mutex<[String: SeededRandom]>([:])

  /// The ids of a run.
  public init(streams: RandomStreams) { self.streams = streams }

  /// The next 128 bits of a label's stream.
  public func next(_ label: StaticString) -> (UInt64, UInt64) {
    generators.withLock { generators in
      let key = "\(label)"
      var generator = generators[key] ?? streams.stream("ids/\(key)")
      defer { generators[key] = generator }
      return (generator.next(), generator.next())
    }
  }
}
