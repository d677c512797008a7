import CKafka
import Ports

/// Reads partitions by explicit offsets. The library fetches ahead; a record below a known end is
/// waited for, so what comes back doesn't depend on how fast the broker is.
struct PartitionReader: Sendable {
  /// What was taken over of one partition.
  private struct Cursor {
    let topic: KafkaPointer
    /// The first offset that `records` may hold.
    var start: Int64
    /// The offset that the library gives next; nil when it has to be told.
    var next: Int64?
    /// Ascending offsets, from `start` up to `next`.
    var records: [EventRecord] = []
    /// Whether the library fetches nothing, since all that is known to be there was taken over.
    var isPaused = false

    /// The first record at or after an offset; nil when it isn't here.
    func record(at offset: Int64) -> EventRecord? {
      guard offset >= start else { return nil }
      let guess = Int(offset - start)
      if guess < records.count, records[guess].offset == offset { return records[guess] }
      // Offsets that are missing are markers of the broker, or compacted away.
      return records.first { $0.offset >= offset }
    }
  }

  let handle: KafkaHandle
  private var cursors: [TopicPartition: Cursor] = [:]

  init(_ handle: KafkaHandle) { self.handle = handle }

  /// The first record at or after an offset that is below the partition's end.
  mutating func record(
    of partition: TopicPartition, at offset: Int64, below end: Int64, _ operation: PortMethod
  ) throws(PortError) -> EventRecord? {
    if let record = cursors[partition]?.record(at: offset) { return record }
    try fetch(partition, from: offset, below: end, operation)
    return cursors[partition]?.record(at: offset)
  }

  /// Takes over what there is from an offset on, up to a batch.
  private mutating func fetch(
    _ partition: TopicPartition, from offset: Int64, below end: Int64, _ operation: PortMethod
  ) throws(PortError) {
    var cursor = try cursor(of: partition, at: offset, operation)
    cursors[partition] = nil
    cursor.start = offset
    cursor.records = []
    let wanted = Int(min(end - offset, Int64(max(handle.settings.fetchRecords, 1))))
    let deadline = ContinuousClock.now + handle.settings.timeLimit
    defer { cursors[partition] = cursor }
    while cursor.records.isEmpty {
      let failure = take(wanted, of: partition, into: &cursor)
      if let failure, !(failure.portCode == .unavailable && ContinuousClock.now < deadline) {
        cursor.next = nil
        throw handle.error(
          failure, operation, "\(partition) can't be read from \(offset) on")
      }
      if cursor.records.isEmpty, ContinuousClock.now >= deadline {
        cursor.next = nil
        throw handle.error(
          KafkaCode(RD_KAFKA_RESP_ERR__TIMED_OUT), operation,
          "\(partition) has \(end - offset) records from \(offset) on, but none came within "
            + "\(handle.settings.timeLimit.milliseconds) ms")
      }
    }
    // A broker that answers an empty fetch at once would be asked again and again.
    if cursor.next == end { cursor.isPaused = handle.pause(partition) }
  }

  /// The partition's cursor, with the library at the offset.
  private func cursor(
    of partition: TopicPartition, at offset: Int64, _ operation: PortMethod
  ) throws(PortError) -> Cursor {
    let raw = Int32(partition.partition)
    if var cursor = cursors[partition] {
      if cursor.isPaused {
        handle.resume(partition)
        // Where the library goes on after a pause is its own affair, so it is told.
        (cursor.isPaused, cursor.next) = (false, nil)
      }
      if cursor.next != offset {
        var code = KafkaCode(rd_kafka_seek(cursor.topic.raw, raw, offset, handle.timeout))
        if code.raw == RD_KAFKA_RESP_ERR__STATE {
          // The library gave the partition up, for what was asked for is gone.
          rd_kafka_consume_stop(cursor.topic.raw, raw)
          let isBack = rd_kafka_consume_start(cursor.topic.raw, raw, offset) == 0
          code = KafkaCode(isBack ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error())
        }
        guard code.raw == RD_KAFKA_RESP_ERR_NO_ERROR else {
          throw handle.error(code, operation, "\(partition) can't be read from \(offset) on")
        }
        cursor.next = offset
      }
      return cursor
    }
    let topic = try handle.topic(handle.settings.prefix + partition.topic, operation)
    if let code = handle.start(topic, raw, from: offset) {
      throw handle.error(code, operation, "\(partition) can't be read from \(offset) on")
    }
    return Cursor(topic: topic, start: offset, next: offset)
  }

  /// Waits for so many records, not longer than a moment.
  private func take(
    _ wanted: Int, of partition: TopicPartition, into cursor: inout Cursor
  ) -> KafkaCode? {
    var failure: KafkaCode?
    withUnsafeTemporaryAllocation(
      of: UnsafeMutablePointer<rd_kafka_message_t>?.self, capacity: wanted
    ) { messages in
      let count = rd_kafka_consume_batch(
        cursor.topic.raw, Int32(partition.partition), 100, messages.baseAddress, wanted)
      guard count >= 0 else {
        failure = KafkaCode(rd_kafka_last_error())
        return
      }
      cursor.records.reserveCapacity(count)
      for message in messages.prefix(count) {
        guard let message else { continue }
        if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR, failure == nil {
          cursor.records.append(EventRecord(message, partition))
          cursor.next = message.pointee.offset + 1
        } else if failure == nil {
          failure = KafkaCode(message.pointee.err)
        }
        rd_kafka_message_destroy(message)
      }
    }
    if failure != nil { cursor.next = nil }
    return cursor.records.isEmpty ? failure : nil
  }
}

extension EventRecord {
  /// A record as the library gives it.
  ///
  /// - Parameter message: the library's own; it keeps more behind the message than the type shows.
  init(_ message: UnsafePointer<rd_kafka_message_t>, _ partition: TopicPartition) {
    self.init(
      partition: partition, offset: message.pointee.offset,
      timestampMilliseconds: rd_kafka_message_timestamp(message, nil),
      recordKey: message.pointee.key.map {
        RecordKey(Self.bytes($0, message.pointee.key_len))
      },
      value: message.pointee.payload.map { Self.bytes($0, message.pointee.len) } ?? [])
  }

  private static func bytes(_ start: UnsafeRawPointer, _ count: Int) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: start, count: count))
  }
}

extension KafkaHandle {
  /// Stops fetching a partition; whether that was done.
  fileprivate func pause(_ partition: TopicPartition) -> Bool {
    let list = PartitionList([partition: 0], prefix: settings.prefix)
    return rd_kafka_pause_partitions(client.raw, list.raw) == RD_KAFKA_RESP_ERR_NO_ERROR
  }

  /// Fetches a partition again.
  fileprivate func resume(_ partition: TopicPartition) {
    let list = PartitionList([partition: 0], prefix: settings.prefix)
    rd_kafka_resume_partitions(client.raw, list.raw)
  }
}
