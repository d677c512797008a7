import Ports

/// The adapters of S3, when `REHEARSAL_S3` says where it is.
enum LiveS3 {
  static let objectStores: [Adapter<any ObjectStore>] = []
}
