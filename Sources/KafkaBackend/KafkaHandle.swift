import CKafka
import Glibc
import Ports
import Synchronization

/// A pointer to one of librdkafka's clients, topics or queues.
///
/// Unchecked: the library's own locks guard what is behind them, and any thread may call it.
struct KafkaPointer: @unchecked Sendable {
  let raw: OpaquePointer
}

/// One client of librdkafka: it has threads and connections of its own, which end with it.
final class KafkaHandle: Sendable {
  /// The client.
  let client: KafkaPointer
  /// What the library said.
  let notes: KafkaNotes
  let settings: KafkaSettings
  private let topics = Mutex<[String: KafkaPointer]>([:])
  private let started = Mutex<[(topic: KafkaPointer, partition: Int32)]>([])

  /// A client; it connects by itself, when it has something to do.
  init(_ role: KafkaRole, _ settings: KafkaSettings) throws(PortError) {
    let configuration = try settings.configuration(role)
    let notes = KafkaNotes()
    // The library's threads may write there until the client is gone, which `deinit` outlives.
    let kept = Unmanaged.passRetained(notes)
    rd_kafka_conf_set_opaque(configuration, kept.toOpaque())
    KafkaNotes.listen(configuration, role)
    var text = [CChar](repeating: 0, count: 512)
    let isProducer = if case .producer = role { true } else { false }
    let kind = isProducer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER
    guard let client = rd_kafka_new(kind, configuration, &text, text.count) else {
      rd_kafka_conf_destroy(configuration)
      kept.release()
      throw PortMethod.log("init").error(
        .invalid, "librdkafka makes no client of these settings: \(String(text))")
    }
    self.client = KafkaPointer(raw: client)
    self.notes = notes
    self.settings = settings
    if case .member = role { rd_kafka_poll_set_consumer(client) }
  }

  deinit {
    for (topic, partition) in started.withLock({ $0 }) {
      rd_kafka_consume_stop(topic.raw, partition)
    }
    for topic in topics.withLock({ $0 }).values { rd_kafka_topic_destroy(topic.raw) }
    // A member that wasn't closed is one that crashed: the broker waits for its session's end. A
    // client that doesn't end is left behind: the library waits without end for a thread of its own
    // whose broker something still refers to (seen when records are removed beneath a reader).
    let seconds = max(1, settings.timeLimit.components.seconds)
    let notes = Unmanaged.passUnretained(notes).toOpaque()
    _ = ckafka_destroy(
      client.raw, Int32(clamping: seconds),
      { $0.map { Unmanaged<KafkaNotes>.fromOpaque($0).release() } }, notes)
  }

  /// The library's handle of a topic, by the broker's name.
  func topic(_ name: String, _ operation: PortMethod) throws(PortError) -> KafkaPointer {
    let topic = topics.withLock { topics in
      if topics[name] == nil, let made = rd_kafka_topic_new(client.raw, name, nil) {
        topics[name] = KafkaPointer(raw: made)
      }
      return topics[name]
    }
    guard let topic else {
      throw operation.error(.invalid, "'\(name)' can't be a topic's name")
    }
    return topic
  }

  /// Starts to read a partition ahead.
  func start(_ topic: KafkaPointer, _ partition: Int32, from offset: Int64) -> KafkaCode? {
    guard rd_kafka_consume_start(topic.raw, partition, offset) == 0 else {
      return KafkaCode(rd_kafka_last_error())
    }
    started.withLock { $0.append((topic, partition)) }
    return nil
  }

  /// The error of a request that failed.
  ///
  /// - Parameter subject: what was asked for.
  func error(
    _ code: KafkaCode, _ operation: PortMethod, _ subject: String,
    as portCode: PortError.Code? = nil
  ) -> PortError {
    let last = notes.lastError.map { "; librdkafka's last word: \($0)" } ?? ""
    let said = "\(subject): the broker at \(settings.servers): \(code.text)\(last)"
    let portCode = portCode ?? code.portCode
    // The library tries a refused log-in again and again, until the request's time is up.
    if portCode == .unavailable, notes.isRefused {
      return operation.error(
        .denied,
        "\(said); correct `sasl_mechanism`, `sasl_user` and `sasl_password`, or `ssl_certificates`")
    }
    return operation.error(portCode, "\(said); \(code.cure)")
  }

