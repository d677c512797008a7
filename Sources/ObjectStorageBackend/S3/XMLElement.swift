/// An element of what an S3 server answers: a name, text, elements within. Attributes and prefixes
/// of names mean nothing in these answers, and are dropped.
struct XMLElement: Equatable {
  /// Its name, without a prefix.
  var name: String
  /// The text directly within it, decoded.
  var text = ""
  /// The elements directly within it.
  var children: [XMLElement] = []

  /// The first element of a name within it.
  subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

  /// The elements of a name within it.
  func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  /// Text with the five characters escaped that mean something in XML.
  static func escape(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { escaped, scalar in
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      // A bare one would be read as a line feed.
      case "\r": escaped += "&#13;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
  }
}

/// Why a text isn't XML that this program reads.
struct XMLFlaw: Error, Equatable {
  /// In words.
  var reason: String
  /// The byte at which it shows.
  var offset: Int
}

/// Reads a document: one element, with what may come before and after. Strict about structure;
/// document type declarations, which S3 never sends, are refused.
struct XMLReader {
  /// Elements deeper than this are refused: no answer of S3 has more than a few levels.
  private static let deepest = 32

  private let bytes: [UInt8]
  private var position = 0

  /// The root element of a document.
  static func read(_ document: [UInt8]) throws(XMLFlaw) -> XMLElement {
    var reader = XMLReader(bytes: document)
    try reader.skipMiscellany()
    let root = try reader.element(depth: 0)
    try reader.skipMiscellany()
    guard reader.position == document.count else { throw reader.flaw("text after the end") }
    return root
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func flaw(_ reason: String) -> XMLFlaw { XMLFlaw(reason: reason, offset: position) }

  private func starts(with text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes[position...].starts(with: $0) }
  }

  private mutating func take(_ text: StaticString) -> Bool {
    guard starts(with: text) else { return false }
    position += text.utf8CodeUnitCount
    return true
  }

  /// Goes behind the next occurrence of an end, and gives what was before it.
  private mutating func take(until end: StaticString) throws(XMLFlaw) -> ArraySlice<UInt8> {
    let start = position
    while position < bytes.count {
      let here = position
      if take(end) { return bytes[start..<here] }
      position += 1
    }
    position = start
    throw flaw("no '\(end)' follows")
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) {
      position += 1
    }
  }

  /// Space, comments, and instructions such as `<?xml …?>`.
  private mutating func skipMiscellany() throws(XMLFlaw) {
    // A byte order mark.
    if position == 0 { _ = take("\u{FEFF}") }
    while true {
      skipSpace()
      if take("<?") {
        _ = try take(until: "?>")
      } else if take("<!--") {
        _ = try take(until: "-->")
      } else {
        return
      }
    }
  }
}

extension XMLReader {
  private mutating func element(depth: Int) throws(XMLFlaw) -> XMLElement {
    guard depth < Self.deepest else { throw flaw("more than \(Self.deepest) levels") }
    guard take("<") else { throw flaw("no element") }
    let fullName = try name()
    try skipAttributes()
    var element = XMLElement(name: Self.local(fullName))
    if take("/>") { return element }
    guard take(">") else { throw flaw("'<\(fullName)' isn't closed") }
    try readContent(of: &element, depth: depth)
    guard try name() == fullName else { throw flaw("not the end of '\(fullName)'") }
    skipSpace()
    guard take(">") else { throw flaw("'</\(fullName)' isn't closed") }
    return element
  }

  /// Text and elements, and the start of the end: `</`.
  private mutating func readContent(of element: inout XMLElement, depth: Int) throws(XMLFlaw) {
    var text: [UInt8] = []
    while !take("</") {
      guard position < bytes.count else { throw flaw("'\(element.name)' has no end") }
      if take("<!--") {
        _ = try take(until: "-->")
      } else if take("<![CDATA[") {
        text += try take(until: "]]>")
      } else if take("<?") {
        _ = try take(until: "?>")
      } else if bytes[position] == UInt8(ascii: "<") {
        element.children.append(try self.element(depth: depth + 1))
      } else if take("&") {
        text += try entity()
      } else {
        text.append(bytes[position])
        position += 1
      }
    }
    guard let decoded = String(validating: text, as: UTF8.self) else {
      throw flaw("'\(element.name)' isn't UTF-8")
    }
    element.text = decoded
  }

  private mutating func name() throws(XMLFlaw) -> String {
    let start = position
    while position < bytes.count, Self.isName(bytes[position]) { position += 1 }
    guard position > start, let name = String(validating: bytes[start..<position], as: UTF8.self)
    else { throw flaw("no name") }
    return name
  }

  private mutating func skipAttributes() throws(XMLFlaw) {
    while true {
      skipSpace()
      guard position < bytes.count, Self.isName(bytes[position]) else { return }
      _ = try name()
      skipSpace()
      guard take("=") else { throw flaw("an attribute has no value") }
      skipSpace()
      if take("\"") {
        _ = try take(until: "\"")
      } else if take("'") {
        _ = try take(until: "'")
      } else {
        throw flaw("an attribute's value has no quotes")
      }
    }
  }

  /// What an entity stands for, its `&` taken.
  private mutating func entity() throws(XMLFlaw) -> [UInt8] {
    let name = String(decoding: try take(until: ";"), as: UTF8.self)
    switch name {
    case "amp": return [UInt8(ascii: "&")]
    case "lt": return [UInt8(ascii: "<")]
    case "gt": return [UInt8(ascii: ">")]
    case "quot": return [UInt8(ascii: "\"")]
    case "apos": return [UInt8(ascii: "'")]
    default:
      let number =
        name.hasPrefix("#x")
        ? UInt32(name.dropFirst(2), radix: 16)
        : name.hasPrefix("#") ? UInt32(name.dropFirst(), radix: 10) : nil
      guard let number, number > 0, let scalar = Unicode.Scalar(number) else {
        throw flaw("'&\(name.prefix(20));' isn't an entity")
      }
      return Array(String(scalar).utf8)
    }
  }

  private static func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
      UInt8(ascii: "."), UInt8(ascii: ":"), 0x80...0xff:
      true
    default: false
    }
  }

  private static func local(_ name: String) -> String {
    name.lastIndex(of: ":").map { String(name[name.index(after: $0)...]) } ?? name
  }
}
