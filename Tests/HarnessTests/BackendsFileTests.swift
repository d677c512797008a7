import Foundation
import Testing

@testable import Harness

@Suite("Backends files")
struct BackendsFileTests {
  private static func file(_ yaml: String, _ variables: [String: String] = [:]) throws
    -> BackendsFile
  {
    try BackendsFile(yaml: yaml, file: "deploy/live.yaml") { variables[$0] }
  }

  private static func complaint(_ yaml: String) -> String {
    do {
      _ = try file(yaml)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test("Ports that the file doesn't name are in memory")
  func ports() throws {
    let file = try Self.file(
      """
      prefix: nightly
      ports: { store: sqlite, objects: folder }
      sqlite: { folder: out/db }
      folder: { path: out/files }
      """)
    #expect(file.name == "live" && file.prefix == "nightly")
    #expect(file.adapter(of: .store) == .sqlite && file.adapter(of: .objects) == .folder)
    #expect(file.adapter(of: .log) == .inMemory && file.adapter(of: .lake) == .inMemory)
    #expect(file.used == [.sqlite, .folder])
    #expect(file[.sqlite].text("folder") == "out/db")
    #expect(file[.sqlite].text("path") == nil && file[.postgres].integer("port") == nil)
    #expect(try Self.file("prefix: x").used == [])
  }

  @Test("Variables of the environment stand anywhere in a value")
  func variables() throws {
    let file = try Self.file(
      "sqlite: { folder: \"${ROOT}/db-${N}\" }", ["ROOT": "/tmp", "N": "7"])
    #expect(file[.sqlite].text("folder") == "/tmp/db-7")
    #expect(
      Self.complaint("\nsqlite: { folder: \"a${ROOT}\" }").hasPrefix(
        "deploy/live.yaml:2:19: the environment has no variable 'ROOT'"))
    #expect(Self.complaint("sqlite: { folder: \"${ROOT\" }").contains("no '}' after it"))
  }

  @Test(
    "What is wrong is said with its place and the cure",
    arguments: [
      ("ports: { stoer: sqlite }", ":1:10: unknown key 'stoer'", "did you mean 'store'?"),
      ("ports: { store: kafka }", ":1:17: 'kafka' is none of", "possible here"),
      ("ports: { store: sqlite }", ":1:17: store is in sqlite", "write sqlite: { folder: … }"),
      ("sqlite: {}", ":1:9: the key 'folder' is missing", "Where the files lie."),
      ("prefix: Run-1", ":1:9: 'Run-1' is no prefix", "lower-case"),
      ("prefix: 1run", "is no prefix", "lower-case letter"),
      (
        "ports: { lake: folder }\nfolder: { path: x }", ":1:16: the lake's files", "give both"
      ),
      ("- a", ":1:1: expected keys and values", "a list"),
    ])
  func errors(yaml: String, problem: String, cure: String) {
    let complaint = Self.complaint(yaml)
    #expect(complaint.contains(problem), "\(complaint)")
    #expect(complaint.contains(cure), "\(complaint)")
  }

  @Test("The JSON Schema has every adapter's settings")
  func schema() {
    let json = ScenarioSchema.backendsJSON()
    for adapter in BackendsFields.sections.keys {
      #expect(json.contains("\"\(adapter.rawValue)\""))
    }
    #expect(json.contains("Where the files lie."))
  }

  @Test(
    "docs/backends.md lists every server's keys with their defaults, in their order",
    arguments: [
      ("## PostgreSQL", BackendsFile.Adapter.postgres), ("## Kafka", .kafka), ("## Redis", .redis),
      ("## S3", .s3),
    ])
  func documentation(heading: String, adapter: BackendsFile.Adapter) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("docs/backends.md")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    let section = lines.drop { !$0.hasPrefix(heading) }.dropFirst().prefix { !$0.hasPrefix("## ") }
    let rows = section.drop { $0 != "### Keys" }.dropFirst().prefix { !$0.hasPrefix("###") }
      .filter { $0.hasPrefix("| `") }
      .map { row in row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
    let fields = try #require(BackendsFields.sections[adapter]).fields
    #expect(rows.map { $0[0] } == fields.map { "`\($0.name)`" })
    for (row, field) in zip(rows, fields) {
      let about = field.about.lowercased()
      let isRight =
        switch row[1] {
        case "–, required": field.isRequired
        case "none": !field.isRequired && !about.contains("default")
        default: about.hasSuffix("default \(row[1].lowercased()).")
        }
      #expect(isRight, "\(field.name): the docs say \(row[1]), the reader: \(field.about)")
    }
  }
}
