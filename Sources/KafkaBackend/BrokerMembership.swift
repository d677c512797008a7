import CKafka
import Ports

/// One member's time in a group: from its subscription to its leave.
struct BrokerMembership: Sendable {
  /// Whether the member can't go on under this membership.
  private(set) var isOver = false
  private let handle: KafkaHandle
  private let group: String
  private let name: String
  /// What the member owns, by the callers' names.
  private var owned: Set<TopicPartition> = []
  /// The next offsets of owned partitions, as far as they are known.
  private var positions: [TopicPartition: Int64] = [:]
  /// Whether the library gave an owned partition up, for what it was to read is gone.
  private var isStalled = false
  /// An assignment whose offsets to begin at aren't looked up yet.
  private var pending: [TopicPartition]?
  /// What to throw at the next look, after the records that came before it.
  private var failure: PortError?

  /// Subscribes; the broker answers while the member polls.
  init(
    _ log: KafkaEventLog, group: String, name: String, _ topics: [ConsumerGroup.Topic]
  ) throws(PortError) {
    let settings = log.settings
    handle = try KafkaHandle(
      .member(group: settings.prefix + group, name: name, session: log.session), settings)
    self.group = group
    self.name = name
    let subscription = PartitionList(
      Dictionary(
        topics.map { (TopicPartition($0.name, -1), Int64(RD_KAFKA_OFFSET_INVALID)) },
        uniquingKeysWith: { $1 }), prefix: settings.prefix)
    let code = KafkaCode(rd_kafka_subscribe(handle.client.raw, subscription.raw))
    guard code.raw == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw handle.error(code, .consumer("poll"), "\(name) can't subscribe for group \(group)")
    }
  }

  /// What librdkafka said last.
  var lastError: String? { handle.notes.lastError }

  /// Whether all brokers were found to be down since the last call.
  func takeDown() -> Bool { handle.notes.takeDown() }

  /// News of the assignment, else the records that were fetched, merged by (timestamp, topic,
  /// partition, offset).
  ///
  /// - Parameter wait: milliseconds to wait for the first of them.
  mutating func look(limit: Int, wait: Int32) throws(PortError) -> Poll {
    var lanes: [TopicPartition: [EventRecord]] = [:]
    var (count, wait) = (0, wait)
    while count < max(limit, 1), failure == nil {
      let message = pending == nil ? rd_kafka_consumer_poll(handle.client.raw, wait) : nil
      defer { if let message { rd_kafka_message_destroy(message) } }
      if noteRebalances() {
        // What came before it belongs to the assignment that is over.
        (lanes, count) = ([:], 0)
        if let assignment = try begin() { return Poll(assignment: assignment) }
      }
      guard let message else { break }
      wait = 0
      if let record = record(message) {
        lanes[record.partition, default: []].append(record)
        count += 1
      }
    }
    if count == 0, let failure {
      self.failure = nil
      throw failure
    }
    return Poll(records: try Self.merge(lanes))
  }

  /// Takes in what happened to the partitions; false when nothing did.
  private mutating func noteRebalances() -> Bool {
    let rebalances = handle.notes.takeRebalances()
    for rebalance in rebalances {
      owned = []
      switch rebalance {
      case .revoked: pending = nil
      case .assigned(let partitions):
        let prefix = handle.settings.prefix
        pending = partitions.map {
          TopicPartition(String($0.topic.dropFirst(prefix.count)), $0.partition)
        }
      }
    }
    return !rebalances.isEmpty || pending != nil
  }

  /// Begins to read a new assignment at the committed offsets, else at the start of the log.
  private mutating func begin() throws(PortError) -> [TopicPartition]? {
    guard let partitions = pending else { return nil }
    positions = [:]
    try assign(partitions)
    pending = nil
    owned = Set(partitions)
    return partitions.sorted()
  }

  /// Reads partitions from the known positions on, else from the committed offsets, else from the
  /// start of the log.
  private mutating func assign(_ partitions: [TopicPartition]) throws(PortError) {
    let operation = PortMethod.consumer("poll")
    let list = PartitionList(
      Dictionary(
        partitions.map { ($0, Int64(RD_KAFKA_OFFSET_INVALID)) }, uniquingKeysWith: { $1 }),
      prefix: handle.settings.prefix)
    if !partitions.isEmpty {
      let code = KafkaCode(rd_kafka_committed(handle.client.raw, list.raw, handle.timeout))
      let failure = code.raw == RD_KAFKA_RESP_ERR_NO_ERROR ? list.firstError?.code : code
      if let failure {
        throw handle.error(failure, operation, "the committed offsets of group \(group)")
      }
    }
    let starts = list.offsets(prefix: handle.settings.prefix)
      .mapValues { $0 < 0 ? Int64(RD_KAFKA_OFFSET_BEGINNING) : $0 }
      .merging(positions) { $1 }
    let assignment = PartitionList(starts, prefix: handle.settings.prefix)
    let code = KafkaCode(rd_kafka_assign(handle.client.raw, assignment.raw))
    guard code.raw == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw handle.error(code, operation, "\(name) can't take its assignment")
    }
    isStalled = false
  }

  /// A record of an owned partition; nil for news that the library copes with by itself, and for a
  /// failure, which is kept.
  private mutating func record(
    _ message: UnsafePointer<rd_kafka_message_t>
  ) -> EventRecord? {
    let code = KafkaCode(message.pointee.err)
    if code.raw == RD_KAFKA_RESP_ERR_NO_ERROR, let topic = message.pointee.rkt {
      let full = String(cString: rd_kafka_topic_name(topic))
      let partition = TopicPartition(
        String(full.dropFirst(handle.settings.prefix.count)), Int(message.pointee.partition))
      guard owned.contains(partition) else { return nil }
      positions[partition] = message.pointee.offset + 1
      return EventRecord(message, partition)
    }
    isStalled = isStalled || code.portCode == .outOfRetention
    isOver = rd_kafka_fatal_error(handle.client.raw, nil, 0) != RD_KAFKA_RESP_ERR_NO_ERROR
    if code.portCode == .unavailable, !isOver { return nil }
    let said = rd_kafka_message_errstr(message).map { ", \(String(cString: $0))" } ?? ""
    failure = handle.error(
      code, .consumer("poll"), "\(name) of group \(group)\(said)", as: isOver ? .fenced : nil)
    return nil
  }

  private static func merge(
    _ lanes: [TopicPartition: [EventRecord]]
  ) throws(PortError) -> [EventRecord] {
    let sorted = lanes.sorted { $0.key < $1.key }.map(\.value)
    guard sorted.count > 1 else { return sorted.first ?? [] }
    // Here a position is an index of a lane's records.
    var next = sorted.map { _ in 0 }
    return try Merge.take(.max, from: sorted.map { _ in 0 }) { lane, _ in
      defer { next[lane] += 1 }
      return next[lane] < sorted[lane].count ? sorted[lane][next[lane]] : nil
    }.records
  }

  /// Continues owned partitions elsewhere. A partition that was just assigned may not have begun
  /// yet: that takes a moment.
  mutating func seek(_ offsets: [TopicPartition: Int64]) throws(PortError) {
    var left = offsets.filter { owned.contains($0.key) }
    positions.merge(left) { $1 }
    if isStalled {
      failure = nil
      return try assign(owned.sorted())
    }
    let deadline = ContinuousClock.now + handle.settings.timeLimit
    while !left.isEmpty {
      let list = PartitionList(left, prefix: handle.settings.prefix)
      var failure: KafkaCode?
      if let error = rd_kafka_seek_partitions(handle.client.raw, list.raw, handle.timeout) {
        failure = KafkaCode(rd_kafka_error_code(error))
        rd_kafka_error_destroy(error)
      }
      let failed = list.failed(prefix: handle.settings.prefix)
      failure = failure ?? failed.values.first { $0.raw != RD_KAFKA_RESP_ERR__STATE }
      if let failure {
        throw handle.error(failure, .consumer("seek"), "\(name) can't seek")
      }
      left = left.filter { failed[$0.key] != nil }
      guard !left.isEmpty else { return }
      guard ContinuousClock.now < deadline else {
        throw handle.error(
          KafkaCode(RD_KAFKA_RESP_ERR__STATE), .consumer("seek"),
          "\(left.count) partitions of \(name) don't begin")
      }
      handle.pause(.milliseconds(5))
    }
  }

  /// Commits, if the member still owns all of the partitions.
  func commit(_ offsets: [TopicPartition: Int64]) throws(PortError) {
    let operation = PortMethod.consumer("commit")
    let isLost = rd_kafka_assignment_lost(handle.client.raw) != 0
    if let foreign = offsets.keys.sorted().first(where: { isLost || !owned.contains($0) }) {
      throw operation.error(
        .fenced, "\(name) no longer owns \(foreign); poll for the new assignment")
    }
    try handle.commit(offsets, of: group, operation)
  }

  /// Gives everything back to the group.
  func leave() { rd_kafka_consumer_close(handle.client.raw) }
}
