import Harness
import KafkaBackend
import ObjectStorageBackend
import PostgresBackend
import RedisBackend

/// What a backends file says, as settings of the adapters; what it doesn't say keeps its default.

extension PostgresSettings {
  init(_ section: BackendsFile.Section, prefix: String) {
    self.init()
    schema = prefix
    conninfo = section.text("conninfo") ?? conninfo
    host = section.text("host")
    port = section.integer("port")
    user = section.text("user")
    database = section.text("database")
    password = section.text("password")
    sslMode = section.text("ssl_mode")
    rootCertificate = section.text("ssl_root_certificate")
    poolSize = section.integer("pool_size") ?? poolSize
    connectLimit = section.duration("connect_limit") ?? connectLimit
    statementLimit = section.duration("statement_limit") ?? statementLimit
    lockLimit = section.duration("lock_limit") ?? lockLimit
    replyLimit = section.duration("reply_limit") ?? replyLimit
    attempts = section.integer("attempts") ?? attempts
    pause = section.duration("pause") ?? pause
    applicationName = section.text("application_name") ?? applicationName
  }
}

extension KafkaSettings {
  init(_ section: BackendsFile.Section, prefix: String) {
    self.init()
    self.prefix = "\(prefix)_"
    servers = section.text("servers") ?? servers
    clientID = section.text("client_id") ?? clientID
    replicationFactor = section.integer("replication_factor") ?? replicationFactor
    retention = section.duration("retention")
    topicOptions = section.texts("topic_options")
    securityProtocol = section.text("security_protocol") ?? securityProtocol
    saslMechanism = section.text("sasl_mechanism") ?? saslMechanism
    saslUser = section.text("sasl_user") ?? saslUser
    saslPassword = section.text("sasl_password") ?? saslPassword
    certificateAuthority = section.text("ssl_certificates") ?? certificateAuthority
    compression = section.text("compression").flatMap { .init(rawValue: $0) } ?? compression
    linger = section.duration("linger") ?? linger
    batchBytes = section.integer("batch_bytes") ?? batchBytes
    recordBytes = section.integer("record_bytes") ?? recordBytes
    queuedRecords = section.integer("queued_records") ?? queuedRecords
    deliveryLimit = section.duration("delivery_limit") ?? deliveryLimit
    timeLimit = section.duration("time_limit") ?? timeLimit
    backoff = section.duration("backoff") ?? backoff
    fetchWait = section.duration("fetch_wait") ?? fetchWait
    fetchRecords = section.integer("fetch_records") ?? fetchRecords
    readAheadKilobytes = section.integer("read_ahead_kilobytes") ?? readAheadKilobytes
    options = section.texts("options")
  }
}

extension RedisSettings {
  init(_ section: BackendsFile.Section, prefix: String) {
    self.init()
    self.prefix = "\(prefix):"
    host = section.text("host") ?? host
    port = section.integer("port") ?? port
    user = section.text("user")
    password = section.text("password")
    database = section.integer("database") ?? database
    connectTimeout = section.duration("connect_limit") ?? connectTimeout
    commandTimeout = section.duration("command_limit") ?? commandTimeout
    attempts = section.integer("attempts") ?? attempts
    retryPause = section.duration("pause") ?? retryPause
    idleConnections = section.integer("idle_connections") ?? idleConnections
    timeToLive = section.duration("time_to_live") ?? timeToLive
  }
}

extension S3Settings {
  /// - Parameter name: tells apart what one run keeps in one bucket; nil for all of it.
  init(_ section: BackendsFile.Section, prefix: String, name: String? = nil) {
    self.init()
    self.prefix = "\(prefix)/" + (name.map { "\($0)/" } ?? "")
    endpoint = section.text("endpoint") ?? endpoint
    bucket = section.text("bucket") ?? bucket
    region = section.text("region") ?? region
    style = section.text("style").flatMap { .init(rawValue: $0) } ?? style
    accessKey = section.text("access_key") ?? accessKey
    secretKey = section.text("secret_key") ?? secretKey
    sessionToken = section.text("session_token") ?? sessionToken
    verifiesTLS = section.boolean("verifies_tls") ?? verifiesTLS
    certificates = section.text("ssl_certificates") ?? certificates
    connectTimeLimit = section.duration("connect_limit") ?? connectTimeLimit
    timeLimit = section.duration("time_limit") ?? timeLimit
    stallTimeLimit = section.duration("stall_limit") ?? stallTimeLimit
    attempts = section.integer("attempts") ?? attempts
    firstDelay = section.duration("pause") ?? firstDelay
    longestDelay = section.duration("longest_pause") ?? longestDelay
    partSize = section.integer("part_size") ?? partSize
    pageSize = section.integer("page_size") ?? pageSize
    connections = section.integer("connections") ?? connections
  }
}
