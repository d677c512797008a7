import Simulation
import Testing

@testable import Harness

@Suite("Scenario texts that are damaged")
struct ScenarioFuzzTests {
  /// Reads bytes as a scenario: whether it is one. Anything but a ScenarioError is a failure.
  private static func isScenario(_ bytes: [UInt8]) -> Bool {
    do throws(ScenarioError) {
      _ = try ScenarioTexts.parsedFull(String(decoding: bytes, as: UTF8.self))
      return true
    } catch {
      // Making the text must not fail either.
      return error.description.isEmpty
    }
  }

  @Test("A text cut off after any byte is read or refused")
  func cutOff() {
    let bytes = Array(ScenarioTexts.full.utf8)
    // Each fifth byte: no key and no value is shorter by much, and all take 10 s in a debug build.
    let places = Array(stride(from: 0, to: bytes.count, by: 5))
    let read = places.count { Self.isScenario(Array(bytes[..<$0])) }
    #expect(read > 0, "cut off between two sections it is still a scenario")
    #expect(read < places.count / 2)
  }

  @Test("A text with flipped, missing and inserted bytes is read or refused", arguments: 1...4)
  func mutations(seed: UInt64) {
    let original = Array(ScenarioTexts.full.utf8)
    let insertions = Array("{}[]:,-#&*!|>'\"%@`?\n\t \0~<0123456789eE.+/hms\u{FEFF}é🍜".utf8)
    var random = SeededRandom(seed: seed)
    var refused = 0
    for _ in 0..<300 {
      var bytes = original
      for _ in 0...random.below(3) {
        let place = random.below(bytes.count)
        switch random.below(4) {
        case 0: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1: bytes.removeSubrange(place..<min(place + 1 + random.below(8), bytes.count))
        case 2: bytes.insert(insertions[random.below(insertions.count)], at: place)
        default: bytes[place] = insertions[random.below(insertions.count)]
        }
      }
      if !Self.isScenario(bytes) { refused += 1 }
    }
    #expect((60...300).contains(refused))
  }

  @Test(
    "Brackets nested without end are refused",
    arguments: ["[", "{", "{a: ", "- ", "? ", "population: {"])
  func nesting(part: String) {
    let text = ScenarioTexts.header + "traffic: " + String(repeating: part, count: 20_000)
    #expect(throws: ScenarioError.self) { try Scenario(yaml: text, file: "deep.yaml") }
  }

  @Test("Aliases that multiply are refused")
  func multiplyingAliases() {
    var text = ScenarioTexts.header + "traffic: &a0 [hero]\n"
    for index in 1...60 {
      text += "k\(index): &a\(index) [*a\(index - 1), *a\(index - 1), *a\(index - 1)]\n"
    }
    #expect(throws: ScenarioError.self) { try Scenario(yaml: text, file: "many.yaml") }
  }

  @Test("A share of images near 0 is read or refused, not a trap")
  func hugeKeep() async {
    await #expect(processExitsWith: .success) {
      for keep in ["1e-7", "1e-300", "1/1e300"] {
        let text = ScenarioTexts.header + "golden: { keep: \(keep) }\n"
        do throws(ScenarioError) { _ = try Scenario(yaml: text, file: "x.yaml") } catch {}
      }
    }
  }

  @Test("A rate near 0 is refused, or nothing arrives")
  func tinyRate() async {
    await #expect(processExitsWith: .success) {
      for rate in ["0.00000000000001/h", "1e-300/d", "5e-324/d"] {
        let text = ScenarioTexts.header + "traffic: [poisson: { rate: \(rate) }]\n"
        do throws(ScenarioError) {
          let scenario = try Scenario(yaml: text, file: "x.yaml")
          var random = SeededRandom(seed: 1)
          _ = Arrivals(scenario, random: &random)
        } catch {}
      }
    }
  }
}
