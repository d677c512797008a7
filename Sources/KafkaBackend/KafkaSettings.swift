/// How to reach and use Kafka; every property's default is what a run without a line about it has.
public struct KafkaSettings: Hashable, Sendable {
  /// Who decides which member of a consumer group owns which partition.
  public enum Membership: String, Hashable, Sendable, CaseIterable {
    /// This process, by the rules of the in-memory log, on its own clock: for simulations.
    case clocked
    /// The broker, in real time: for deployed services.
    case broker
  }

  /// How batches of records are compressed.
  public enum Compression: String, Hashable, Sendable, CaseIterable {
    case none, gzip, snappy, lz4, zstd
  }

  /// How the broker's groups share partitions out.
  public enum Assignment: String, Hashable, Sendable, CaseIterable {
    case range
    case roundRobin = "roundrobin"
  }

  /// The addresses to begin with, as `host:port`, separated by commas.
  public var servers = "127.0.0.1:9092"
  /// What the names of topics and groups begin with on the broker; callers see them without it.
  public var prefix = "rehearsal_"
  /// Who decides about groups.
  public var membership = Membership.clocked
  /// What the broker's logs call this client.
  public var clientID = "rehearsal"

  /// The copies of each partition of a new topic; -1 takes the broker's default.
  public var replicationFactor = -1
  /// How long a new topic keeps records, by their own timestamps; nil keeps them for ever. A replay
  /// of old events needs nil: a broker drops what is older at once.
  public var retention: Duration?
  /// More settings of new topics, by Kafka's names.
  public var topicOptions: [String: String] = [:]

  /// `plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`.
  public var securityProtocol = "plaintext"
  /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`; empty for a protocol without SASL.
  public var saslMechanism = ""
  /// The account, for SASL.
  public var saslUser = ""
  /// The account's password, for SASL.
  public var saslPassword = ""
  /// The file of the authorities that sign the brokers' certificates; empty takes the system's.
  public var certificateAuthority = ""

  /// How batches are compressed.
  public var compression = Compression.lz4
  /// How long a record may wait for others of its batch. An append waits for its records anyway,
  /// so more than zero pays only when many tasks append at once.
  public var linger: Duration = .zero
  /// The most bytes of one batch.
  public var batchBytes = 1_000_000
  /// The most bytes of one record; the broker has a limit of its own.
  public var recordBytes = 1_000_000
  /// How many records may wait to be sent; an append with more waits for room.
  public var queuedRecords = 100_000

  /// How long a record's delivery may take, with all retries.
  public var deliveryLimit: Duration = .seconds(30)
  /// How long any other request may take, with all retries; at least 1 s.
  public var timeLimit: Duration = .seconds(10)
  /// The wait after a failed request, and the first one before a new connection, which doubles up
  /// to 1 s.
  public var backoff: Duration = .milliseconds(100)

  /// How long the broker may hold a fetch back when there is nothing new. It bounds what a seek
  /// costs: that waits for the fetch under way.
  public var fetchWait: Duration = .milliseconds(50)
  /// How many records are taken over at a time.
  public var fetchRecords = 1000
  /// How many kilobytes may be read ahead, by each group of this process and by reads outside.
  public var readAheadKilobytes = 16_384

  /// How the broker's groups share partitions out; for ``Membership/broker``.
  public var assignment = Assignment.roundRobin
  /// Whether a member keeps its partitions while its process restarts within the session; for
  /// ``Membership/broker``. A static member's `leave` frees them only when the session ends.
  public var isStaticMember = false

  /// More of librdkafka's options, by its names.
  public var options: [String: String] = [:]

  /// The defaults.
  public init() {}
}
