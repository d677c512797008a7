import Moderation
import Pipeline
import Ports

/// The records of batches as the log has them.
struct AppliedRecords {
  private var partitions: [TopicPartition: [EventRecord]] = [:]

  /// Reads the source topics.
  init(_ log: any EventLog) async throws(PortError) {
    for topic in Catalog.sourceTopics {
      for (index, end) in try await log.ends(of: topic).enumerated() {
        let partition = TopicPartition(topic, index)
        partitions[partition] = try await log.read(partition, from: 0, limit: Int(end))
      }
    }
  }

  /// The records of some batches; within one, in the order in which a poll merges partitions.
  func records(
    _ batches: [(ranges: [AppliedRange], at: ProcessingTime)]
  ) -> [AppliedRecord] {
    var all: [AppliedRecord] = []
    all.reserveCapacity(batches.reduce(0) { $0 + $1.ranges.reduce(0) { $0 + $1.offsets.count } })
    for batch in batches {
      var heads = batch.ranges.map { range in
        (partitions[range.partition] ?? [])[clamped: range.offsets]
      }.filter { !$0.isEmpty }.sorted { $0[$0.startIndex].partition < $1[$1.startIndex].partition }
      while !heads.isEmpty {
        var best = 0
        for index in heads.indices
        where heads[index][heads[index].startIndex].timestampMilliseconds
          < heads[best][heads[best].startIndex].timestampMilliseconds
        { best = index }
        all.append(AppliedRecord(record: heads[best].removeFirst(), appliedAt: batch.at))
        if heads[best].isEmpty { heads.remove(at: best) }
      }
    }
    return all
  }
}

extension [EventRecord] {
  fileprivate subscript(clamped offsets: Range<Int64>) -> ArraySlice<EventRecord> {
    self[(Int(offsets.lowerBound)..<Int(offsets.upperBound)).clamped(to: indices)]
  }
}
