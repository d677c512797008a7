import Foundation

/// What the `summary.json` of an output folder says about which run it was.
public struct FolderSummary: Hashable, Sendable, Decodable {
  /// The scenario's name.
  public let scenario: String
  /// The seed used.
  public let seed: UInt64
  /// FNV-1a over the trace, 16 hexadecimal digits.
  public let fingerprint: String

  /// The summary in a folder; nil when there is no such file.
  ///
  /// - Throws: what is wrong with the file.
  public init?(folder: String) throws {
    guard let data = FileManager.default.contents(atPath: "\(folder)/summary.json") else {
      return nil
    }
    self = try JSONDecoder().decode(FolderSummary.self, from: data)
  }
}
