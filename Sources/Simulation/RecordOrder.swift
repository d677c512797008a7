import Ports

extension [EventRecord] {
  /// Brings the partitions into a seeded order, one after the other; each keeps its own: that is
  /// all that a broker promises.
  mutating func mixPartitions(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var rest = Dictionary(grouping: self, by: \.partition).sorted { $0.key < $1.key }
    var mixed: [EventRecord] = []
    mixed.reserveCapacity(count)
    while !rest.isEmpty { mixed += rest.remove(at: random.below(rest.count)).value }
    self = mixed
  }
}
