import Foundation
import Testing

@testable import Harness

@Suite("The JSON Schema of scenarios")
struct ScenarioSchemaTests {
  private static func schema() throws -> [String: Any] {
    let data = Data(ScenarioSchema.json().utf8)
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test("It is JSON, says which draft it follows, and is the same every time")
  func isJSON() throws {
    let schema = try Self.schema()
    #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
    #expect(schema["title"] as? String == "Rehearsal scenario")
    #expect(ScenarioSchema.json() == ScenarioSchema.json())
  }

  @Test("Every object has exactly the keys, descriptions and required keys of the table")
  func objects() throws {
    var seen = 0
    try Self.compare(try Self.schema(), ScenarioFields.scenario, &seen)
    #expect(seen > 30)
  }

  @Test("Ranges, choices and patterns are those of the reader")
  func values() throws {
    let properties = try #require(try Self.schema()["properties"] as? [String: [String: Any]])
    let consumers = try #require(properties["consumers"])
    #expect(consumers["minimum"] as? Int == 1 && consumers["maximum"] as? Int == 16)
    #expect(properties["seed"]?["minimum"] as? Int == 0)
    #expect(properties["seed"]?["maximum"] == nil)
    let policy = try #require(properties["policy"]?["properties"] as? [String: [String: Any]])
    let scoring = ["watermark", "immediate", "heuristic", "heuristic-weighted"]
    #expect(policy["scoring"]?["enum"] as? [String] == scoring)
    let pattern = try #require(properties["duration"]?["pattern"] as? String)
    for (text, isDuration) in [("1h5m", true), ("3µs", true), ("1.5h", false), ("", false)] {
      #expect((text.range(of: pattern, options: .regularExpression) != nil) == isDuration)
      #expect((Quantity.duration(text) != nil) == isDuration)
    }
  }

  /// Compares one object's schema with its entry in the table, then what is inside.
  private static func compare(
    _ schema: [String: Any], _ object: ScenarioObject, _ seen: inout Int
  ) throws {
    seen += 1
    #expect(schema["type"] as? String == "object")
    #expect(schema["additionalProperties"] as? Bool == false)
    let properties = try #require(schema["properties"] as? [String: [String: Any]])
    #expect(Set(properties.keys) == Set(object.fields.map(\.name)))
    let required = object.fields.filter(\.isRequired).map(\.name)
    #expect(schema["required"] as? [String] ?? [] == required)
    for field in object.fields {
      let property = try #require(properties[field.name])
      #expect(property["description"] as? String == field.about)
      try compare(property, field.shape, &seen)
    }
  }

  private static func compare(
    _ schema: [String: Any], _ shape: ScenarioShape, _ seen: inout Int
  ) throws {
    switch shape {
    case .object(let inner):
      var schema = schema
      // The field's own description stands in place of the object's.
      schema["description"] = inner.about
      try compare(schema, inner, &seen)
    case .list(let element):
      try compare(try #require(schema["items"] as? [String: Any]), element, &seen)
    case .variants(let objects):
      let variants = try #require(schema["oneOf"] as? [[String: Any]])
      try #require(variants.count == objects.count)
      for (variant, object) in zip(variants, objects) { try compare(variant, object, &seen) }
    default:
      #expect(!schema.isEmpty)
    }
  }
}
