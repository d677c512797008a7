import Foundation

/// A folder of scenario files, one `NAME.yaml` each; policy files that they name lie beside them.
public struct ScenarioFolder: Sendable {
  /// The folder, as given.
  public let path: String

  /// A folder, which needn't exist yet.
  public init(_ path: String) { self.path = path }

  /// The nearest `scenarios` in a folder or one above it.
  ///
  /// - Parameter folder: where the search begins; the current directory when nil.
  public static func nearest(to folder: String? = nil) throws(ScenarioError) -> ScenarioFolder {
    let start = folder ?? FileManager.default.currentDirectoryPath
    var url = URL(fileURLWithPath: start).standardizedFileURL
    while true {
      let candidate = url.appendingPathComponent("scenarios").path
      var isDirectory: ObjCBool = false
      if FileManager.default.fileExists(atPath: candidate, isDirectory: &isDirectory),
        isDirectory.boolValue
      {
        return ScenarioFolder(candidate)
      }
      guard url.path != "/" else { break }
      url.deleteLastPathComponent()
    }
    throw ScenarioError(
      file: start, message: "there is no folder 'scenarios' here or above",
      hint: "make one, or name the scenario's folder or file")
  }

  /// The scenario files, sorted by name, each with the folder before it.
  public func files() throws(ScenarioError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path)
        .filter { $0.hasSuffix(".yaml") }.sorted().map { "\(path)/\($0)" }
    } catch {
      throw ScenarioError(
        file: path, message: "there is no such folder, or it can't be read",
        hint: "name another folder (--scenarios DIR)")
    }
  }

  /// The file of a scenario by its name; for an unknown one the error says what is near.
  public func file(named name: String) throws(ScenarioError) -> String {
    let path = "\(self.path)/\(name).yaml"
    if FileManager.default.fileExists(atPath: path) { return path }
    let names = try files().map { Self.stem($0) }
    throw ScenarioError(
      file: self.path, message: "there is no scenario '\(name)' (\(path))",
      hint: names.isEmpty
        ? "the folder has no scenarios" : YAMLReader(file: path).suggestion(name, names))
  }

  /// Reads a scenario file; its name must be the file's.
  public static func load(_ path: String) throws(ScenarioError) -> Scenario {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let scenario = try Scenario(yaml: text(path), file: path) { (name) throws(ScenarioError) in
      let path = "\(folder)/\(name)"
      return FileManager.default.fileExists(atPath: path) ? try text(path) : nil
    }
    // The golden folder is found by either, so the two must agree.
    guard scenario.name == stem(path) else {
      throw ScenarioError(
        file: path, message: "the scenario is named '\(scenario.name)', its file '\(stem(path))'",
        hint: "rename one of them")
    }
    return scenario
  }

  private static func stem(_ path: String) -> String {
    URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
  }

  /// A text file's content; invalid UTF-8 has its place.
  private static func text(_ path: String) throws(ScenarioError) -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ScenarioError(file: path, message: "the file can't be read")
    }
    if let text = String(validating: data, as: UTF8.self) { return text }
    var line = 1
    var start = data.startIndex
    while let end = data[start...].firstIndex(of: UInt8(ascii: "\n")),
      String(validating: data[start..<end], as: UTF8.self) != nil
    {
      line += 1
      start = data.index(after: end)
    }
    throw ScenarioError(
      file: path, line: line, column: 1, message: "not valid UTF-8", hint: "save the file as UTF-8")
  }
}
