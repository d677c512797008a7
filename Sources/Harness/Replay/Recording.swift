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
    guard milliseconds.magnitude < 1 << 53 / 1000 else {
      throw error("the timestamp \(milliseconds) is out of range")
    }
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
    let timestamp = EventTime(microseconds: milliseconds * 1000)
    let now = (object["now"] as? Int64).map { EventTime(microseconds: $0) }
    if let now, now.microseconds.magnitude >= 1 << 53 {
      throw error("now, \(now.microseconds), is out of range")
    }
    if let partition = object["partition"] as? Int, !(0..<64).contains(partition) {
      throw error("the partition is \(partition), not 0 to 63")
    }
    return Entry(
      arrival: now ?? timestamp,
      record: ProducerRecord(
        topic: topic, partition: object["partition"] as? Int,
        key: (object["key"] as? String).map { Array($0.utf8) }, value: value, timestamp: timestamp))
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
