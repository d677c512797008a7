import Foundation

/// The working tree that the rules are enforced on.
struct Repository: Sendable {
  /// The folder that holds `Package.swift`.
  let root: URL
  /// All files that a commit could hold, as sorted paths from the root, with sizes in bytes.
  let sizes: [String: Int]
  /// The Swift files of `Sources` and `Tests`, and the manifest, sorted by path.
  let swiftFiles: [SourceFile]

  /// This checkout, read once for all tests; nil when its root can't be found.
  static let checkout = root(above: #filePath).map(Repository.init(root:))

  /// Reads the tree under a root.
  init(root: URL) {
    self.root = root
    let sizes = Self.fileSizes(in: root)
    self.sizes = sizes
    swiftFiles = sizes.keys.sorted()
      .filter { path in
        path == "Package.swift" || path.hasPrefix("Sources/") || path.hasPrefix("Tests/")
      }
      .filter { $0.hasSuffix(".swift") && !$0.contains("/Generated/") }
      .compactMap { path in Self.text(at: path, in: root).map { SourceFile(path: path, text: $0) } }
  }

  /// The manifest.
  var manifest: SourceFile? { swiftFiles.first { $0.path == "Package.swift" } }

  /// The names of the folders under `Sources`.
  var targets: Set<String> {
    Set(swiftFiles.filter { $0.tree == "Sources" }.compactMap(\.target))
  }

  /// The sorted paths of the files under a folder; nil when there is no such folder.
  func paths(under folder: String) -> [String]? {
    guard exists(folder) else { return nil }
    return sizes.keys.filter { $0.hasPrefix(folder + "/") }.sorted()
  }

  /// A Markdown page; nil when there is none.
  func document(_ path: String) -> Document? {
    Self.text(at: path, in: root).map { Document(path: path, text: $0) }
  }

  /// Whether a file or folder is at a path from the root.
  func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
  }

  /// Files too large to belong into a repository.
  static func largeFiles(_ sizes: [String: Int]) -> [Violation] {
    let maximum = 1_000_000
    return sizes.filter { $0.value > maximum }.sorted { $0.key < $1.key }.map { path, size in
      Violation(
        path: path, line: 1, problem: "the file has \(size) bytes, more than \(maximum)",
        fix: "generate it, make it smaller, or write it to out/, which git ignores")
    }
  }

  /// The nearest folder above a file that looks like the repository; `REHEARSAL_ROOT` overrides it.
  private static func root(above file: String) -> URL? {
    if let path = ProcessInfo.processInfo.environment["REHEARSAL_ROOT"] {
      return URL(fileURLWithPath: path, isDirectory: true)
    }
    var folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    while folder.path != "/" {
      let marks = ["Package.swift", "Sources/Moderation"].map(folder.appendingPathComponent(_:))
      if marks.allSatisfy({ FileManager.default.fileExists(atPath: $0.path) }) { return folder }
      folder.deleteLastPathComponent()
    }
    return nil
  }

  private static func text(at path: String, in root: URL) -> String? {
    let data = FileManager.default.contents(atPath: root.appendingPathComponent(path).path)
    return data.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func fileSizes(in root: URL) -> [String: Int] {
    let keys: [URLResourceKey] = [.isDirectoryKey, .fileSizeKey]
    guard let walk = FileManager.default.enumerator(at: root, includingPropertiesForKeys: keys)
    else { return [:] }
    let prefix = root.path.hasSuffix("/") ? root.path : root.path + "/"
    var sizes: [String: Int] = [:]
    for case let file as URL in walk {
      let path = String(file.path.dropFirst(prefix.count))
      // A file may vanish while the walk is under way; then it has no size and no rules.
      guard let values = try? file.resourceValues(forKeys: Set(keys)) else { continue }
      if values.isDirectory == true {
        if isIgnored(path) { walk.skipDescendants() }
      } else if let size = values.fileSize, !isIgnored(path) {
        sizes[path] = size
      }
    }
    return sizes
  }

  /// Whether git ignores the path, as `.gitignore` says, or it is git's own.
  private static func isIgnored(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    return path == "out" || name == ".git" || name.hasPrefix(".build") || name == ".swiftpm"
      || name.hasSuffix(".o")
  }
}
