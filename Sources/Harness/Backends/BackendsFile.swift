import Foundation
import Moderation
import Yams

/// Which adapter serves each port, and how the servers are reached: a YAML file for `--backends`.
public struct BackendsFile: Sendable {
  /// What a run needs an adapter for: the ports, and of the lake its pointers and its files.
  public enum Role: String, CaseIterable, Sendable {
    case store, checkpoints, log, features, objects, catalog, lake
  }

  /// What can serve a port.
  public enum Adapter: String, CaseIterable, Sendable {
    case inMemory = "in-memory"
    case sqlite, folder, postgres, kafka, redis, s3
  }

  /// The file's name without its ending, as summaries show it.
  public let name: String
  /// What all names of all runs begin with: lower-case letters, digits and `_`.
  public let prefix: String
  private let adapters: [Role: Adapter]
  private let sections: [Adapter: Section]

  /// The adapter of a port; in memory unless the file says otherwise.
  public func adapter(of role: Role) -> Adapter { adapters[role] ?? .inMemory }

  /// The adapters in use, beside the one in memory.
  public var used: [Adapter] {
    Adapter.allCases.filter { $0 != .inMemory && adapters.values.contains($0) }
  }

  /// What the file says about an adapter.
  public subscript(adapter: Adapter) -> Section { sections[adapter] ?? Section(values: [:]) }

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - text: the YAML; `${NAME}` in a value stands for a variable of the environment.
  ///   - file: the file's name, for errors.
  ///   - variable: gives a variable of the environment.
  public init(
    yaml text: String, file: String, variable: (String) -> String?
  ) throws(ScenarioError) {
    let reader = YAMLReader(file: file)
    let root = try YAMLObject(
      reader: reader, node: Self.expanded(reader.root(text), reader, variable),
      shape: BackendsFields.file)
    let base = file.split(separator: "/").last.map(String.init) ?? file
    name = base.split(separator: ".").first.map(String.init) ?? base
    prefix = try root.text("prefix") ?? "rehearsal"
    guard Self.isPrefix(prefix) else {
      throw root.error(
        "prefix", "'\(prefix)' is no prefix",
        "use a lower-case letter, then lower-case letters, digits and _, 24 at the most")
    }
    var sections: [Adapter: Section] = [:]
    for adapter in Adapter.allCases where BackendsFields.sections[adapter] != nil {
      guard let object = try root.object(adapter.rawValue) else { continue }
      sections[adapter] = try Section(object)
    }
    var adapters: [Role: Adapter] = [:]
    let ports = try root.object("ports")
    for role in Role.allCases {
      guard let name = try ports?.choice(role.rawValue), let adapter = Adapter(rawValue: name)
      else { continue }
      adapters[role] = adapter
      let needed = BackendsFields.sections[adapter]?.fields.filter(\.isRequired) ?? []
      if sections[adapter] == nil, let field = needed.first, let ports {
        throw ports.error(
          role.rawValue, "\(role.rawValue) is in \(name), but there is no section '\(name)'",
          "write \(name): { \(field.name): … } beside 'ports'")
      }
    }
    (self.adapters, self.sections) = (adapters, sections)
    let isReal = { (role: Role) in adapters[role].map { $0 != .inMemory } ?? false }
    if let ports, isReal(.catalog) != isReal(.lake) {
      throw ports.error(
        isReal(.lake) ? "lake" : "catalog", "the lake's files and its catalog belong together",
        "give both 'lake' (folder or s3) and 'catalog' (sqlite or postgres), or neither")
    }
  }

  /// Whether a text can begin the names of schemas, topics, keys and objects.
  public static func isPrefix(_ text: String) -> Bool {
    let isPlain = text.utf8.allSatisfy {
      ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: "_")
    }
    return isPlain && (1...24).contains(text.utf8.count)
      && text.utf8.first.map { $0 >= 97 } ?? false
  }

  /// A document with the environment's variables in place of `${NAME}`.
  private static func expanded(
    _ node: Node, _ reader: YAMLReader, _ variable: (String) -> String?
  ) throws(ScenarioError) -> Node {
    switch node {
    case .scalar(var scalar):
      var parts = scalar.string.components(separatedBy: "${")
      guard parts.count > 1 else { return node }
      for index in parts.indices.dropFirst() {
        guard let end = parts[index].firstIndex(of: "}") else {
          throw reader.error(node, "'${' has no '}' after it", "write ${NAME}")
        }
        let name = String(parts[index][..<end])
        guard let value = variable(name) else {
          throw reader.error(
            node, "the environment has no variable '\(name)'", "set it: export \(name)=…")
        }
        parts[index].replaceSubrange(...end, with: value)
      }
      scalar.string = parts.joined()
      return .scalar(scalar)
    case .mapping(var mapping):
      for (key, value) in mapping { mapping[key] = try expanded(value, reader, variable) }
      return .mapping(mapping)
    case .sequence(var sequence):
      for index in sequence.indices {
        sequence[index] = try expanded(sequence[index], reader, variable)
      }
      return .sequence(sequence)
    case .alias: return node
    }
  }
}

extension BackendsFile {
  /// The settings of one adapter; what isn't written isn't there, and the adapter's default holds.
  public struct Section: Sendable {
    fileprivate enum Value: Sendable {
      case text(String)
      case integer(Int)
      case boolean(Bool)
      case duration(Duration)
      case texts([String: String])
    }

    fileprivate let values: [String: Value]

    /// A text.
    public func text(_ name: String) -> String? {
      if case .text(let value)? = values[name] { value } else { nil }
    }

    /// A whole number.
    public func integer(_ name: String) -> Int? {
      if case .integer(let value)? = values[name] { value } else { nil }
    }

    /// True or false.
    public func boolean(_ name: String) -> Bool? {
      if case .boolean(let value)? = values[name] { value } else { nil }
    }

    /// A duration.
    public func duration(_ name: String) -> Duration? {
      if case .duration(let value)? = values[name] { value } else { nil }
    }

    /// Texts by free keys.
    public func texts(_ name: String) -> [String: String] {
      if case .texts(let value)? = values[name] { value } else { [:] }
    }
  }
}

extension BackendsFile.Section {
  /// Reads a section by its shape.
  fileprivate init(_ object: YAMLObject) throws(ScenarioError) {
    var values: [String: Value] = [:]
    for field in object.shape.fields where object.has(field.name) {
      switch field.shape {
      case .integer: values[field.name] = try object.integer(field.name).map { .integer($0) }
      case .boolean: values[field.name] = try object.boolean(field.name).map { .boolean($0) }
      case .duration: values[field.name] = try object.duration(field.name).map { .duration($0) }
      case .choice: values[field.name] = try object.choice(field.name).map { .text($0) }
      case .map:
        var texts: [String: String] = [:]
        for (key, value) in try object.map(field.name) {
          texts[try object.reader.scalar(key, "a name").string] =
            try object.reader.scalar(value, "text").string
        }
        values[field.name] = .texts(texts)
      default: values[field.name] = try object.text(field.name).map { .text($0) }
      }
    }
    self.values = values
  }
}
