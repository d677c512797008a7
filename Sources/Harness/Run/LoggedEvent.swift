import Moderation
import Ports

/// An event with its place in the log.
struct LoggedEvent: Sendable {
  var event: PlatformEvent
  var position: RecordPosition

  /// The event that a record holds, or nil when it holds none.
  init?(_ record: EventRecord) {
    guard let event = EventCodec.decodeOrNil(record) else { return nil }
    self.event = event
    position = RecordPosition(partition: record.partition, offset: record.offset)
  }
}
