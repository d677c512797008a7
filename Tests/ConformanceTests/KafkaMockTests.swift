import KafkaBackend
import Moderation
import Ports
import Testing

/// What the adapter of Kafka does without a server, or with one that fails.
@Suite("Kafka adapter without a server", .serialized)
struct KafkaMockTests {
  /// Settings for a mock, impatient.
  private func settings(_ servers: String) -> KafkaSettings {
    var settings = KafkaSettings()
    settings.servers = servers
    settings.prefix = ""
    settings.deliveryLimit = .seconds(2)
    settings.timeLimit = .seconds(2)
    return settings
  }

  @Test(
    "An option that librdkafka doesn't take is named",
    arguments: [
      ("no.such.option", "1"), ("socket.timeout.ms", "soon"), ("enable.idempotence", "false"),
      ("group.id", "g"),
    ])
  func options(name: String, value: String) throws {
    var settings = KafkaSettings()
    settings.options = [name: value]
    let error = #expect(throws: PortError.self) {
      try KafkaEventLog(settings, time: RealTime())
    }
    #expect(error?.code == .invalid)
    #expect(error?.hint.contains("'\(name)'") == true)
  }

  @Test("A setting that librdkafka doesn't take is named")
  func badSetting() throws {
    var settings = KafkaSettings()
    settings.securityProtocol = "telepathy"
    let error = #expect(throws: PortError.self) {
      try KafkaEventLog(settings, time: RealTime())
    }
    #expect(error?.hint.contains("'security.protocol' can't be 'telepathy'") == true)
  }

  @Test("A server that doesn't answer is unavailable, and the hint says where and what to do")
  func unreachable() async throws {
    let log = try KafkaEventLog(settings("127.0.0.1:1"), time: RealTime())
    let error = try #require(await failure { try await log.ends(of: "t") })
    #expect(error.code == .unavailable)
    #expect(error.hint.contains("127.0.0.1:1"))
    #expect(error.hint.contains("Connection refused"))
    #expect(error.hint.contains("correct `servers`"))
    let check = await log.check()
    #expect(check.map(\.what) == ["reachable"])
    #expect(check.first?.problem != nil)
  }

  @Test("The reason is told after one try, too, not only that all brokers are down")
  func oneTry() async throws {
    var settings = settings("127.0.0.1:1")
    settings.options = ["reconnect.backoff.ms": "10000", "reconnect.backoff.max.ms": "10000"]
    let log = try KafkaEventLog(settings, time: RealTime())
    let error = try #require(await failure { try await log.ends(of: "t") })
    #expect(error.hint.contains("Connection refused"), "\(error)")
  }

  @Test("The account's name and password reach the broker, and its refusal is told")
  func wrongAccount() async throws {
    let broker = try LoginBroker(refusal: "no account 'alice'")
    var settings = settings("127.0.0.1:\(broker.port)")
    settings.securityProtocol = "sasl_plaintext"
    settings.saslMechanism = "PLAIN"
    settings.saslUser = "alice"
    settings.saslPassword = "rabbit-hole"
    let log = try KafkaEventLog(settings, time: RealTime())
    let errors = [
      await failure { try await log.ends(of: "t") },
      await failure { try await log.append([.on("t", 0, "a")]) },
    ]
    #expect(broker.tokens.first == "\0alice\0rabbit-hole")
    for error in errors {
      let error = try #require(error)
      #expect(error.code == .denied, "\(error)")
      #expect(error.hint.contains("no account 'alice'"), "\(error)")
      #expect(error.hint.contains("`sasl_mechanism`, `sasl_user` and `sasl_password`"))
      #expect(!error.hint.contains("rabbit-hole"))
    }
  }

  /// The S3 server's TLS stands in for a broker's: what follows the handshake is another matter.
  @Test(
    "Under TLS the broker's certificate is verified, and one that can't be is refused",
    .enabled(if: LiveServices.tls != nil))
  func certificate() async throws {
    let tls = try #require(LiveServices.tls)
    let server = try #require(LiveServices.variable("REHEARSAL_S3_TLS"))
    var settings = settings(String(server.dropFirst("https://".count)))
    settings.securityProtocol = "ssl"
    var codes: [PortError.Code] = []
    var hints: [String] = []
    for authority in [tls.authority, ""] {
      settings.certificateAuthority = authority
      let log = try KafkaEventLog(settings, time: RealTime())
      let error = try #require(await failure { try await log.ends(of: "t") })
      codes.append(error.code)
      hints.append(error.hint)
    }
    #expect(codes == [.unavailable, .denied], "\(hints)")
    #expect(hints[1].contains("certificate verify failed"), "\(hints[1])")
    #expect(!hints[0].contains("SSL_HANDSHAKE"), "\(hints[0])")
  }

  @Test(
    "A broker that knows no TLS or SASL is unavailable, and the hint says so",
    arguments: [
      ("ssl", "SSL_HANDSHAKE"), ("sasl_plaintext", "SASL"),
    ])
  func plainBroker(securityProtocol: String, said: String) async throws {
    let cluster = try MockCluster()
    var settings = settings(cluster.servers)
    settings.securityProtocol = securityProtocol
    settings.saslMechanism = "PLAIN"
    settings.saslUser = "alice"
    settings.saslPassword = "rabbit-hole"
    let log = try KafkaEventLog(settings, time: RealTime())
    let error = try #require(await failure { try await log.ends(of: "t") })
    #expect(error.code == .unavailable)
    #expect(error.hint.contains(said) && error.hint.contains("`security_protocol`"), "\(error)")
  }

  @Test("Records that were never sent are unavailable, and go once the server is back")
  func down() async throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let log = try KafkaEventLog(settings(cluster.servers), time: RealTime())
    _ = try await log.append([.on("t", 0, "a")])
    cluster.setDown()
    #expect(await code { try await log.append([.on("t", 0, "b")]) } == .unavailable)
    cluster.setUp()
    let position = try await log.append([.on("t", 0, "c")])
    #expect(position.map(\.offset) == [1])
    let stored = try await log.read(TopicPartition("t", 0), from: 0, limit: 10)
    #expect(stored.map(\.text) == ["a", "c"])
  }

  @Test("Records whose report is lost have an unknown outcome")
  func reportLost() async throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let log = try KafkaEventLog(settings(cluster.servers), time: RealTime())
    _ = try await log.append([.on("t", 0, "a")])
    cluster.setRoundTrip(.seconds(4))
    #expect(await code { try await log.append([.on("t", 0, "b")]) } == .unknownOutcome)
  }

  @Test("A secret that librdkafka doesn't take isn't shown")
  func secrets() throws {
    var settings = KafkaSettings()
    settings.options = ["sasl.jaas.config": "hunter2"]
    let error = #expect(throws: PortError.self) {
      try KafkaEventLog(settings, time: RealTime())
    }
    #expect(error?.hint.contains("'sasl.jaas.config'") == true)
    #expect(error?.hint.contains("hunter2") == false)
  }

  @Test("A poll and a commit without the server are unavailable, and lose nothing")
  func clockedWithoutBroker() async throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 2)
    let time = RealTime()
    let log = try KafkaEventLog(settings(cluster.servers), time: time)
    let consumer = try await log.join("g", member: "m", topics: ["t"])
    _ = try await log.append([.on("t", 0, "a"), .on("t", 1, "b")])
    #expect(try await consumer.poll(limit: 10, until: time.now).assignment?.count == 2)
    cluster.setDown()
    #expect(await code { try await consumer.poll(limit: 10, until: time.now) } == .unavailable)
    let offsets = [TopicPartition("t", 0): Int64(1)]
    #expect(await code { try await consumer.commit(offsets) } == .unavailable)
    #expect(try await consumer.committed().isEmpty)
    cluster.setUp()
    let poll = try await consumer.poll(limit: 10, until: time.now)
    #expect(poll.records.map(\.text) == ["a", "b"])
    try await consumer.commit(offsets)
    #expect(try await consumer.committed() == offsets)
  }

  @Test("A member of a group that finds no broker is told so at its deadline")
  func memberWithoutBroker() async throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    var settings = settings(cluster.servers)
    settings.membership = .broker
    let time = RealTime()
    let log = try KafkaEventLog(settings, time: time, session: .seconds(6))
    let consumer = try await log.join("g", member: "m", topics: ["t"])
    cluster.setDown()
    let error = await failure { try await consumer.poll(limit: 1, until: time.after(.seconds(3))) }
    #expect(error?.code == .unavailable)
    #expect(error?.hint.contains(cluster.servers) == true)
  }

  @Test("The partitions of a member that died go to the others when its session is over")
  func sessionOver() async throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 2)
    var settings = settings(cluster.servers)
    settings.membership = .broker
    let time = RealTime()
    let log = try KafkaEventLog(settings, time: time, session: .seconds(6))
    let survivor = BrokerMember(try await log.join("g", member: "a", topics: ["t"]))
    do {
      let dying = BrokerMember(try await log.join("g", member: "b", topics: ["t"]))
      try await BrokerMember.poll([survivor, dying], until: time.after(.seconds(30))) {
        survivor.owned.count == 1 && dying.owned.count == 1
      }
    }
    try await BrokerMember.poll([survivor], until: time.after(.seconds(30))) {
      survivor.owned.count == 2
    }
    #expect(survivor.owned == [TopicPartition("t", 0), TopicPartition("t", 1)])
    try await survivor.consumer.leave()
  }
}
