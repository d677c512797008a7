import Foundation

/// The first place in which two runs that should agree don't, with both sides.
public struct Divergence: Hashable, Sendable {
  /// One field that differs; nil on a side that doesn't have it.
  public struct Field: Hashable, Sendable {
    /// The field, in nested JSON as `value.user_id`.
    public var name: String
    /// The first side's value.
    public var first: String?
    /// The second side's value.
    public var second: String?
  }

  /// Where: a file's line, a table's row, the n-th record.
  public var place: String
  /// What both have right before, in its order.
  public var common: [String]
  /// The first side; nil when it has ended.
  public var first: String?
  /// The second side; nil when it has ended.
  public var second: String?
  /// What differs in it, when both sides have fields.
  public var fields: [Field]

  /// How many lines of what both have are kept.
  static let commonLines = 3

  /// The divergence of two JSON lines; `common` may be longer than what is kept.
  init(
    place: String, common: [String], first: String?, second: String?, fields: [Field]? = nil
  ) {
    self.place = place
    self.common = common.suffix(Self.commonLines)
    self.first = first
    self.second = second
    self.fields = fields ?? Self.fields(first, second)
  }

  /// A block for a person: the place, what both have, both sides, the fields.
  public var lines: [String] {
    var lines = [place]
    lines += common.map { "    both    \($0)" }
    lines.append("    first   \(first ?? "(has ended)")")
    lines.append("    second  \(second ?? "(has ended)")")
    for field in fields {
      let (first, second) = (field.first ?? "(none)", field.second ?? "(none)")
      lines.append("    \(field.name): \(first) | \(second)")
    }
    return lines
  }

  /// The first index at which two sequences differ; nil when they are the same.
  static func index(
    _ first: Int, _ second: Int, isSame: (Int) -> Bool
  ) -> Int? {
    let shorter = min(first, second)
    return (0..<shorter).first { !isSame($0) } ?? (first == second ? nil : shorter)
  }

  // MARK: Fields

  private static func fields(_ first: String?, _ second: String?) -> [Field] {
    guard let first, let second, let a = object(first), let b = object(second) else { return [] }
    return differences(a, b, prefix: "")
  }

  private static func object(_ text: String) -> [String: Any]? {
    guard text.hasPrefix("{") else { return nil }
    // Text that is no JSON has no fields.
    return (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]
  }

  /// The fields that differ, sorted; a record's value is JSON within JSON.
  private static func differences(
    _ first: [String: Any], _ second: [String: Any], prefix: String
  ) -> [Field] {
    Set(first.keys).union(second.keys).sorted().flatMap { key -> [Field] in
      let (a, b) = (first[key].map(text), second[key].map(text))
      guard a != b else { return [] }
      if let a, let b, let inner = object(a), let other = object(b) {
        return differences(inner, other, prefix: "\(prefix)\(key).")
      }
      return [Field(name: prefix + key, first: a, second: b)]
    }
  }

  private static func text(_ value: Any) -> String {
    if let text = value as? String { return text }
    if value is NSNull { return "null" }
    guard JSONSerialization.isValidJSONObject(value) else { return "\(value)" }
    // What was read as JSON can be written as JSON.
    let data = try? JSONSerialization.data(withJSONObject: value, options: .sortedKeys)
    return data.map { String(decoding: $0, as: UTF8.self) } ?? "\(value)"
  }
}
