import Moderation
import Ports

/// The database's tables as the lake's `raw` tables.
enum RawExtract {
  /// Each table's name and rows, in the order of the snapshot.
  static func batches(_ snapshot: ApplicationSnapshot) -> [(String, RecordBatch)] {
    [
      ("users", users(snapshot.users)), ("images", images(snapshot.images)),
      ("comments", comments(snapshot.comments)), ("flags", flags(snapshot.flags)),
    ]
  }

  private static func users(_ rows: [User]) -> RecordBatch {
    RecordBatch(
      schema: TableSchema([
        .init("id", .string), .init("username", .string),
        .init("country_of_residence", .string, isRequired: false),
        .init("year_of_birth", .int64, isRequired: false), .init("is_test_account", .boolean),
        .init("created_at", .timestamp),
      ]),
      columns: [
        .init(.strings(rows.map { $0.id.description })), .init(.strings(rows.map(\.username))),
        .strings(rows.map(\.countryOfResidence)),
        .integers(rows.map { $0.yearOfBirth.map { Int64($0) } }),
        .init(.booleans(rows.map(\.isTestAccount))), times(rows.map(\.createdAt)),
      ])
  }

  private static func images(_ rows: [Image]) -> RecordBatch {
    RecordBatch(
      schema: TableSchema([
        .init("id", .string), .init("user_id", .string), .init("source", .string),
        .init("caption", .string, isRequired: false),
        .init("category", .string, isRequired: false), .init("created_at", .timestamp),
        .init("deleted_at", .timestamp, isRequired: false), .init("views", .int64),
      ]),
      columns: [
        .init(.strings(rows.map { $0.id.description })),
        .init(.strings(rows.map { $0.userID.description })),
        .init(.strings(rows.map(\.source))), .strings(rows.map(\.caption)),
        .strings(rows.map(\.category)), times(rows.map(\.createdAt)),
        .integers(rows.map { $0.deletedAt?.microseconds }),
        .init(.integers(rows.map { Int64($0.views) })),
      ])
  }

  private static func comments(_ rows: [Comment]) -> RecordBatch {
    RecordBatch(
      schema: TableSchema([
        .init("id", .string), .init("image_id", .string), .init("user_id", .string),
        .init("content", .string), .init("deleted_at", .timestamp, isRequired: false),
        .init("created_at", .timestamp),
      ]),
      columns: [
        .init(.strings(rows.map { $0.id.description })),
        .init(.strings(rows.map { $0.imageID.description })),
        .init(.strings(rows.map { $0.userID.description })), .init(.strings(rows.map(\.content))),
        .integers(rows.map { $0.deletedAt?.microseconds }), times(rows.map(\.createdAt)),
      ])
  }

  private static func flags(_ rows: [Flag]) -> RecordBatch {
    RecordBatch(
      schema: TableSchema([
        .init("id", .string), .init("user_id", .string),
        .init("image_id", .string, isRequired: false),
        .init("comment_id", .string, isRequired: false), .init("reason", .string),
        .init("review_status", .string), .init("created_at", .timestamp),
      ]),
      columns: [
        .init(.strings(rows.map { $0.id.description })),
        .init(.strings(rows.map { $0.userID.description })),
        .strings(rows.map { $0.imageID?.description }),
        .strings(rows.map { $0.commentID?.description }), .init(.strings(rows.map(\.reason))),
        .init(.strings(rows.map { $0.reviewStatus.rawValue })), times(rows.map(\.createdAt)),
      ])
  }

  private static func times(_ values: [EventTime]) -> RecordBatch.Column {
    RecordBatch.Column(.integers(values.map(\.microseconds)))
  }
}
