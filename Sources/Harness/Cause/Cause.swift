import Moderation
import Ports
import Simulation

/// Why a value is what it is: a tree from the value down to records, requests and faults.
///
/// Each node says one thing twice: as a line for a person and as fields for a program.
public struct Cause: Sendable {
  /// What a node is about.
  public enum Kind: String, Sendable {
    /// A score, a training row or a window: the root.
    case score, row, window
    /// A rule of the heuristic, a trigger, a request, a label.
    case rule, trigger, request, label
    /// What a feature adds to a model's logit.
    case weight
    /// A value of the vector, or several that have one source.
    case feature, facts
    /// A record that a value counts, and one that it doesn't.
    case record
    case leftOut = "left-out"
    /// A row of a window table, under `offline: lab`.
    case aggregate
    /// How long a score waited, a step of that, and a fault in between.
    case waited, step, fault
    /// A snapshot of a lake table.
    case snapshot
    /// What the scorer saw where a training row was made.
    case online
    /// A place where the trace doesn't agree with the value.
    case contradiction
  }

  /// What the node is about.
  public var kind: Kind
  /// The feature or rule; nil where there is no such name.
  public var name: String?
  /// The line.
  public var text: String
  /// The line's values by name, for programs.
  public var fields: [TraceField]
  /// What led to it.
  public var causes: [Cause]

  init(
    _ kind: Kind, _ text: String, name: String? = nil, fields: [TraceField] = [],
    causes: [Cause] = []
  ) {
    self.kind = kind
    self.name = name
    self.text = text
    self.fields = fields
    self.causes = causes
  }

  /// The tree as lines, two spaces deeper per level.
  ///
  /// - Parameter showsAll: whether long lists of records are shown whole.
  public func lines(showsAll: Bool = false) -> [String] {
    [text] + Self.lines(of: causes, ends: showsAll ? nil : 2).map { "  \($0)" }
  }

  /// At most eight lines: what led to `column`, where the tree has a feature of that name, else the
  /// first of everything.
  public func shortLines(about column: String? = nil) -> [String] {
    let feature = column.flatMap { name in causes.compactMap { $0.named(name) }.first }
    return [text]
      + Self.lines(of: feature.map { [$0] } ?? causes, ends: 1).prefix(7).map { "  \($0)" }
  }

  /// The node or the first of its descendants of that name, from the top down.
  func named(_ name: String) -> Cause? {
    if self.name == name { return self }
    for cause in causes {
      if let found = cause.named(name) { return found }
    }
    return nil
  }

  /// All nodes of a kind, from the top down.
  public func all(_ kind: Kind) -> [Cause] {
    (self.kind == kind ? [self] : []) + causes.flatMap { $0.all(kind) }
  }

  /// The lines of siblings. Of more than twice `ends` records and one, the middle is a count; of
  /// two features with the same records, only the first has them. Without `ends` all is shown.
  private static func lines(of causes: [Cause], ends: Int?) -> [String] {
    var lines: [String] = []
    var rest = causes[...]
    var shown: [[String]: String] = [:]
    while let first = rest.first {
      let alike = rest.prefix { $0.kind == first.kind }
      rest = rest.dropFirst(alike.count)
      let shownEnds = first.isEvidence ? ends ?? .max : .max
      let isCut = alike.count / 2 > shownEnds
      for cause in isCut ? alike.prefix(shownEnds) : alike {
        let texts = cause.causes.map(\.text)
        if ends != nil, let name = cause.name, !texts.isEmpty {
          if let same = shown[texts] {
            lines.append(cause.text + ": the same as of \(same)")
            continue
          }
          shown[texts] = name
        }
        lines.append(cause.text)
        lines += Self.lines(of: cause.causes, ends: ends).map { "  \($0)" }
      }
      guard isCut else { continue }
      lines.append("… \(alike.count - 2 * shownEnds) more")
      lines += alike.suffix(shownEnds).map(\.text)
    }
    return lines
  }

  private var isEvidence: Bool {
    switch kind {
    case .record, .leftOut, .aggregate, .fault: true
    default: false
    }
  }

  /// `{"kind": …, "text": …, fields, "causes": […]}` on one line; nothing is cut.
  public var json: String { String(decoding: bytes, as: UTF8.self) }

  private var bytes: [UInt8] {
    var json = JSONWriter(capacity: 512)
    json.field("kind", kind.rawValue)
    if let name { json.field("name", name) }
    json.field("text", text)
    for field in fields { json.field(field) }
    let list = causes.map(\.bytes).joined(separator: [UInt8(ascii: ",")])
    json.field("causes", json: [UInt8(ascii: "[")] + list + [UInt8(ascii: "]")])
    return json.finish()
  }
}

/// Why there is nothing to explain: no such image, score, row or window; exit code 2.
public struct CauseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was asked for, what isn't there, and what is.
  public var description: String

  init(_ description: String) { self.description = description }
}

extension Double {
  /// Whole numbers without a point.
  var brief: String { Int64(exactly: self).map { "\($0)" } ?? "\(self)" }
}

extension Int64 {
  /// Microseconds as seconds with three decimals: `17.273 s`.
  var seconds: String {
    let thousandths = (Swift.abs(self) + 500) / 1000
    let rest = "\(thousandths % 1000)"
    let sign = self < 0 && thousandths > 0 ? "-" : ""
    return "\(sign)\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
      + " s"
  }
}
