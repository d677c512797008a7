import CKafka
import Ports

/// What a client of the library is for.
enum KafkaRole: Sendable {
  case producer
  /// Reads, queries and administration, outside any group.
  case reader
  /// Reads and commits for a group that this process decides about.
  case group(String)
  /// A member of a group that the broker decides about.
  case member(group: String, name: String, session: Duration)
}

extension KafkaSettings {
  /// Options that the adapter's promises rest on: they can't be set by hand.
  static let reserved: Set<String> = [
    "bootstrap.servers", "metadata.broker.list", "group.id", "group.instance.id",
    "enable.idempotence", "acks", "request.required.acks", "enable.auto.commit",
    "enable.auto.offset.store", "auto.offset.reset", "allow.auto.create.topics",
    "enable.partition.eof", "produce.offset.report", "max.in.flight",
    "max.in.flight.requests.per.connection", "session.timeout.ms", "max.poll.interval.ms",
    "partition.assignment.strategy", "isolation.level", "enable.gapless.guarantee",
    "transactional.id",
  ]

  /// The library's configuration for a role; the caller owns it.
  func configuration(_ role: KafkaRole) throws(PortError) -> OpaquePointer {
    guard let configuration = rd_kafka_conf_new() else {
      throw PortMethod.log("init").error(.kafka, "librdkafka makes no configuration")
    }
    do throws(PortError) {
      for (name, value) in common + particular(role) + chosen {
        try Self.set(configuration, name, value)
      }
      try checkOptions()
      for (name, value) in options.sorted(by: { $0.key < $1.key }) {
        try Self.set(configuration, name, value)
      }
    } catch {
      rd_kafka_conf_destroy(configuration)
      throw error
    }
    return configuration
  }

  private func checkOptions() throws(PortError) {
    guard let name = options.keys.sorted().first(where: Self.reserved.contains) else { return }
    throw PortMethod.log("init").error(
      .invalid, "the option '\(name)' is set by the adapter itself; leave it out of `options`")
  }

  private static func set(
    _ configuration: OpaquePointer, _ name: String, _ value: String
  ) throws(PortError) {
    var text = [CChar](repeating: 0, count: 512)
    let result = rd_kafka_conf_set(configuration, name, value, &text, text.count)
    guard result != RD_KAFKA_CONF_OK else { return }
    let isSecret = ["password", "secret", "key", "pem", "jaas"].contains(where: name.contains)
    let said = isSecret ? "as it is set" : "'\(value)': \(String(text))"
    throw PortMethod.log("init").error(
      .invalid, "the option '\(name)' can't be \(said)")
  }

  private var common: [(String, String)] {
    [
      ("bootstrap.servers", servers), ("client.id", clientID),
      ("security.protocol", securityProtocol),
      ("socket.timeout.ms", "\(max(timeLimit.milliseconds, 1000))"),
      ("socket.connection.setup.timeout.ms", "\(max(timeLimit.milliseconds, 1000))"),
      ("socket.nagle.disable", "true"), ("retry.backoff.ms", "\(max(backoff.milliseconds, 1))"),
      ("reconnect.backoff.ms", "\(backoff.milliseconds)"),
      ("reconnect.backoff.max.ms", "\(max(1000, backoff.milliseconds))"),
      ("topic.metadata.refresh.fast.interval.ms", "20"), ("log.connection.close", "false"),
    ]
  }

  /// Settings that only count when they aren't empty.
  private var chosen: [(String, String)] {
    [
      ("sasl.mechanism", saslMechanism), ("sasl.username", saslUser),
      ("sasl.password", saslPassword), ("ssl.ca.location", certificateAuthority),
    ].filter { !$0.1.isEmpty }
  }

  private func particular(_ role: KafkaRole) -> [(String, String)] {
    switch role {
    case .producer:
      [
        ("enable.idempotence", "true"), ("acks", "all"),
        ("compression.codec", compression.rawValue), ("linger.ms", "\(linger.milliseconds)"),
        ("batch.size", "\(batchBytes)"), ("message.max.bytes", "\(max(recordBytes, batchBytes))"),
        ("queue.buffering.max.messages", "\(queuedRecords)"),
        ("message.timeout.ms", "\(max(deliveryLimit.milliseconds, linger.milliseconds + 1))"),
      ]
    case .reader: reading
    case .group(let group):
      // No session here; the library waits that long for a coordinator before a commit fails.
      reading + [
        ("group.id", group), ("session.timeout.ms", "\(max(timeLimit.milliseconds, 1000))"),
        ("heartbeat.interval.ms", "\(min(3000, max(timeLimit.milliseconds, 1000) / 3))"),
      ]
    case .member(let group, let name, let session):
      reading + [
        ("group.id", group), ("session.timeout.ms", "\(session.milliseconds)"),
        ("max.poll.interval.ms", "\(session.milliseconds)"),
        ("heartbeat.interval.ms", "\(max(1, min(3000, session.milliseconds / 3)))"),
        ("partition.assignment.strategy", assignment.rawValue),
      ] + (isStaticMember ? [("group.instance.id", name)] : [])
    }
  }

  private var reading: [(String, String)] {
    [
      ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
      ("auto.offset.reset", "error"), ("allow.auto.create.topics", "false"),
      ("enable.partition.eof", "false"), ("fetch.wait.max.ms", "\(fetchWait.milliseconds)"),
      ("fetch.error.backoff.ms", "\(backoff.milliseconds)"),
      ("queued.max.messages.kbytes", "\(readAheadKilobytes)"),
    ]
  }
}

extension Duration {
  /// Whole milliseconds.
  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}

extension String {
  /// The text of a C buffer up to its first zero.
  init(_ buffer: [CChar]) {
    self.init(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
