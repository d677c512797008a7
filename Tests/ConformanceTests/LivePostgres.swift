import Ports

/// The adapters of PostgreSQL, when `REHEARSAL_POSTGRES` says where it is.
enum LivePostgres {
  static let applicationStores: [Adapter<any ApplicationStore>] = []
  static let checkpointStores: [Adapter<any CheckpointStore>] = []
  static let tableCatalogs: [Adapter<any TableCatalog>] = []
}
