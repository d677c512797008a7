import Foundation
import Harness
import Moderation
import Pipeline
import Testing

@Suite("ScenarioFolder")
struct ScenarioFolderTests {
  private static let text = "name: soup\nabout: y\nduration: 1h\n"

  /// A folder of the test's own with these files.
  private static func withFolder(
    _ files: [String: Data], _ test: String = #function, _ body: (ScenarioFolder) throws -> Void
  ) throws {
    let process = ProcessInfo.processInfo.processIdentifier
    let name = test.filter { $0.isLetter || $0.isNumber }
    let path = FileManager.default.temporaryDirectory
      .appending(path: "rehearsal-scenarios-\(process)-\(name)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer {
      do {
        try FileManager.default.removeItem(atPath: path)
      } catch {
        Issue.record(error, "the temporary folder stays behind")
      }
    }
    for (file, data) in files { try data.write(to: URL(filePath: "\(path)/\(file)")) }
    try body(ScenarioFolder(path))
  }

  @Test("Scenarios are sorted by name, other files left out, and policies found beside them")
  func files() throws {
    let policy = "name: mine\nversion: v1\nstart: 0.5\nrules: []\n"
    let soup = Self.text + "policy: { heuristic: mine.yml }\n"
    let files = ["soup.yaml": soup, "cake.yaml": Self.text, "mine.yml": policy]
    try Self.withFolder(files.mapValues { Data($0.utf8) }) { folder in
      #expect(try folder.files() == ["\(folder.path)/cake.yaml", "\(folder.path)/soup.yaml"])
      let scenario = try ScenarioFolder.load(folder.file(named: "soup"))
      #expect(scenario.policy.heuristic.name == "mine")
      let error = #expect(throws: ScenarioError.self) { try folder.file(named: "soop") }
      #expect(error?.hint == "did you mean 'soup'?")
    }
  }

  @Test("A file that another name is in, that isn't there, or isn't text, is an error at its place")
  func badFiles() throws {
    let broken = Data(Self.text.utf8) + [0x23, 0xFF]
    try Self.withFolder(["cake.yaml": Data(Self.text.utf8), "soup.yaml": broken]) { folder in
      let renamed = #expect(throws: ScenarioError.self) {
        try ScenarioFolder.load("\(folder.path)/cake.yaml")
      }
      #expect(renamed?.message == "the scenario is named 'soup', its file 'cake'")
      let bytes = #expect(throws: ScenarioError.self) {
        try ScenarioFolder.load("\(folder.path)/soup.yaml")
      }
      #expect(bytes?.line == 4 && bytes?.message == "not valid UTF-8")
      #expect(throws: ScenarioError.self) { try ScenarioFolder.load("\(folder.path)/no.yaml") }
    }
    let soup = Data((Self.text + "policy: { heuristic: mine.yml }\n").utf8)
    let policy = Data("name: mine\nrules: []\n#".utf8) + [0xFF]
    try Self.withFolder(["soup.yaml": soup, "mine.yml": policy]) { folder in
      let error = #expect(throws: ScenarioError.self) {
        try ScenarioFolder.load("\(folder.path)/soup.yaml")
      }
      #expect(error?.file == "\(folder.path)/mine.yml" && error?.line == 3)
    }
  }
}
