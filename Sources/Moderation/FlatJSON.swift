/// A flat JSON object scanned in place: keys to scalar values, nothing copied until asked for.
///
/// It reads what producers of this platform normally write. Anything unusual (nesting, duplicate
/// keys, lone surrogates, control characters, invalid UTF-8, more than 16 keys) makes ``scan``
/// answer nil, and the caller takes the slow path through Foundation, which decides whether the
/// text is JSON at all.
struct FlatJSON {
  enum Kind: UInt8 { case string, escapedString, number, boolean, null }

  struct Field {
    var name: Range<Int>
    var value: Range<Int>
    var kind: Kind
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private var fields: [Field] = []
  private var index = 0

  private init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    fields.reserveCapacity(12)
  }

  /// The object's fields, or nil when the text needs the slow path.
  static func scan(_ bytes: UnsafeBufferPointer<UInt8>) -> FlatJSON? {
    var json = FlatJSON(bytes)
    return json.scanObject() && json.isSound ? json : nil
  }

  /// Whether the parts that nobody may ask for are JSON too: text, escapes, numbers of a size that
  /// every parser takes.
  private var isSound: Bool {
    guard isASCII || String(validating: bytes, as: UTF8.self) != nil else { return false }
    return fields.allSatisfy { field in
      switch field.kind {
      case .escapedString: unescape(field.value) != nil
      case .number: field.value.count < 18
      case .string, .boolean, .null: true
      }
    }
  }

  private var isASCII: Bool {
    var all: UInt8 = 0
    for byte in bytes { all |= byte }
    return all < 0x80
  }

  /// The field of this name, if present.
  func field(_ name: StaticString) -> Field? {
    let length = name.utf8CodeUnitCount
    for field in fields where field.name.count == length {
      if matches(field.name, name) { return field }
    }
    return nil
  }

  /// The bytes of an unescaped string value.
  func rawString(_ field: Field) -> UnsafeBufferPointer<UInt8>? {
    guard field.kind == .string else { return nil }
    return UnsafeBufferPointer(rebasing: bytes[field.value])
  }

  /// The raw text of a value.
  func rawText(_ field: Field) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: bytes[field.value])
  }

  /// A string value with its escapes undone; nil when it isn't a string or isn't valid.
  func string(_ field: Field) -> String? {
    switch field.kind {
    case .string:
      return String(validating: bytes[field.value], as: UTF8.self)
    case .escapedString:
      return unescape(field.value)
    default:
      return nil
    }
  }

  private func matches(_ range: Range<Int>, _ name: StaticString) -> Bool {
    let start = name.utf8Start
    for offset in 0..<range.count where bytes[range.lowerBound + offset] != start[offset] {
      return false
    }
    return true
  }

  private mutating func scanObject() -> Bool {
    skipSpace()
    guard take(UInt8(ascii: "{")) else { return false }
    skipSpace()
    if take(UInt8(ascii: "}")) { return atEnd() }
    while true {
      skipSpace()
      guard let (name, nameKind) = scanString(), nameKind == .string else { return false }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { return false }
      skipSpace()
      guard let field = scanValue(name), fields.count < 16, !isDuplicate(name) else {
        return false
      }
      fields.append(field)
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      return take(UInt8(ascii: "}")) && atEnd()
    }
  }

  private func isDuplicate(_ name: Range<Int>) -> Bool {
    fields.contains { $0.name.count == name.count && bytes[$0.name].elementsEqual(bytes[name]) }
  }

  private mutating func scanValue(_ name: Range<Int>) -> Field? {
    guard index < bytes.count else { return nil }
    switch bytes[index] {
    case UInt8(ascii: "\""):
      guard let (range, kind) = scanString() else { return nil }
      return Field(name: name, value: range, kind: kind)
    case UInt8(ascii: "t"): return scanWord("true", name, .boolean)
    case UInt8(ascii: "f"): return scanWord("false", name, .boolean)
    case UInt8(ascii: "n"): return scanWord("null", name, .null)
    default: return scanNumber(name)
    }
  }

  private mutating func scanWord(
    _ word: StaticString, _ name: Range<Int>, _ kind: Kind
  ) -> Field? {
    let range = index..<(index + word.utf8CodeUnitCount)
    guard range.upperBound <= bytes.count, matches(range, word) else { return nil }
    index = range.upperBound
    return Field(name: name, value: range, kind: kind)
  }

  /// Plain integers and decimals only; exponents are left to the slow path.
  private mutating func scanNumber(_ name: Range<Int>) -> Field? {
    let start = index
    if take(UInt8(ascii: "-")) {}
    let firstDigit = index
    while index < bytes.count, bytes[index] &- 48 < 10 { index += 1 }
    let isLeadingZero = index - firstDigit > 1 && bytes[firstDigit] == 48
    guard index > firstDigit, !isLeadingZero else { return nil }
    if take(UInt8(ascii: ".")) {
      let firstDecimal = index
      while index < bytes.count, bytes[index] &- 48 < 10 { index += 1 }
      guard index > firstDecimal else { return nil }
    }
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") { return nil }
    return Field(name: name, value: start..<index, kind: .number)
  }

  private mutating func scanString() -> (Range<Int>, Kind)? {
    guard take(UInt8(ascii: "\"")) else { return nil }
    let start = index
    var kind = Kind.string
    var at = start
    while at < bytes.count {
      let byte = bytes[at]
      if byte == UInt8(ascii: "\"") {
        index = at + 1
        return (start..<at, kind)
      }
      guard byte >= 0x20 else { return nil }
      if byte == UInt8(ascii: "\\") {
        kind = .escapedString
        at += 1
      }
      at += 1
    }
    return nil
  }

  private func unescape(_ range: Range<Int>) -> String? {
    var out: [UInt8] = []
    out.reserveCapacity(range.count)
    var at = range.lowerBound
    while at < range.upperBound {
      let byte = bytes[at]
      at += 1
      guard byte == UInt8(ascii: "\\") else {
        out.append(byte)
        continue
      }
      let escape = bytes[at]
      at += 1
      switch escape {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(escape)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "u"):
        guard let scalar = unicodeEscape(&at, limit: range.upperBound) else { return nil }
        out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      default: return nil
      }
    }
    return String(validating: out, as: UTF8.self)
  }

  /// The scalar of `\uXXXX` or of a surrogate pair; `at` stands behind the `u`.
  private func unicodeEscape(_ at: inout Int, limit: Int) -> Unicode.Scalar? {
    guard let unit = hex4(&at, limit: limit) else { return nil }
    guard (0xD800..<0xDC00).contains(unit) else { return Unicode.Scalar(unit) }
    guard at + 6 <= limit, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u")
    else { return nil }
    at += 2
    guard let low = hex4(&at, limit: limit), (0xDC00..<0xE000).contains(low) else { return nil }
    return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
  }

  private func hex4(_ at: inout Int, limit: Int) -> UInt32? {
    guard at + 4 <= limit else { return nil }
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(bytes[at])).hexDigitValue else { return nil }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() {
    while index < bytes.count {
      switch bytes[index] {
      case 0x20, 0x0A, 0x0D, 0x09: index += 1
      default: return
      }
    }
  }

  private mutating func atEnd() -> Bool {
    skipSpace()
    return index == bytes.count
  }
}
