/// Why a key or prefix can't be used: not everything that S3 allows is the same on every server.
///
/// Servers over file systems take a key for a path: a key that ends in `/` is a folder to them,
/// and may be answered, deleted or emptied as one; a backslash becomes a slash. So such keys are
/// nobody's: they aren't put, found, listed or deleted.
enum S3Key {
  /// The longest key, in bytes.
  private static let longest = 1024

  /// What is wrong with a key; nil when nothing is.
  ///
  /// - Parameter prefix: what comes before it in the bucket.
  static func problem(_ key: String, prefix: String) -> String? {
    if prefix.utf8.count + key.utf8.count > longest { return "it has over \(longest) bytes" }
    return problem(parts: parts(key)) ?? problem(key.utf8)
  }

  /// Whether no key that could be stored has the prefix.
  static func isNobodys(prefix: String) -> Bool {
    problem(parts: parts(prefix).dropLast()) ?? problem(prefix.utf8) != nil
  }

  private static func parts(_ key: String) -> [Substring] {
    // Characters would join a slash and a combining accent after it.
    key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { Substring($0) }
  }

  private static func problem(parts: some Sequence<Substring>) -> String? {
    for part in parts {
      if part.isEmpty { return "a part between slashes is empty" }
      if part == "." || part == ".." { return "'\(part)' stands for a folder" }
    }
    return nil
  }

  private static func problem(_ bytes: String.UTF8View) -> String? {
    if bytes.contains(UInt8(ascii: "\\")) {
      return "a backslash stands for a slash on some servers"
    }
    return bytes.contains { $0 < 0x20 || $0 == 0x7f } ? "it has control characters" : nil
  }
}
