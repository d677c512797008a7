import Moderation
import Ports

/// What a model says of one row of a table.
public struct ModelPrediction: Hashable, Sendable {
  /// The image.
  public var image: String
  /// Minutes after the upload, where the table says.
  public var decisionPoint: Int64?
  /// The probability that the image needs moderation, 0…1.
  public var probability: Double

  /// The column with the decision point.
  public static let point = "decision_point_minutes"

  /// The columns that are read.
  public static func columns(hasPoints: Bool) -> Set<String> {
    ExampleReader.columns(withImages: true).subtracting([ExampleReader.label])
      .union(hasPoints ? [point] : [])
  }

  /// What the model says of each row of a batch.
  ///
  /// - Throws: `invalid` when a column is missing or holds other things.
  public static func all(
    of batch: RecordBatch, by model: LearnedModel
  ) throws(PortError) -> [ModelPrediction] {
    let reader = ExampleReader(unlabelled: batch)
    guard let examples = try reader.examples(keep: nil, unripe: false) else { return [] }
    let images = try reader.images()
    let points = batch.integers(point)
    return images.indices.map { row in
      ModelPrediction(
        image: images[row], decisionPoint: points.isEmpty ? nil : points[row],
        probability: model.probability(
          numeric: examples.numeric.map { $0[row] },
          categorical: examples.categorical.map { $0.names[Int($0.codes[row])] }))
    }
  }
}
