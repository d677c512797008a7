import Foundation

/// Fields read by Foundation's JSON parser: the fallback for text that the fast path declines, and
/// the place where every error message is made.
struct FoundationFields: EventFields {
  private let object: [String: Any]
  private(set) var error: EventDecodingError?

  init(_ value: [UInt8]) throws(EventDecodingError) {
    guard String(validating: value, as: UTF8.self) != nil else {
      throw EventDecodingError(reason: "the value is not valid UTF-8")
    }
    let parsed: Any
    do {
      parsed = try JSONSerialization.jsonObject(
        with: Data(Self.escapingByteOrderMarks(value)), options: [.fragmentsAllowed])
    } catch {
      let detail = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String
      throw EventDecodingError(reason: "the value is not JSON: \(detail ?? "unreadable")")
    }
    guard let object = parsed as? [String: Any] else {
      throw EventDecodingError(reason: "the value is JSON, but not an object")
    }
    self.object = object
  }

  mutating func requiredString(_ name: StaticString) -> String? {
    guard let value = present(name) else { return missing(name) }
    guard let text = value as? String else { return wrong(name, "a string", value) }
    return text
  }

  mutating func optionalString(_ name: StaticString) -> String? {
    present(name) == nil ? nil : requiredString(name)
  }

  mutating func requiredID<Entity>(_ name: StaticString) -> ID<Entity>? {
    guard let value = present(name) else { return missing(name) }
    guard let text = value as? String, let id = ID<Entity>(text) else {
      return wrong(name, "a UUID", value)
    }
    return id
  }

  mutating func optionalID<Entity>(_ name: StaticString) -> ID<Entity>? {
    present(name) == nil ? nil : requiredID(name)
  }

  mutating func optionalBool(_ name: StaticString) -> Bool? {
    guard let value = present(name) else { return nil }
    // NSNumber bridges 0 and 1 to Bool; only a JSON boolean has the boolean type code.
    guard let number = value as? NSNumber, String(cString: number.objCType) == "c" else {
      return wrong(name, "true or false", value)
    }
    return number.boolValue
  }

  mutating func time(_ name: StaticString) -> EventTime? {
    guard let value = present(name) else { return missing(name) }
    guard let text = value as? String, let time = ISO8601.parse(text) else {
      return wrong(name, "an ISO 8601 instant", value)
    }
    return time
  }

  mutating func reject(_ name: StaticString, _ reason: String) {
    if error == nil { error = EventDecodingError(field: "\(name)", reason: reason) }
  }

  /// The one number of a nested object, where it is a whole one.
  func count(in name: StaticString) -> Int? {
    guard let values = (present(name) as? [String: Any])?.values, values.count == 1 else {
      return nil
    }
    return values.first as? Int
  }

  /// Foundation on Linux drops a raw U+FEFF at the start of a string; its escape it keeps.
  private static func escapingByteOrderMarks(_ value: [UInt8]) -> [UInt8] {
    guard value.contains(0xEF) else { return value }
    var text: [UInt8] = []
    var index = 0
    while index < value.count {
      if value[index...].starts(with: [0xEF, 0xBB, 0xBF]) {
        text.append(contentsOf: "\\ufeff".utf8)
        index += 3
      } else {
        text.append(value[index])
        index += 1
      }
    }
    return text
  }

  private func present(_ name: StaticString) -> Any? {
    guard let value = object["\(name)"], !(value is NSNull) else { return nil }
    return value
  }

  private mutating func missing<Value>(_ name: StaticString) -> Value? {
    reject(name, "is missing")
    return nil
  }

  private mutating func wrong<Value>(
    _ name: StaticString, _ wanted: String, _ seen: Any
  ) -> Value? {
    let text = String(describing: seen)
    let shown = text.count > 60 ? String(text.prefix(60)) + "…" : text
    reject(name, "should be \(wanted), not '\(shown)'")
    return nil
  }
}
