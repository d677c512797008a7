/// A key as a path within a folder, and why it may be none.
struct FolderKey {
  /// How the names of unfinished files begin; no part of a key may.
  static let temporaryPrefix = ".rehearsal-tmp-"
  /// The longest name of a file, in bytes, on Linux's file systems.
  private static let longestName = 255

  /// The parts before the last.
  let folders: [Substring]
  /// Why no file can have the key; nil when one can.
  let problem: String?
  /// Whether the path would lead out of the folder, or to another key's file.
  let isUnsafe: Bool

  /// Splits a key at its slashes.
  init(_ key: String) {
    // Characters would join a slash and a combining accent after it.
    let parts = key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { Substring($0) }
    folders = Array(parts.dropLast())
    let danger = Self.danger(key, parts)
    isUnsafe = danger != nil
    problem = danger ?? Self.flaw(parts)
  }

  private static func danger(_ key: String, _ parts: [Substring]) -> String? {
    if key.utf8.first == UInt8(ascii: "/") { return "it begins with '/'" }
    if key.utf8.contains(0) { return "it contains a NUL" }
    if parts.contains("..") { return "it leads out of the folder by '..'" }
    if parts.contains(".") { return "'.' stands for the folder itself" }
    return nil
  }

  private static func flaw(_ parts: [Substring]) -> String? {
    if parts.contains("") { return "a file's path has no empty part" }
    if let long = parts.first(where: { $0.utf8.count > longestName }) {
      return "'\(long.prefix(20))…' has \(long.utf8.count) bytes, over \(longestName)"
    }
    if parts.contains(where: { $0.utf8.starts(with: temporaryPrefix.utf8) }) {
      return "'\(temporaryPrefix)' begins the names of unfinished files"
    }
    return nil
  }
}
