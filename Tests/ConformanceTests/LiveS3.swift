import ObjectStorageBackend
import Ports

/// The adapters of S3, when `REHEARSAL_S3` says where it is.
enum LiveS3 {
  /// Where the server is; nil when there is none.
  static let settings: S3Settings? = LiveServices.variable("REHEARSAL_S3").map { endpoint in
    var settings = S3Settings()
    settings.endpoint = endpoint
    settings.bucket = LiveServices.variable("REHEARSAL_S3_BUCKET") ?? ""
    settings.accessKey = LiveServices.variable("REHEARSAL_S3_ACCESS_KEY") ?? ""
    settings.secretKey = LiveServices.variable("REHEARSAL_S3_SECRET_KEY") ?? ""
    return settings
  }

  static let objectStores: [Adapter<any ObjectStore>] =
    settings.map { settings in
      [Adapter("s3") { _, folder in try store(settings, until: folder) }]
    } ?? []

  /// A store under a prefix of its own, emptied when the folder goes.
  static func store(_ settings: S3Settings, until folder: TemporaryFolder) throws -> S3ObjectStore {
    var settings = settings
    settings.prefix = LiveServices.freshPrefix()
    let store = try S3ObjectStore(settings)
    // What stays of a failed test is under a prefix that no other test has.
    folder.atEnd { try? store.clean() }
    return store
  }
}
