/// A JSON document of any shape: what Iceberg's metadata holds that this program doesn't interpret
/// must come out as it went in.
indirect enum JSONTree: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case list([JSONTree])
  case object([String: JSONTree])

  /// The document in `bytes`.
  init(parsing bytes: [UInt8]) throws(JSONError) { self.init(try JSONParser.parse(bytes)) }

  /// The same document without the order of its keys; the last where one repeats.
  private init(_ value: JSONValue) {
    switch value {
    case .null: self = .null
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .number(value)
    case .string(let value): self = .text(value)
    case .array(let values): self = .list(values.map(JSONTree.init(_:)))
    case .object(let members):
      var fields = [String: JSONTree](minimumCapacity: members.count)
      for member in members { fields[member.key] = JSONTree(member.value) }
      self = .object(fields)
    }
  }

  /// The value as an integer, if it is one.
  var integer: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  /// The value as text, if it is text.
  var text: String? {
    if case .text(let value) = self { value } else { nil }
  }

  /// The value as a list, if it is one.
  var list: [JSONTree]? {
    if case .list(let value) = self { value } else { nil }
  }

  /// The value as an object, if it is one.
  var object: [String: JSONTree]? {
    if case .object(let value) = self { value } else { nil }
  }

  /// Appends the document's text; objects by key.
  func append(to bytes: inout [UInt8]) { ordered.append(to: &bytes) }

  private var ordered: JSONValue {
    switch self {
    case .null: .null
    case .boolean(let value): .boolean(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .text(let value): .string(value)
    case .list(let values): .array(values.map(\.ordered))
    case .object(let fields):
      .object(
        fields.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, $0.value.ordered) })
    }
  }
}
