import Ports

/// The adapters of Kafka, when `REHEARSAL_KAFKA` says where it is.
enum LiveKafka {
  static let eventLogs: [Adapter<any EventLog>] = []
}
