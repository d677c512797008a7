import Foundation
import Moderation
import Ports
import Testing

@testable import Harness

@Suite("Recorded tables")
struct RecordedTablesTests {
  private static let id = RecordingTests.image
  private static let good = [
    "users": #"{"id":"\#(id)","username":"a","created_at":"2026-01-05T09:00:00Z"}"#,
    "images": #"{"id":"\#(id)","user_id":"\#(id)","created_at":"2026-01-05T09:00:00Z"}"#,
    "comments": #"{"id":"\#(id)","image_id":"\#(id)","user_id":"\#(id)","content":"c","#
      + #""created_at":"2026-01-05T09:00:00Z"}"#,
    "flags": #"{"id":"\#(id)","user_id":"\#(id)","image_id":"\#(id)","comment_id":null,"#
      + #""reason":"r","created_at":"2026-01-05T09:00:00Z"}"#,
  ]

  /// A user's row with one more column, and what is wrong with it.
  private static func user(_ column: String, _ message: String) -> (String, String, String) {
    (
      "users", #"{"id":"\#(id)","username":"a","created_at":"2026-01-05T09:00:00Z",\#(column)}"#,
      message
    )
  }

  /// Reads a folder with the good rows, of which `change` replaces or removes files.
  private static func read(
    _ name: String, _ change: [String: String?]
  ) throws -> RecordedTables {
    try withTemporaryFolder("tables\(name)") { folder in
      for (table, text) in good.merging(change.compactMapValues { $0 }, uniquingKeysWith: { $1 })
      where change[table] != .some(nil) {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(table).jsonl"))
      }
      return try RecordedTables(folder: folder)
    }
  }

  @Test("Rows need only their keys, references and instants")
  func rows() throws {
    let tables = try Self.read("rows", [:])
    #expect(tables.users.first?.tosVersionAccepted == 1)
    #expect(tables.users.first?.isTestAccount == false)
    #expect(tables.images.first?.source == "user_upload")
    #expect(tables.comments.map(\.content) == ["c"])
    #expect(tables.flags.first?.commentID == nil && tables.flags.first?.imageID != nil)
  }

  @Test("Comments and flags may be missing; users and images may not")
  func files() throws {
    let tables = try Self.read("few", ["comments": nil, "flags": nil])
    #expect(tables.comments.isEmpty && tables.flags.isEmpty && tables.users.count == 1)
    for table in ["users", "images"] {
      let error = try #require(throws: ScenarioError.self) {
        try Self.read("no\(table)", [table: nil])
      }
      #expect(error.file.hasSuffix("/\(table).jsonl") && error.line == 0)
      #expect(error.message == "the file can't be read")
      #expect(error.hint?.contains("--tables") == true)
    }
  }

  @Test(
    "A bad row is told with file, line, column name and value",
    arguments: [
      ("users", "hello", "the line is not a JSON object"), ("users", "[]", "not a JSON object"),
      ("users", #"{"username":"a"}"#, "id should be a UUID, not nothing"),
      ("users", #"{"id":"x","username":"a"}"#, "id should be a UUID, not 'x'"),
      ("users", #"{"id":"\#(id)"}"#, "username should be a string, not nothing"),
      ("users", #"{"id":"\#(id)","username":3}"#, "username should be a string, not '3'"),
      ("users", #"{"id":"\#(id)","username":"a"}"#, "created_at should be an ISO 8601 instant"),
      (
        "users", #"{"id":"\#(id)","username":"a","created_at":"soon"}"#,
        "created_at should be an ISO 8601 instant, not 'soon'"
      ),
      ("images", #"{"id":"\#(id)","user_id":7}"#, "user_id should be a UUID, not '7'"),
      (
        "images",
        #"{"id":"\#(id)","user_id":"\#(id)","created_at":"2026-01-05T09:00:00Z","deleted_at":""}"#,
        "deleted_at should be an ISO 8601 instant or null, not ''"
      ),
      ("comments", #"{"id":"\#(id)"}"#, "image_id should be a UUID, not nothing"),
      (
        "comments", #"{"id":"\#(id)","image_id":"\#(id)","user_id":"\#(id)"}"#,
        "content should be a string"
      ),
      ("flags", #"{"id":"\#(id)","user_id":"\#(id)","image_id":"x"}"#, "image_id should be a UUID"),
      ("flags", #"{"id":"\#(id)","user_id":"\#(id)"}"#, "reason should be a string"),
      // What governance goes by mustn't be taken for nothing.
      user(
        #""year_of_birth":"2010""#, "year_of_birth should be a whole number or null, not '2010'"),
      user(#""date_of_birth":"29.2.2008""#, "date_of_birth should be a date like 2008-02-29, or"),
      user(#""date_of_birth":"2010-02-29""#, "date_of_birth should be a date like"),
      user(#""is_test_account":"true""#, "is_test_account should be true, false or null, not 'tru"),
      user(#""tos_version_accepted":"v1""#, "tos_version_accepted should be a whole number or"),
      user(#""country_of_residence":1"#, "country_of_residence should be a string or null"),
    ])
  func badRows(table: String, row: String, message: String) throws {
    let text = "\(Self.good[table] ?? "")\n\n\(row)\n"
    let error = try #require(throws: ScenarioError.self) {
      try Self.read("bad\(table)\(row.utf8.count)", [table: text])
    }
    #expect(error.file.hasSuffix("/\(table).jsonl"))
    #expect(error.line == 3)
    #expect(error.message.contains(message), "\(error)")
  }
}
