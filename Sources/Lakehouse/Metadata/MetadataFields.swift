/// Reads the fields of one JSON object; a missing or wrong one is an error that names its path.
struct MetadataFields {
  /// The metadata's format version: what 2 demands, 1 may leave out.
  let version: Int64
  let path: String
  private(set) var rest: [String: JSONTree]

  init(_ tree: JSONTree, version: Int64, at path: String) throws(LakehouseError) {
    guard let object = tree.object else {
      throw LakehouseError(field: path, reason: "must be an object")
    }
    self.version = version
    self.path = path
    rest = object
  }

  /// Takes a field out; nil when it is missing or null.
  mutating func take(_ name: String) -> JSONTree? {
    let value = rest.removeValue(forKey: name)
    return value == .null ? nil : value
  }

  /// An integer that must be there.
  mutating func integer(_ name: String) throws(LakehouseError) -> Int64 {
    guard let value = try optionalInteger(name) else { throw missing(name) }
    return value
  }

  /// An integer that version 2 demands; in version 1 it has a default.
  mutating func integer(
    _ name: String, versionOne value: @autoclosure () -> Int64
  ) throws(LakehouseError) -> Int64 {
    guard let found = try optionalInteger(name) else {
      if version == 1 { return value() } else { throw missing(name) }
    }
    return found
  }

  /// An integer that may be missing.
  mutating func optionalInteger(_ name: String) throws(LakehouseError) -> Int64? {
    guard let value = take(name) else { return nil }
    guard let integer = value.integer else { throw wrong(name, "an integer") }
    return integer
  }

  /// Text that must be there.
  mutating func text(_ name: String) throws(LakehouseError) -> String {
    guard let value = try optionalText(name) else { throw missing(name) }
    return value
  }

  /// Text that may be missing.
  mutating func optionalText(_ name: String) throws(LakehouseError) -> String? {
    guard let value = take(name) else { return nil }
    guard let text = value.text else { throw wrong(name, "text") }
    return text
  }

  /// A flag that must be there.
  mutating func boolean(_ name: String) throws(LakehouseError) -> Bool {
    guard let value = take(name) else { throw missing(name) }
    guard case .boolean(let flag) = value else { throw wrong(name, "true or false") }
    return flag
  }

  /// A list that must be there.
  mutating func list(_ name: String) throws(LakehouseError) -> [JSONTree] {
    guard let list = try optionalList(name) else { throw missing(name) }
    return list
  }

  /// A list that may be missing.
  mutating func optionalList(_ name: String) throws(LakehouseError) -> [JSONTree]? {
    guard let value = take(name) else { return nil }
    guard let list = value.list else { throw wrong(name, "a list") }
    return list
  }

  /// An object; without fields when missing.
  mutating func object(_ name: String) throws(LakehouseError) -> [String: JSONTree] {
    guard let value = take(name) else { return [:] }
    guard let object = value.object else { throw wrong(name, "an object") }
    return object
  }

  /// Texts by name; none when missing.
  mutating func texts(_ name: String) throws(LakehouseError) -> [String: String] {
    var texts: [String: String] = [:]
    for (key, value) in try object(name).sorted(by: { $0.key < $1.key }) {
      guard let text = value.text else { throw wrong("\(name).\(key)", "text") }
      texts[key] = text
    }
    return texts
  }

  /// Refuses an object without a field that version 2 demands.
  func demand(_ name: String) throws(LakehouseError) {
    if version > 1, rest[name] ?? .null == .null { throw missing(name) }
  }

  /// The path of a field.
  func path(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private func missing(_ name: String) -> LakehouseError {
    LakehouseError(field: path(name), reason: "is missing")
  }

  private func wrong(_ name: String, _ kind: String) -> LakehouseError {
    LakehouseError(field: path(name), reason: "must be \(kind)")
  }
}
