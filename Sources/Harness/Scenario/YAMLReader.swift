import Moderation
import Yams

/// A mapping of a YAML file, with its keys checked against what is allowed there.
struct YAMLObject {
  let reader: YAMLReader
  let node: Node
  let shape: ScenarioObject
  private let values: [String: Node]

  init(reader: YAMLReader, node: Node, shape: ScenarioObject) throws(ScenarioError) {
    self.reader = reader
    self.node = node
    self.shape = shape
    guard case .mapping(let mapping) = node else {
      throw reader.error(node, "expected keys and values here, found \(reader.kind(node))")
    }
    var values: [String: Node] = [:]
    for (keyNode, value) in mapping {
      let key = keyNode.scalar?.string ?? ""
      guard shape.field(key) != nil else {
        throw reader.error(
          keyNode, "unknown key '\(key)'", reader.suggestion(key, shape.fields.map(\.name)))
      }
      guard values.updateValue(value, forKey: key) == nil else {
        throw reader.error(keyNode, "the key '\(key)' stands here twice", "remove one of them")
      }
    }
    for field in shape.fields where field.isRequired && values[field.name] == nil {
      throw reader.error(node, "the key '\(field.name)' is missing", field.about)
    }
    self.values = values
  }

  func has(_ name: String) -> Bool { values[name] != nil }

  func node(_ name: String) -> Node? { values[name] }

  /// The place of a key's value, for errors that concern its meaning.
  func error(_ name: String, _ message: String, _ hint: String? = nil) -> ScenarioError {
    reader.error(values[name] ?? node, message, hint)
  }

  func text(_ name: String) throws(ScenarioError) -> String? {
    guard let node = values[name] else { return nil }
    return try reader.scalar(node, "text").string
  }

  func integer(_ name: String) throws(ScenarioError) -> Int? {
    guard let node = values[name] else { return nil }
    let text = try reader.scalar(node, "a whole number").string
    guard let value = Int(text.filter { $0 != "_" }) else {
      throw reader.error(node, "expected a whole number, found '\(text)'")
    }
    if case .integer(let range)? = shape.field(name)?.shape, !range.contains(value) {
      let upper = range.upperBound == .max ? "" : " to \(range.upperBound)"
      let limit = "\(range.lowerBound)\(upper.isEmpty ? " or more" : upper)"
      throw reader.error(node, "\(name) must be \(limit), not \(value)")
    }
    return value
  }

  func number(_ name: String) throws(ScenarioError) -> Double? {
    guard let node = values[name] else { return nil }
    return try reader.number(node)
  }

  func boolean(_ name: String) throws(ScenarioError) -> Bool? {
    guard let node = values[name] else { return nil }
    let text = try reader.scalar(node, "true or false").string
    guard text == "true" || text == "false" else {
      throw reader.error(node, "expected true or false, found '\(text)'")
    }
    return text == "true"
  }

  func choice(_ name: String) throws(ScenarioError) -> String? {
    guard let node = values[name], let text = try text(name) else { return nil }
    if case .choice(let choices)? = shape.field(name)?.shape, !choices.contains(text) {
      throw reader.error(
        node, "'\(text)' is none of \(choices.joined(separator: ", "))",
        reader.suggestion(text, choices))
    }
    return text
  }

  func ratio(_ name: String) throws(ScenarioError) -> Double? {
    guard let node = values[name] else { return nil }
    let text = try reader.scalar(node, "a ratio").string
    guard let value = Quantity.ratio(text), (0...1).contains(value) else {
      throw reader.error(
        node, "expected a share between 0 and 1, found '\(text)'", "write it as 1/50, 0.02 or 2%")
    }
    return value
  }

  func duration(_ name: String) throws(ScenarioError) -> Duration? {
    guard let node = values[name] else { return nil }
    return try reader.duration(node)
  }

