import Moderation
import Ports

/// The countries of images' uploaders, as the lake's extract of the database has them.
public enum UploaderCountries {
  /// By image; none when the lake has no such extract.
  ///
  /// - Parameter instant: extracts that were committed later aren't looked at.
  public static func read(
    _ lake: any Lake, asOf instant: EventTime
  ) async throws(PortError) -> [String: String] {
    let users = try await rows("users", ["id", country], lake, instant)
    let images = try await rows("images", ["id", "user_id"], lake, instant)
    guard let users, let images, let column = users.column(country) else { return [:] }
    let names = users.strings(country)
    var ofUsers: [String: String] = [:]
    for (row, id) in users.strings("id").enumerated() {
      ofUsers[id] = column.isValid(row) ? names[row] : ModelSegments.unknown
    }
    var ofImages: [String: String] = [:]
    for (image, user) in zip(images.strings("id"), images.strings("user_id")) {
      ofImages[image] = ofUsers[user]
    }
    return ofImages
  }

  private static let country = "country_of_residence"

  private static func rows(
    _ name: String, _ columns: Set<String>, _ lake: any Lake, _ instant: EventTime
  ) async throws(PortError) -> RecordBatch? {
    let table = LakeTables.raw(name)
    guard let schema = LakeTables.schema(of: table) else { return nil }
    let snapshots: [TableSnapshot]
    do throws(PortError) {
      snapshots = try await lake.snapshots(of: table)
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    guard let snapshot = snapshots.last(where: { $0.committedAt <= instant }) else { return nil }
    return try await lake.rows(table, schema: schema.only(columns), snapshot: snapshot.id)
  }
}
