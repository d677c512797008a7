import Testing

@testable import Moderation

@Suite("EventCodec under mutation")
struct EventCodecFuzzTests {
  @Test(
    "Whatever happens to its bytes, what the fast path accepts is what the slow path says",
    arguments: [UInt64](20..<28))
  func mutations(seed: UInt64) {
    var generator = EventGenerator(seed: seed)
    var disagreements = 0
    var first = ""
    for event in generator.events(1000) {
      let canonical = EventCodec.encode(event)
      let python = PythonText(zone: "+00:00").encode(event)
      let text = generator.random.mutated(generator.random.once(in: 2) ? canonical : python)
      guard !CodecPaths(text).agree else { continue }
      disagreements += 1
      if disagreements == 1 { first = RawText(text).testDescription }
    }
    #expect(disagreements == 0, "first: \(first)")
  }

  @Test("Random bytes and random JSON tokens crash nothing and are no events")
  func noise() {
    var random = SplitMix64(seed: 30)
    let tokens = [
      "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d83c", "0", "-", ".", "e", "true", "null",
      "\"event_type\"", "\"view\"", " ", "\u{1}", "é",
    ].map { Array($0.utf8) }
    var accepted: [String] = []
    for round in 0..<2000 {
      let text: [UInt8] = (0..<Int.random(in: 0...24, using: &random)).flatMap { _ -> [UInt8] in
        round.isMultiple(of: 2)
          ? [UInt8.random(in: 0...255, using: &random)]
          : tokens[Int.random(in: 0..<tokens.count, using: &random)]
      }
      let paths = CodecPaths(text)
      if paths.fast != nil || paths.slowEvent != nil {
        accepted.append(RawText(text).testDescription)
      }
    }
    #expect(accepted.isEmpty, "first: \(accepted.first ?? "")")
  }
}
