/// How a model is trained.
public struct TrainingOptions: Hashable, Sendable {
  /// Whose way.
  public enum Mode: String, Hashable, Sendable, CaseIterable {
    /// Scaler and encoder over all batches, several epochs, the best by validation (ours).
    case standard
    /// Scaler and encoder fitted to the first batch, one pass, every row (the lab's).
    case lab
  }

  /// Which rows are held back to judge the model.
  public enum Split: String, Hashable, Sendable, CaseIterable {
    /// The last images of the table, which is in the order of uploads.
    case time
    /// Images by a hash of their id.
    case image
  }

  /// Which rows are trained on.
  public enum Table: String, Hashable, Sendable, CaseIterable {
    /// The training set's: features as the lake's history gives them.
    case trainingData = "training_data"
    /// What the scorer saw, with the training set's labels.
    case featureLog = "feature_log"
  }

  /// Which rows.
  public var table = Table.trainingData
  /// Whose way.
  public var mode = Mode.standard
  /// Which rows are held back; none in the lab's mode. Those of the feature log stand in the order
  /// of scores, not of images: for them it must be by image.
  public var split = Split.time
  /// The share of rows that is held back, 0..<1.
  public var validationShare = 0.2
  /// The most passes over the rows.
  public var epochs = 20
  /// After so many epochs without a better validation loss training ends.
  public var patience = 3
  /// Whether both classes weigh the same in all.
  public var balancesClasses = true
  /// The strength of regularisation, above 0; small sets need more than the lab's.
  public var alpha = 1e-4

  /// The defaults.
  public init() {}

  /// The seed that scikit-learn's `random_state` has, for the order of rows.
  public static let seed = 42
}
