import Moderation

extension TrainingOptions {
  /// The options that a model's `metadata.json` names; nil when the text isn't such metadata.
  public init?(metadata bytes: [UInt8]) {
    guard let fields = ModelMetadataFields(bytes),
      let mode = fields.text("mode").flatMap({ Mode(rawValue: $0) }),
      let alpha = fields.number("alpha")
    else { return nil }
    self.init()
    table = fields.text("labels_table") == nil ? .trainingData : .featureLog
    self.mode = mode
    self.alpha = alpha
    guard mode == .standard else { return }
    guard let split = fields.text("split").flatMap({ Split(rawValue: $0) }),
      let share = fields.number("validation_share"),
      let epochs = fields.number("epochs_limit").flatMap({ Int(exactly: $0) }),
      let patience = fields.number("patience").flatMap({ Int(exactly: $0) }),
      let isBalanced = fields.boolean("balances_classes")
    else { return nil }
    self.split = split
    validationShare = share
    self.epochs = epochs
    self.patience = patience
    balancesClasses = isBalanced
  }
}
