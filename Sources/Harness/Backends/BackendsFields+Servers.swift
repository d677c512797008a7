/// The settings of servers. A default that stands here is the adapter's own.
extension BackendsFields {
  static let postgres = ScenarioObject(
    "PostgreSQL; what isn't given is taken from where libpq looks: PGHOST, ~/.pgpass ….",
    [
      .init("conninfo", .text, "libpq's connection string; the other keys take precedence."),
      .init("host", .text, "The server, or the folder of its Unix socket."),
      .init("port", .integer(1...65_535), "Its port."),
      .init("user", .text, "The role."),
      .init("database", .text, "The database."),
      .init("password", .text, "The role's password; better ${NAME} than itself."),
      .init(
        "ssl_mode", .choice(["disable", "prefer", "require", "verify-ca", "verify-full"]),
        "What TLS must prove; default libpq's, prefer."),
      .init("ssl_root_certificate", .text, "The file of the authorities to trust."),
      .init("pool_size", .integer(1...1000), "Connections at once; default 4."),
      .init("connect_limit", .duration, "The longest wait for a connection; default 5s."),
      .init("statement_limit", .duration, "The longest work on one statement; default 30s."),
      .init("lock_limit", .duration, "The longest wait for a lock; default 10s."),
      .init("reply_limit", .duration, "The longest wait for bytes of an answer; default 1m."),
      .init("attempts", .integer(1...100), "How often a call is tried in all; default 5."),
      .init(
        "pause", .duration, "Before the second attempt; each one after twice; default 50ms."),
      .init("application_name", .text, "As pg_stat_activity shows it; default rehearsal."),
    ])

  static let kafka = ScenarioObject(
    "Kafka, Redpanda, or what speaks their protocol.",
    [
      .init("servers", .text, "host:port, separated by commas.", isRequired: true),
      .init("client_id", .text, "As the brokers' logs show it; default rehearsal."),
      .init(
        "replication_factor", .integer(1...100), "Copies of a topic; default the broker's."),
      .init("retention", .duration, "How long new topics keep records; default for ever."),
      .init("topic_options", .map(.text), "More settings of new topics, by Kafka's names."),
      .init(
        "security_protocol", .choice(["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]),
        "Default plaintext."),
      .init("sasl_mechanism", .text, "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."),
      .init("sasl_user", .text, "The account."),
      .init("sasl_password", .text, "Its password; better ${NAME} than itself."),
      .init("ssl_certificates", .text, "The file of the authorities to trust."),
      .init(
        "compression", .choice(["none", "gzip", "snappy", "lz4", "zstd"]), "Default lz4."),
      .init("linger", .duration, "How long a record waits for others; default 0s."),
      .init("batch_bytes", .integer(1...1_000_000_000), "Of one batch; default 1000000."),
      .init("record_bytes", .integer(1...1_000_000_000), "Of one record; default 1000000."),
      .init(
        "queued_records", .integer(1...10_000_000), "Waiting to be sent; default 100000."),
      .init("delivery_limit", .duration, "A record's delivery, with retries; default 30s."),
      .init("time_limit", .duration, "Any other request, with retries; default 10s."),
      .init("backoff", .duration, "After a failed request; default 100ms."),
      .init("fetch_wait", .duration, "The longest a broker holds a fetch; default 50ms."),
      .init("fetch_records", .integer(1...1_000_000), "Taken over at a time; default 1000."),
      .init(
        "read_ahead_kilobytes", .integer(1...2_000_000), "By each group; default 16384."),
      .init("options", .map(.text), "More of librdkafka's options, by its names."),
    ])

  static let redis = ScenarioObject(
    "Redis 6 or later.",
    [
      .init("host", .text, "The server.", isRequired: true),
      .init("port", .integer(1...65_535), "Its port; default 6379."),
      .init("user", .text, "The ACL user; default the server's own."),
      .init("password", .text, "Its password; better ${NAME} than itself."),
      .init("database", .integer(0...1_000_000), "The logical database; default 0."),
      .init("connect_limit", .duration, "The longest wait for a connection; default 5s."),
      .init("command_limit", .duration, "The longest wait for an answer; default 10s."),
      .init("attempts", .integer(1...100), "How often a call is tried in all; default 4."),
      .init(
        "pause", .duration, "Before the second attempt; each one after twice; default 50ms."),
      .init("idle_connections", .integer(0...1000), "Kept open between calls; default 8."),
      .init(
        "time_to_live", .duration,
        "How long keys outlive their last event, by the server's clock; default 30d."),
    ])

  static let s3 = ScenarioObject(
    "S3: Amazon's, MinIO, SeaweedFS ….",
    [
      .init("endpoint", .text, "http:// or https://, host and port; default Amazon's."),
      .init("bucket", .text, "The bucket, which must exist.", isRequired: true),
      .init("region", .text, "Default us-east-1."),
      .init("style", .choice(["path", "host"]), "Where the bucket's name goes; default path."),
      .init("access_key", .text, "The key's id; without one, requests aren't signed."),
      .init("secret_key", .text, "Its secret; better ${NAME} than itself."),
      .init("session_token", .text, "Of a temporary key."),
      .init("verifies_tls", .boolean, "Whether certificates are verified; default true."),
      .init("ssl_certificates", .text, "The file of the authorities to trust."),
      .init("connect_limit", .duration, "The longest wait for a connection; default 5s."),
      .init("time_limit", .duration, "The longest one attempt may take; default 5m."),
      .init("stall_limit", .duration, "The longest without bytes; default 20s."),
      .init("attempts", .integer(1...100), "How often a call is tried in all; default 6."),
      .init("pause", .duration, "Before the second attempt; default 100ms."),
      .init("longest_pause", .duration, "Between attempts; default 5s."),
      .init(
        "part_size", .integer(5_242_880...5_000_000_000), "Bytes of a part; default 16777216."),
      .init("page_size", .integer(1...1000), "Keys of a listing's page; default 1000."),
      .init("connections", .integer(1...1000), "Kept open; default 16."),
    ])
}
