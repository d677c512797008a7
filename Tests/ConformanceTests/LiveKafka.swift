import KafkaBackend
import Ports

/// The adapters of Kafka, when `REHEARSAL_KAFKA` says where it is.
enum LiveKafka {
  static let servers = LiveServices.variable("REHEARSAL_KAFKA")

  /// Settings that meet no other test's.
  static func settings(_ servers: String) -> KafkaSettings {
    var settings = KafkaSettings()
    settings.servers = servers
    settings.prefix = LiveServices.freshPrefix()
    return settings
  }

  static let eventLogs: [Adapter<any EventLog>] =
    if let servers {
      [
        Adapter("kafka") { time, folder in
          let log = try KafkaEventLog(settings(servers), time: time, session: Adapters.session)
          folder.atEnd { try? log.clean() }
          return log
        }
      ]
    } else { [] }
}
