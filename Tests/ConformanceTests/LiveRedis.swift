import Ports
import RedisBackend
import Testing

/// The adapters of Redis, when `REHEARSAL_REDIS` says where it is.
enum LiveRedis {
  /// The server of `REHEARSAL_REDIS` under a prefix of one test's own; nil when it isn't set.
  static func settings() -> RedisSettings? {
    guard let address = LiveServices.variable("REHEARSAL_REDIS"),
      let colon = address.lastIndex(of: ":"), let port = Int(address[colon...].dropFirst())
    else { return nil }
    var settings = RedisSettings()
    settings.host = String(address[..<colon])
    settings.port = port
    settings.password = LiveServices.variable("REHEARSAL_REDIS_PASSWORD")
    settings.prefix = LiveServices.freshPrefix()
    return settings
  }

  /// A store whose keys are removed after the test.
  static func store(
    _ settings: RedisSettings, _ folder: TemporaryFolder
  ) throws(PortError) -> RedisFeatureStore {
    let store = try RedisFeatureStore(settings, grace: Adapters.grace)
    // The prefix is the test's own: keys that stay when the server is gone harm no other.
    folder.atEnd { try? store.clean() }
    return store
  }

  static let featureStores: [Adapter<any FeatureStore>] =
    settings() == nil
    ? []
    : [
      Adapter("redis") { _, folder in
        try store(try #require(settings()), folder)
      }
    ]
}
