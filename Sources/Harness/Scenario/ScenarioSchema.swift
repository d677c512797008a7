import Foundation

/// The JSON Schema of scenario files, made from the table that the reader uses.
public enum ScenarioSchema {
  /// The schema as indented JSON (draft 2020-12).
  public static func json() -> String { json(ScenarioFields.scenario, "Rehearsal scenario") }

  /// The schema of backends files.
  public static func backendsJSON() -> String { json(BackendsFields.file, "Rehearsal backends") }

  private static func json(_ shape: ScenarioObject, _ title: String) -> String {
    var root = object(shape)
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    root["title"] = title
    do {
      let data = try JSONSerialization.data(
        withJSONObject: root, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
      return String(decoding: data, as: UTF8.self)
    } catch {
      preconditionFailure("the schema is not JSON: \(error)")
    }
  }

  private static func object(_ shape: ScenarioObject) -> [String: Any] {
    var properties: [String: Any] = [:]
    for field in shape.fields {
      var property = schema(field.shape)
      property["description"] = field.about
      properties[field.name] = property
    }
    var object: [String: Any] = [
      "type": "object", "description": shape.about, "properties": properties,
      "additionalProperties": false,
    ]
    let required = shape.fields.filter(\.isRequired).map(\.name)
    if !required.isEmpty { object["required"] = required }
    return object
  }

  private static func schema(_ shape: ScenarioShape) -> [String: Any] {
    switch shape {
    case .text, .alias: return ["type": "string"]
    case .integer(let range):
      var schema: [String: Any] = ["type": "integer", "minimum": range.lowerBound]
      if range.upperBound != .max { schema["maximum"] = range.upperBound }
      return schema
    case .number: return ["type": "number"]
    case .boolean: return ["type": "boolean"]
    case .ratio:
      return [
        "anyOf": [
          ["type": "number", "minimum": 0, "maximum": 1],
          ["type": "string", "pattern": "^[0-9.]+(/[0-9.]+|%)?$"],
        ]
      ]
    case .rate: return ["type": "string", "pattern": "^[0-9.]+/(s|m|min|h|d)$"]
    case .duration: return ["type": "string", "pattern": durationPattern]
    case .durationOrEnd: return ["type": "string", "pattern": "^end$|\(durationPattern)"]
    case .instant: return ["type": "string", "format": "date-time"]
    case .date: return ["type": "string", "format": "date"]
    case .choice(let choices): return ["enum": choices]
    case .object(let shape): return object(shape)
    case .list(let element): return ["type": "array", "items": schema(element)]
    case .variants(let shapes): return ["oneOf": shapes.map(object)]
    case .map(let value):
      return ["type": "object", "additionalProperties": schema(value)]
    }
  }

  private static let durationPattern = "^([0-9]+(d|h|m|s|ms|us|µs))+$"
}
