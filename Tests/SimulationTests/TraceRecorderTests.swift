import Foundation
import Moderation
import Ports
import Simulation
import Testing

@Suite("TraceRecorder")
struct TraceRecorderTests {
  /// Records lines of one text each, and gives the fingerprint and all bytes.
  private static func record(_ texts: [String]) -> (fingerprint: String, bytes: [UInt8]) {
    let chunks = Journal<[UInt8]>()
    let trace = TraceRecorder { chunks.note($0) }
    for text in texts {
      trace.record(at: start, component: "test", event: "line", fields: [.text("text", text)])
    }
    trace.flush()
    return (trace.fingerprint, chunks.entries.flatMap(\.self))
  }

  @Test("A line is one JSON object: time, component, event, then the fields in their order")
  func line() {
    let chunks = Journal<[UInt8]>()
    let trace = TraceRecorder { chunks.note($0) }
    trace.record(
      at: at(61), component: "risk-scorer", event: "scored",
      fields: [
        .integer("count", -3), .number("risk", 0.25), .time("as_of", at(1).asEventTime),
        .id("image", ImageID(high: 0, low: 1)), .text("why", "\"x\""),
      ])
    trace.flush()
    #expect(
      String(decoding: chunks.entries.flatMap(\.self), as: UTF8.self) == """
        {"at":"2025-06-15T14:01:01.000000Z","component":"risk-scorer","event":"scored",\
        "count":-3,"risk":0.25,"as_of":"2025-06-15T14:00:01.000000Z",\
        "image":"00000000-0000-0000-0000-000000000001","why":"\\"x\\""}

        """)
  }

  @Test(
    "Whatever a text holds, the line is valid JSON and gives it back",
    arguments: ["", "\"", "\\", "a\nb\r\t", "\u{0}\u{1F}\u{7F}", "é😀\u{2028}", "{\"a\":[1]}"])
  func validText(text: String) throws {
    let line = Self.record([text]).bytes
    #expect(line.filter { $0 == UInt8(ascii: "\n") }.count == 1, "one line")
    let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
    #expect(object?["text"] as? String == text)
    #expect(object?["component"] as? String == "test")
  }

  @Test(
    "Whatever a number is, the line is valid JSON",
    arguments: [0, -0.0, 1e300, .leastNonzeroMagnitude, 1.0 / 3, .infinity, -.infinity, .nan])
  func validNumber(number: Double) throws {
    let chunks = Journal<[UInt8]>()
    let trace = TraceRecorder { chunks.note($0) }
    trace.record(
      at: start, component: "test", event: "line",
      fields: [.number("number", number), .integer("integer", .min)])
    trace.flush()
    let data = Data(chunks.entries.flatMap(\.self))
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    #expect(object?["number"] as? Double == (number.isFinite ? number : nil))
    #expect(object?["integer"] as? Int == .min)
  }

  @Test("Fingerprints are FNV-1a's published numbers")
  func knownFingerprints() {
    let known = [
      "": "cbf29ce484222325", "a": "af63dc4c8601ec8c", "foobar": "85944171f73967e8",
    ]
    for (text, expected) in known {
      var fingerprint = Fingerprint()
      for byte in text.utf8 { fingerprint.fold([byte]) }
      #expect(fingerprint.description == expected)
    }
    #expect(TraceRecorder().fingerprint == known[""])
  }

  @Test("A fingerprint changes with any byte of any line")
  func anyByte() {
    let line = Self.record(["some text"]).bytes
    var seen: Set<Fingerprint> = []
    var original = Fingerprint()
    original.fold(line)
    seen.insert(original)
    for index in line.indices {
      for bit in 0..<8 {
        var changed = line
        changed[index] ^= 1 << bit
        var fingerprint = Fingerprint()
        fingerprint.fold(changed)
        seen.insert(fingerprint)
      }
    }
    #expect(seen.count == 1 + line.count * 8)
  }

  @Test("The same lines have the same fingerprint; another order or text has another")
  func sameLines() {
    let (fingerprint, bytes) = Self.record(["a", "b", "c"])
    #expect(Self.record(["a", "b", "c"]).fingerprint == fingerprint)
    var folded = Fingerprint()
    folded.fold(bytes)
    #expect(folded.description == fingerprint, "it covers the bytes that the sink gets")
    for other in [["a", "c", "b"], ["a", "b"], ["a", "b", "c", ""], ["a", "b", "C"]] {
      #expect(Self.record(other).fingerprint != fingerprint)
    }
  }

  @Test("The fingerprint needs no sink")
  func noSink() {
    let trace = TraceRecorder()
    trace.record(at: start, component: "test", event: "line", fields: [.text("text", "a")])
    trace.flush()
    #expect(trace.fingerprint == Self.record(["a"]).fingerprint)
    #expect(trace.lineCount == 1)
    #expect(trace.isEnabled)
  }

  @Test("The sink gets whole lines, all of them, in order")
  func wholeLines() {
    let chunks = Journal<[UInt8]>()
    let trace = TraceRecorder { chunks.note($0) }
    var texts: [String] = []
    for index in 0..<3000 {
      texts.append("\(index) " + String(repeating: "x", count: index % 97))
      trace.record(
        at: start, component: "test", event: "line", fields: [.text("text", texts[index])])
    }
    #expect(chunks.entries.count > 1, "it doesn't keep everything till the end")
    trace.flush()
    trace.flush()
    #expect(chunks.entries.allSatisfy { $0.last == UInt8(ascii: "\n") })
    #expect(chunks.entries.flatMap(\.self) == Self.record(texts).bytes)
    let newlines = chunks.entries.joined().filter { $0 == UInt8(ascii: "\n") }.count
    #expect(newlines == 3000)
    #expect(trace.lineCount == 3000)
  }
}