  func date(_ name: String) throws(ScenarioError) -> CivilDate? {
    guard let node = values[name] else { return nil }
    let text = try reader.scalar(node, "a date").string
    guard text.count == 10, let midnight = ISO8601.parse(text + "T00:00:00Z") else {
      throw reader.error(node, "'\(text)' is no date", "write it as YYYY-MM-DD")
    }
    return midnight.date
  }

  func instant(_ name: String) throws(ScenarioError) -> EventTime? {
    guard let node = values[name] else { return nil }
    let text = try reader.scalar(node, "an instant").string
    guard let time = ISO8601.parse(text) else {
      throw reader.error(
        node, "'\(text)' is no instant", "write it as 2026-01-05T09:00:00Z")
    }
    return time
  }

  func object(_ name: String) throws(ScenarioError) -> YAMLObject? {
    guard let node = values[name], case .object(let shape)? = shape.field(name)?.shape else {
      return nil
    }
    return try YAMLObject(reader: reader, node: node, shape: shape)
  }

  func list(_ name: String) throws(ScenarioError) -> [Node] {
    guard let node = values[name] else { return [] }
    guard case .sequence(let sequence) = node else {
      throw reader.error(node, "expected a list here, found \(reader.kind(node))")
    }
    return Array(sequence)
  }

  /// The entries of a list of variants, each with the key that tells which one it is.
  func variants(_ name: String) throws(ScenarioError) -> [(key: String, object: YAMLObject)] {
    guard case .list(.variants(let shapes))? = shape.field(name)?.shape else { return [] }
    var entries: [(key: String, object: YAMLObject)] = []
    for node in try list(name) {
      let keys = node.mapping?.keys.compactMap { $0.scalar?.string } ?? []
      let known = shapes.compactMap(\.discriminator)
      guard let shape = shapes.first(where: { keys.contains($0.discriminator ?? "") }) else {
        throw reader.error(
          node, "this entry of \(name) has none of the keys \(known.joined(separator: ", "))",
          keys.first.flatMap { reader.suggestion($0, known) })
      }
      let object = try YAMLObject(reader: reader, node: node, shape: shape)
      entries.append((shape.discriminator ?? "", object))
    }
    return entries
  }

  /// The free keys of a map, in file order.
  func map(_ name: String) throws(ScenarioError) -> [(key: Node, value: Node)] {
    guard let node = values[name] else { return [] }
    guard case .mapping(let mapping) = node else {
      throw reader.error(node, "expected keys and values here, found \(reader.kind(node))")
    }
    return mapping.map { ($0.key, $0.value) }
  }
}

/// Reads YAML and says where something is wrong.
struct YAMLReader {
  let file: String

  /// The document's root; a syntax error has its place.
  func root(_ text: String) throws(ScenarioError) -> Node {
    do {
      guard let node = try Yams.compose(yaml: text) else {
        throw ScenarioError(file: file, message: "the file is empty")
      }
      return node
    } catch let error as ScenarioError {
      throw error
    } catch let error as YamlError {
      throw syntaxError(error)
    } catch {
      throw ScenarioError(file: file, message: "\(error)")
    }
  }

  func error(_ node: Node, _ message: String, _ hint: String? = nil) -> ScenarioError {
    ScenarioError(
      file: file, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0, message: message,
      hint: hint)
  }

  func scalar(_ node: Node, _ wanted: String) throws(ScenarioError) -> Node.Scalar {
    guard case .scalar(let scalar) = node else {
      throw error(node, "expected \(wanted) here, found \(kind(node))")
    }
    return scalar
  }

  func number(_ node: Node) throws(ScenarioError) -> Double {
    let text = try scalar(node, "a number").string
    guard let value = Double(text), value.isFinite else {
      throw error(node, "expected a number, found '\(text)'")
    }
    return value
  }

  func duration(_ node: Node) throws(ScenarioError) -> Duration {
    let text = try scalar(node, "a duration").string
    guard let value = Quantity.duration(text) else {
      throw error(node, "'\(text)' is no duration", "write it as 90s, 30m, 1h5m or 250ms")
    }
    return value
  }

