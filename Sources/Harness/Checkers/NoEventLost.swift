import Moderation
import Pipeline
import Ports

/// Every row that the API stored has its event in the stream, and the stream consumer applied it.
///
/// Doesn't check: views (the database only counts them), the values inside the events, rows that
/// were there before the scenario's start.
public struct NoEventLost: Checker {
  /// `NoEventLost`.
  public let name = "NoEventLost"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.scenario.policy.publication != .none else { return nil }
    var seen: Set<EventID> = []
    var views: Set<EventID> = []
    for event in run.events.lazy.map(\.event) {
      seen.insert(event.id)
      if event.kind == .view { views.insert(event.id) }
    }
    let start = run.scenario.start
    var faults: [String] = []
    func look<Entity>(_ what: String, _ id: ID<Entity>, _ created: EventTime) {
      guard created >= start, !seen.contains(id.reinterpreted(as: PlatformEvent.self)) else {
        return
      }
      faults.append("\(what) \(id) of \(created) has no applied event")
    }
    for image in run.tables.images { look("image", image.id, image.createdAt) }
    for comment in run.tables.comments { look("comment", comment.id, comment.createdAt) }
    for flag in run.tables.flags { look("flag", flag.id, flag.createdAt) }
    let viewed = run.tables.images.reduce(0) { $0 + $1.views }
    if run.apiRequests > 0 && views.count < viewed {
      faults.append("the database counts \(viewed) views, the stream brought \(views.count)")
    }
    return faults
  }
}

extension EventCodec {
  /// The event of a record, or nil when it holds none; a view without an id has that of its place.
  static func decodeOrNil(_ record: EventRecord) -> PlatformEvent? {
    do throws(EventDecodingError) {
      return try decode(record.value, fallbackID: record.derivedEventID())
    } catch {
      return nil
    }
  }

  /// The event of a value, or nil when it holds none; for events that carry their ids.
  static func decodeOrNil(_ value: [UInt8]) -> PlatformEvent? {
    do throws(EventDecodingError) {
      return try decode(value, fallbackID: EventID(high: 0, low: 0))
    } catch {
      return nil
    }
  }
}
