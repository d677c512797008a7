import Ports

/// The adapters of Redis, when `REHEARSAL_REDIS` says where it is.
enum LiveRedis {
  static let featureStores: [Adapter<any FeatureStore>] = []
}
