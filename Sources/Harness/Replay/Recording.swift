import Foundation
import Moderation
import Pipeline
import Ports

/// Recorded events: one JSON object a line, in any of three forms, mixed as you like.
///
/// 1. Ours, `events.jsonl`: `topic, partition, offset, timestamp (ms), key, value, now (µs)`.
/// 2. `kcat -J`: `topic, partition, offset, ts (ms), key, payload`.
/// 3. Bare Kafka values in time order, each at its own event time.
public struct Recording: Sendable {
  /// One record and when it reaches the log.
  struct Entry: Sendable {
    var arrival: EventTime
    var record: ProducerRecord
  }

  /// By arrival; records of one arrival in the order of the file.
  let entries: [Entry]
  /// The file's name, for errors.
  let file: String

  /// Reads a recording.
  ///
  /// - Throws: ``ScenarioError`` with the file's line.
  public init(_ text: Data, file: String) throws(ScenarioError) {
    var entries: [Entry] = []
    var number = 0
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }
      if isBlank { continue }
      entries.append(try Self.entry(Array(line), file: file, line: number))
    }
    guard !entries.isEmpty else {
      throw ScenarioError(file: file, message: "there is no event in it")
    }
    self.file = file
    self.entries = entries.enumerated().sorted {
      ($0.element.arrival, $0.offset) < ($1.element.arrival, $1.offset)
    }.map(\.element)
  }

  private static func entry(
    _ line: [UInt8], file: String, line number: Int
  ) throws(ScenarioError) -> Entry {
    func error(_ message: String) -> ScenarioError {
      ScenarioError(
        file: file, line: number, column: 1, message: message,
        hint: "each line is one of our events.jsonl, of `kcat -J`, or a bare event")
    }
    // Bare events in canonical form are by far the quickest to recognise.
    if line.starts(with: "{\"event_type\"".utf8) {
      return try bare(line, error)
    }
    guard let object = parse(line) else { throw error("the line is not a JSON object") }
    if object["event_type"] != nil { return try bare(line, error) }
    guard let topic = object["topic"] as? String else {
      throw error("the line has neither event_type nor topic")
    }
    guard Catalog.sourceTopics.contains(topic) else {
      throw error("'\(topic)' is none of \(Catalog.sourceTopics.joined(separator: ", "))")
    }
    guard let milliseconds = (object["timestamp"] ?? object["ts"]) as? Int64 else {
      throw error("the record has no timestamp (or ts) in milliseconds")
    }
    let timestamp = try instant("timestamp", milliseconds, times: 1000, error)
    let value: [UInt8]
    if let text = (object["value"] ?? object["payload"]) as? String {
      value = Array(text.utf8)
    } else if let text = object["value_base64"] as? String, let data = Data(base64Encoded: text) {
      value = Array(data)
    } else if object["payload"] is NSNull || object["value"] is NSNull {
      value = []
    } else {
      throw error("the record has no value (or payload)")
    }
    func optional<Value>(_ key: String, _ kind: String) throws(ScenarioError) -> Value? {
      guard let found = object[key], !(found is NSNull) else { return nil }
      guard let value = found as? Value else {
        throw error("\(key) should be \(kind), not '\(found)'")
      }
      return value
    }
    let partition: Int? = try optional("partition", "a whole number")
    if let partition, !(0..<64).contains(partition) {
      throw error("the partition is \(partition), not 0 to 63")
    }
    let key: String? = try optional("key", "a string")
    let now: Int64? = try optional("now", "microseconds, a whole number")
    return Entry(
      arrival: try now.map { (now) throws(ScenarioError) in
        try instant("now", now, times: 1, error)
      } ?? timestamp,
      record: ProducerRecord(
        topic: topic, partition: partition, key: key.map { Array($0.utf8) }, value: value,
        timestamp: timestamp))
  }

  /// A number as an instant of the years that scenarios may lie in.
  private static func instant(
    _ name: String, _ number: Int64, times scale: Int64, _ error: (String) -> ScenarioError
  ) throws(ScenarioError) -> EventTime {
    let (microseconds, overflows) = number.multipliedReportingOverflow(by: scale)
    guard !overflows, Scenario.range.contains(EventTime(microseconds: microseconds)) else {
      throw error("\(name), \(number), lies outside the years 2000 to 2200")
    }
    return EventTime(microseconds: microseconds)
  }

  private static func bare(
    _ line: [UInt8], _ error: (String) -> ScenarioError
  ) throws(ScenarioError) -> Entry {
    let event: PlatformEvent
    do throws(EventDecodingError) {
      event = try EventCodec.decode(line, fallbackID: EventID(high: 0, low: 0))
    } catch let decoding {
      throw error("the line is no event: \(decoding)")
    }
    guard Scenario.range.contains(event.time) else {
      throw error("the event's time, \(event.time), lies outside the years 2000 to 2200")
    }
    return Entry(
      arrival: event.time,
      record: ProducerRecord(
        topic: event.kind.topic, key: event.image.map { Array($0.description.utf8) }, value: line,
        timestamp: event.time))
  }

  static func parse(_ line: [UInt8]) -> [String: Any]? {
    // Not JSON is an answer here; the caller says where.
    (try? JSONSerialization.jsonObject(with: Data(line))) as? [String: Any]
  }
}
