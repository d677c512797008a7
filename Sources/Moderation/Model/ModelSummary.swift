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
    guard let fields = ModelMetadataFields(bytes),
      let rows = fields.number("rows_seen").flatMap({ Int(exactly: $0) }),
      let unripe = fields.number("rows_unripe").flatMap({ Int(exactly: $0) })
    else { return nil }
    self.rows = rows
    self.unripe = unripe
    areaUnderROC = fields.object("validation")?.number("auc_roc")
  }
}
