import GRDB
import Testing

@testable import SQLiteBackend

@Suite("SQLite columns")
struct SQLiteColumnTests {
  private static func complaint(_ row: Row, _ read: (inout ColumnReader) throws -> Void) -> String {
    var columns = ColumnReader(row)
    do {
      try read(&columns)
      return "none"
    } catch let error as UnreadableColumn {
      return "\(error.column): \(error.value), not \(error.expected)"
    } catch {
      return "\(error)"
    }
  }

  @Test("A NULL where there must be a value is reported with its own column, also the first")
  func required() {
    #expect(Self.complaint(["a": nil]) { _ = try $0.text() } == "a: NULL, not a text")
    #expect(Self.complaint(["a": nil]) { _ = try $0.bytes() } == "a: NULL, not bytes")
    #expect(Self.complaint(["a": nil]) { _ = try $0.double() } == "a: NULL, not a number")
    #expect(
      Self.complaint(["a": 1, "b": nil]) {
        _ = try $0.integer()
        _ = try $0.integer()
      } == "b: NULL, not a number")
    #expect(
      Self.complaint(["a": nil, "b": 7]) {
        _ = try $0.optionalText()
        _ = try $0.boolean()
      } == "none")
  }
}
