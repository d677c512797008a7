/// What `metadata.json` says of a model, in short.
public struct ModelSummary: Hashable, Sendable {
  /// Rows that were trained on.
  public var rows: Int
  /// Rows whose label wasn't ripe.
  public var unripe: Int
  /// How well the rows that were held back are told apart; nil without any of both classes.
  public var areaUnderROC: Double?

  /// Reads it; nil when the text isn't such metadata.
  public init?(metadata bytes: [UInt8]) {
    // Whoever wrote something else there has no summary.
    guard let tree = try? JSONTree(bytes), case .object(let fields) = tree else { return nil }
    func number(_ name: String, in fields: [(name: String, value: JSONTree)]) -> Double? {
      guard case .number(let value)? = fields.first(where: { $0.name == name })?.value else {
        return nil
      }
      return value
    }
    guard let rows = number("rows_seen", in: fields).flatMap({ Int(exactly: $0) }),
      let unripe = number("rows_unripe", in: fields).flatMap({ Int(exactly: $0) })
    else { return nil }
    self.rows = rows
    self.unripe = unripe
    if case .object(let validation)? = fields.first(where: { $0.name == "validation" })?.value {
      areaUnderROC = number("auc_roc", in: validation)
    }
  }
}
