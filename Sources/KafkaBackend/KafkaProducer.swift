import CKafka
import Moderation
import Ports
import Synchronization

/// Appends records and waits for the broker's word on each; one client, renewed when it is spoilt.
final class KafkaProducer: Sendable {
  /// A record with the partition it goes to.
  struct Addressed {
    let record: ProducerRecord
    let partition: TopicPartition
  }

  /// What became of the records of one append.
  struct Deliveries {
    /// Offsets in the order given; nil where it isn't known that the record is stored.
    var offsets: [Int64?]
    /// The first record that failed.
    var failure: PortError?
  }

  private let settings: KafkaSettings
  private let handle: Mutex<KafkaHandle>
  /// Who holds it serves the delivery reports, everybody's.
  private let serving = Mutex(())

  init(_ settings: KafkaSettings) throws(PortError) {
    self.settings = settings
    handle = Mutex(try KafkaHandle(.producer, settings))
  }

  deinit {
    let handle = handle.withLock { $0 }
    // Appends wait for their reports, so nothing is left to send; this is for what was cut off.
    rd_kafka_flush(handle.client.raw, handle.timeout)
  }

  /// Appends records whose topics and partitions exist.
  func append(_ records: [Addressed]) throws(PortError) -> Deliveries {
    let operation = PortMethod.log("append")
    let handle = handle.withLock { $0 }
    var topics: [String: KafkaPointer] = [:]
    for record in records where topics[record.partition.topic] == nil {
      topics[record.partition.topic] = try handle.topic(
        settings.prefix + record.partition.topic, operation)
    }
    let slots = UnsafeMutableBufferPointer<ckafka_delivery>.allocate(capacity: records.count)
    defer { slots.deallocate() }
    slots.initialize(
      repeating: ckafka_delivery(
        offset: -1, error: RD_KAFKA_RESP_ERR_NO_ERROR, status: RD_KAFKA_MSG_STATUS_NOT_PERSISTED,
        is_done: 0))
    let deadline = ContinuousClock.now + settings.deliveryLimit
    for (index, record) in records.enumerated() {
      guard let topic = topics[record.partition.topic], let base = slots.baseAddress else { break }
      let code = enqueue(record, topic, handle, base + index, until: deadline)
      if code == RD_KAFKA_RESP_ERR_NO_ERROR { continue }
      for rest in index..<records.count {
        slots[rest].error = code
        slots[rest].is_done = 1
      }
      break
    }
    waitForReports(slots, handle)
    renew(handle, ifFatal: slots)
    return deliveries(slots, records, handle, operation)
  }

  /// Hands a record to the library; a full queue is waited for.
  private func enqueue(
    _ addressed: Addressed, _ topic: KafkaPointer, _ handle: KafkaHandle,
    _ slot: UnsafeMutablePointer<ckafka_delivery>, until deadline: ContinuousClock.Instant
  ) -> rd_kafka_resp_err_t {
    let record = addressed.record
    let key = record.key
    while true {
      let code = record.value.withUnsafeBytes { value in
        (key ?? []).withUnsafeBytes { bytes in
          ckafka_produce(
            handle.client.raw, topic.raw, Int32(addressed.partition.partition),
            key == nil ? 0 : 1, bytes.baseAddress, bytes.count, value.baseAddress, value.count,
            record.timestamp.microseconds / 1000, slot)
        }
      }
      guard code == RD_KAFKA_RESP_ERR__QUEUE_FULL, ContinuousClock.now < deadline else {
        return code
      }
      serving.withLock { _ in _ = rd_kafka_poll(handle.client.raw, 10) }
    }
  }

  /// Waits for all reports: the library gives one for each record, at the latest when the delivery
  /// limit is over. Another append's turn may bring them too.
  private func waitForReports(
    _ slots: UnsafeMutableBufferPointer<ckafka_delivery>, _ handle: KafkaHandle
  ) {
    var done = 0
    while done < slots.count {
      serving.withLock { _ in
        while done < slots.count, slots[done].is_done != 0 { done += 1 }
        if done < slots.count { _ = rd_kafka_poll(handle.client.raw, 50) }
      }
    }
  }

  /// Takes one record's delivery report.
  static let report:
    @convention(c) (
      OpaquePointer?, UnsafePointer<rd_kafka_message_t>?, UnsafeMutableRawPointer?
    ) -> Void = { _, message, _ in
      guard let message, let opaque = message.pointee._private else { return }
      let slot = opaque.assumingMemoryBound(to: ckafka_delivery.self)
      slot.pointee.offset = message.pointee.offset
      slot.pointee.error = message.pointee.err
      slot.pointee.status = rd_kafka_message_status(message)
      slot.pointee.is_done = 1
    }

  /// A client that lost its place among its own sequence numbers can't go on: a new one can.
  private func renew(
    _ spoilt: KafkaHandle, ifFatal slots: UnsafeMutableBufferPointer<ckafka_delivery>
  ) {
    guard slots.contains(where: { $0.error != RD_KAFKA_RESP_ERR_NO_ERROR }),
      rd_kafka_fatal_error(spoilt.client.raw, nil, 0) != RD_KAFKA_RESP_ERR_NO_ERROR,
      let fresh = try? KafkaHandle(.producer, settings)  // The old one's errors say it again.
    else { return }
    handle.withLock { if $0 === spoilt { $0 = fresh } }
  }

  private func deliveries(
    _ slots: UnsafeMutableBufferPointer<ckafka_delivery>, _ records: [Addressed],
    _ handle: KafkaHandle, _ operation: PortMethod
  ) -> Deliveries {
    let offsets = slots.map { slot in
      slot.error == RD_KAFKA_RESP_ERR_NO_ERROR && slot.offset >= 0 ? slot.offset : nil
    }
    guard let failed = offsets.firstIndex(of: nil) else { return Deliveries(offsets: offsets) }
    let code = KafkaCode(slots[failed].error)
    let mayBeStored = slots.contains {
      $0.error == RD_KAFKA_RESP_ERR_NO_ERROR || $0.status != RD_KAFKA_MSG_STATUS_NOT_PERSISTED
    }
    let isRetryable = code.portCode.isRetryable || code.raw == RD_KAFKA_RESP_ERR_NO_ERROR
    let failures = offsets.count { $0 == nil }
    let subject =
      "\(failures) of \(records.count) records, the first for \(records[failed].partition), got no "
      + "word of their delivery in \(settings.deliveryLimit.milliseconds) ms"
    return Deliveries(
      offsets: offsets,
      failure: handle.error(
        code, operation, subject, as: mayBeStored && isRetryable ? .unknownOutcome : nil))
  }
}