  /// Blocks the thread for a moment, in real time.
  func pause(_ duration: Duration) { usleep(UInt32(clamping: duration.milliseconds * 1000)) }

  /// The time limit of one request, as the library takes it.
  var timeout: Int32 { Int32(clamping: settings.timeLimit.milliseconds) }
}

/// What librdkafka says beside its results, from whatever thread.
final class KafkaNotes: Sendable {
  /// What happened to a member's partitions.
  enum Rebalance: Sendable {
    case assigned([TopicPartition])
    case revoked
  }

  private struct State {
    var lastError: String?
    var isDown = false
    var rebalances: [Rebalance] = []
  }

  private let state = Mutex(State())

  /// The last error, if any.
  var lastError: String? { state.withLock { $0.lastError } }

  /// Whether the last error is that one side won't have the other: the broker this account, or the
  /// client the broker's certificate. A connection that breaks on the way there is neither.
  var isRefused: Bool {
    ["SASL authentication error", "certificate verify failed"].contains { words in
      lastError?.contains(words) == true
    }
  }

  /// Whether all brokers were found to be down since the last call.
  func takeDown() -> Bool {
    state.withLock { state in
      defer { state.isDown = false }
      return state.isDown
    }
  }

  /// What happened to the member's partitions since the last call.
  func takeRebalances() -> [Rebalance] {
    state.withLock { state in
      defer { state.rebalances = [] }
      return state.rebalances
    }
  }

  fileprivate func note(error text: String) { state.withLock { $0.lastError = text } }

  fileprivate func noteDown() { state.withLock { $0.isDown = true } }

  fileprivate func note(_ rebalance: Rebalance) {
    state.withLock { $0.rebalances.append(rebalance) }
  }

  fileprivate static func from(_ opaque: UnsafeMutableRawPointer?) -> KafkaNotes? {
    opaque.map { Unmanaged<KafkaNotes>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Has the library call back. What it calls must outlive the client.
  fileprivate static func listen(_ configuration: OpaquePointer, _ role: KafkaRole) {
    rd_kafka_conf_set_log_cb(configuration) { client, level, facility, text in
      guard level <= 3, let client, let facility, let text else { return }
      KafkaNotes.from(rd_kafka_opaque(client))?.note(
        error: "\(String(cString: facility)) \(String(cString: text))")
    }
    rd_kafka_conf_set_error_cb(configuration) { _, code, text, opaque in
      guard let notes = KafkaNotes.from(opaque) else { return }
      if let text { notes.note(error: String(cString: text)) }
      if code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN.rawValue { notes.noteDown() }
    }
    switch role {
    case .producer: rd_kafka_conf_set_dr_msg_cb(configuration, KafkaProducer.report)
    case .member: rd_kafka_conf_set_rebalance_cb(configuration, rebalance)
    case .reader, .group: break
    }
  }

  /// Gives revoked partitions back at once, as the library demands; what is assigned waits for the
  /// poll to look up where to begin.
  private static let rebalance:
    @convention(c) (
      OpaquePointer?, rd_kafka_resp_err_t, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
      UnsafeMutableRawPointer?
    ) -> Void = { client, code, list, opaque in
      if code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
        let partitions = list.map { PartitionList.partitions(of: $0) } ?? []
        KafkaNotes.from(opaque)?.note(.assigned(partitions))
      } else {
        rd_kafka_assign(client, nil)
        KafkaNotes.from(opaque)?.note(.revoked)
      }
      // Ends the poll that serves this, so that the news is looked at before any record.
      rd_kafka_yield(client)
    }
}
