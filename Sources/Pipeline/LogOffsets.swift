import Ports

/// How far a table holds a topic: each partition's next offset, in the summary of the table's
/// snapshots, so that rows and offsets change in one commit.
public enum LogOffsets {
  /// The key of a snapshot's summary that holds them, `0,17,4` by partition.
  public static let key = "kafka.next-offsets"

  /// The next offsets that a table's snapshot notes; zeros for a table without.
  static func noted(by snapshot: TableSnapshot?, count: Int) -> [Int64] {
    let noted = snapshot?.summary[key]?.split(separator: ",").compactMap { Int64($0) } ?? []
    return (0..<count).map { noted.indices.contains($0) ? noted[$0] : 0 }
  }

  /// Next offsets as a snapshot's summary notes them.
  static func note(_ offsets: [Int64]) -> [String: String] {
    [key: offsets.map(String.init).joined(separator: ",")]
  }
}

extension EventLog {
  /// The records of a topic between two offsets of each partition, partition by partition.
  ///
  /// - Parameter limit: the most records per read.
  public func records(
    of topic: String, from starts: [Int64], to ends: [Int64], limit: Int
  ) async throws(PortError) -> [EventRecord] {
    var records: [EventRecord] = []
    for (partition, end) in ends.enumerated() {
      var offset = starts[partition]
      while offset < end {
        let read = try await self.read(
          TopicPartition(topic, partition), from: offset, limit: min(limit, Int(end - offset)))
        guard let last = read.last else { break }
        if records.isEmpty { records = read } else { records += read }
        offset = last.offset + 1
      }
    }
    return records
  }
}