  func kind(_ node: Node) -> String {
    switch node {
    case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "'\(scalar.string)'"
    case .mapping: "keys and values"
    case .sequence: "a list"
    case .alias: "a YAML alias"
    }
  }

  /// `did you mean 'x'?`, or the list of what is possible.
  func suggestion(_ word: String, _ known: [String]) -> String {
    if let nearest = Quantity.nearest(to: word, among: known) {
      return "did you mean '\(nearest)'?"
    }
    return "possible here: \(known.joined(separator: ", "))"
  }

  private func syntaxError(_ error: YamlError) -> ScenarioError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return ScenarioError(
        file: file, line: mark.line, column: mark.column, message: "not YAML: \(problem)",
        hint: "check quotes, brackets and indentation around this line")
    case .duplicatedKeysInMapping(let duplicates, let context):
      // The context's text is the whole file.
      return ScenarioError(
        file: file, line: context.mark.line, column: context.mark.column,
        message: "the key '\(duplicates.sorted().first ?? "")' stands here twice",
        hint: "remove one of them")
    case .reader(let problem, let offset, _, let yaml):
      let before = yaml.prefix(offset ?? 0).split(separator: "\n", omittingEmptySubsequences: false)
      return ScenarioError(
        file: file, line: before.count, column: (before.last?.count ?? 0) + 1,
        message: "not YAML: \(problem)")
    default:
      return ScenarioError(file: file, message: "not YAML: \(error)")
    }
  }
}

/// Quantities as scenario files write them.
enum Quantity {
  /// `1h5m`, `90s`, `250ms`, `3us`, `2d`; nil when it is none.
  static func duration(_ text: String) -> Duration? {
    let units: [(String, Int64)] = [
      ("ms", 1000), ("us", 1), ("µs", 1), ("d", 86_400_000_000), ("h", 3_600_000_000),
      ("m", 60_000_000), ("s", 1_000_000),
    ]
    var rest = text[...]
    var total: Int64 = 0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let value = Int64(digits) else { return nil }
      rest = rest.dropFirst(digits.count)
      guard let unit = units.first(where: { rest.hasPrefix($0.0) }) else { return nil }
      rest = rest.dropFirst(unit.0.count)
      let (product, overflow) = value.multipliedReportingOverflow(by: unit.1)
      let (sum, sumOverflow) = total.addingReportingOverflow(product)
      guard !overflow, !sumOverflow, sum <= 366 * 86_400_000_000 * 10 else { return nil }
      total = sum
    }
    return .microseconds(total)
  }

  /// `1/50`, `0.02` or `2%`.
  static func ratio(_ text: String) -> Double? {
    if text.hasSuffix("%") { return Double(text.dropLast()).map { $0 / 100 } }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2 {
      guard let a = Double(parts[0]), let b = Double(parts[1]), b != 0 else { return nil }
      return a / b
    }
    return Double(text)
  }

  /// `3000/h`, `50/min` or `2/s`, as events per second.
  static func rate(_ text: String) -> Double? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let count = Double(parts[0]), count > 0, count.isFinite else {
      return nil
    }
    let unit: Double
    switch parts[1] {
    case "s": unit = 1
    case "m", "min": unit = 60
    case "h": unit = 3600
    case "d": unit = 86_400
    default: return nil
    }
    return count / unit > 0 ? count / unit : nil
  }

  /// What was probably meant: the nearest of the known words, unless all are far.
  static func nearest(to word: String, among known: [String]) -> String? {
    let ranked = known.map { ($0, editDistance(word, $0)) }.sorted { $0.1 < $1.1 }
    guard let best = ranked.first, best.1 <= max(2, word.count / 3) else { return nil }
    return best.0
  }

  /// Levenshtein's distance.
  static func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for i in 0..<a.count {
      var diagonal = row[0]
      row[0] = i + 1
      for j in 0..<b.count {
        let cost = a[i] == b[j] ? diagonal : min(diagonal, row[j], row[j + 1]) + 1
        diagonal = row[j + 1]
        row[j + 1] = cost
      }
    }
    return row[b.count]
  }
}
