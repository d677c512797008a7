import CParquet

/// Why a Parquet file couldn't be written or read.
///
/// Never retryable: the same bytes or the same batch give the same error again.
public struct ParquetError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was wrong, with the value seen.
  public var reason: String
  /// The column at fault, where one is known.
  public var column: String?

  /// An error of a whole file, or of one of its columns.
  public init(_ reason: String, column: String? = nil) {
    self.reason = reason
    self.column = column
  }

  /// `column price: decimal(10, 2) can't be read…`.
  public var description: String { column.map { "column \($0): \(reason)" } ?? reason }

  /// Throws the text that the shim returned and frees it; nil is success.
  static func check(_ text: UnsafeMutablePointer<CChar>?) throws(ParquetError) {
    guard let text else { return }
    defer { parquet_error_free(text) }
    throw ParquetError(String(cString: text))
  }
}
