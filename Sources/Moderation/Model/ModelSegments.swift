/// The names of the parts of the rows that models are judged by.
public enum ModelSegments {
  /// The country of somebody who doesn't say, as pandas' `astype(str)` makes of it.
  public static let unknown = CategoricalColumn.nullName

  /// `viral=yes` from the default threshold of the trigger `viral` on.
  public static func viral(views: Double) -> String {
    views >= Double(TriggerPolicy().viral ?? .max) ? "viral=yes" : "viral=no"
  }
}
