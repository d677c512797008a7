import Ports

/// Merging lanes of records that are each in the order of their offsets.
enum Merge {
  /// Takes records in the order of (timestamp, lane, offset): lanes in the order of their
  /// partitions make it (timestamp, topic, partition, offset).
  ///
  /// - Parameters:
  ///   - starts: the offset of each lane's next record.
  ///   - head: gives a lane's next record from an offset on; nil at its end.
  /// - Returns: the records, and the offsets of each lane's next record then.
  static func take(
    _ limit: Int, from starts: [Int64],
    head: (_ lane: Int, _ offset: Int64) throws(PortError) -> EventRecord?
  ) throws(PortError) -> (records: [EventRecord], positions: [Int64]) {
    var (merged, positions) = ([EventRecord](), starts)
    var heads: [EventRecord?] = []
    for lane in starts.indices { heads.append(try head(lane, starts[lane])) }
    // The timestamp of each lane's next record; the end of a lane is later than any.
    var timestamps = heads.map { $0?.timestampMilliseconds ?? .max }
    while merged.count < limit {
      var best = 0
      for lane in timestamps.indices where timestamps[lane] < timestamps[best] { best = lane }
      guard best < heads.count, let record = heads[best] else { break }
      merged.append(record)
      positions[best] = record.offset + 1
      if merged.count == limit { break }
      heads[best] = try head(best, positions[best])
      timestamps[best] = heads[best]?.timestampMilliseconds ?? .max
    }
    return (merged, positions)
  }
}
