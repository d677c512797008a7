import Moderation
import Ports

/// A resolved timestamp: every event up to `resolvedAt` lies before `ends`.
///
/// The relay publishes one after each drain of the outbox. So an idle partition's watermark follows
/// what has really been published, not the wall clock, and a relay that stands still holds the
/// watermark back instead of making its events late. The idea is that of a change feed's resolved
/// timestamps.
struct ResolvedMark: Hashable, Sendable {
  var resolvedAt: EventTime
  /// The next offset of each partition, by topic.
  var ends: [String: [Int64]]

  /// The next offset of a partition; 0 when the mark doesn't know it.
  func end(of partition: TopicPartition) -> Int64 {
    guard let ends = ends[partition.topic], ends.indices.contains(partition.partition) else {
      return 0
    }
    return ends[partition.partition]
  }

  /// `microseconds topic=offset,offset …`, topics sorted.
  func encoded() -> [UInt8] {
    let ends = ends.sorted { $0.key < $1.key }.map { topic, offsets in
      "\(topic)=" + offsets.map(String.init).joined(separator: ",")
    }
    return Array("\(resolvedAt.microseconds) \(ends.joined(separator: " "))".utf8)
  }

  init(resolvedAt: EventTime, ends: [String: [Int64]]) {
    self.resolvedAt = resolvedAt
    self.ends = ends
  }

  /// The mark that a record's value holds, or nil.
  init?(_ value: [UInt8]) {
    let parts = String(decoding: value, as: UTF8.self).split(separator: " ")
    guard let first = parts.first, let microseconds = Int64(first) else { return nil }
    var ends: [String: [Int64]] = [:]
    for part in parts.dropFirst() {
      let pair = part.split(separator: "=")
      guard pair.count == 2 else { return nil }
      let offsets = pair[1].split(separator: ",").compactMap { Int64($0) }
      ends[String(pair[0])] = offsets
    }
    self.init(resolvedAt: EventTime(microseconds: microseconds), ends: ends)
  }

  /// Publishes a mark of what the log holds now.
  static func publish(
    _ resolvedAt: EventTime, to log: any EventLog, at now: ProcessingTime
  ) async throws(PortError) {
    var ends: [String: [Int64]] = [:]
    for topic in Catalog.sourceTopics { ends[topic] = try await log.ends(of: topic) }
    let mark = ResolvedMark(resolvedAt: resolvedAt, ends: ends)
    _ = try await log.append([
      ProducerRecord(
        topic: Topic.resolved, key: nil, value: mark.encoded(), timestamp: now.asEventTime)
    ])
  }
}
