import Moderation
import Ports

@testable import Pipeline

/// Training rows with a known rule: flagged images are bad.
enum ModelFixture {
  /// Rows of images 1, 2, …, three each; every fourth image is bad and has flags at 5 and 30
  /// minutes.
  static func rows(images: Int, label: (Int) -> Bool? = { $0 % 4 == 0 }) -> [TrainingRow] {
    (1...images).flatMap { image in
      OfflineFeatures.decisionPoints.map { minutes in
        let flags = image % 4 == 0 && minutes > 0 ? Double(minutes) / 5 : 0
        var features = Array(repeating: 0.0, count: 18)
        features[0] = Double(minutes * 60)
        features[1] = Double(image % 24)
        features[5] = Double(image % 7)
        features[9] = flags
        features[10] = flags
        features[14] = Double(image % 11)
        features[15] = image % 3 == 0 ? 1 : 0
        return TrainingRow(
          image: .number(UInt64(image)), decisionPointMinutes: minutes, features: features,
          category: image % 5 == 0 ? nil : "Soup", label: label(image))
      }
    }
  }

  /// Gives rows in batches of so many.
  static func source(_ rows: [TrainingRow], by size: Int) -> ModelTrainer.Rows {
    { (columns, body) async throws(PortError) in
      for start in stride(from: 0, to: rows.count, by: size) {
        let batch = TrainingRow.batch(Array(rows[start..<min(start + size, rows.count)]))
        let kept = batch.schema.fields.indices.filter {
          columns.contains(batch.schema.fields[$0].name)
        }
        try body(
          RecordBatch(
            schema: TableSchema(kept.map { batch.schema.fields[$0] }),
            columns: kept.map { batch.columns[$0] }))
      }
    }
  }

  /// A model whose only opinion is a weight on `total_flags`.
  static func model(weight: Double, intercept: Double = 0) throws -> LearnedModel {
    let count = ModelInputs.numericNames.count
    let encoding = try FeatureEncoding(
      numericNames: ModelInputs.numericNames, categoricalNames: ModelInputs.categoricalNames,
      scaler: try StandardScaler(
        means: Array(repeating: 0, count: count), scales: Array(repeating: 1, count: count)),
      encoder: try OneHotEncoder(categories: [["0", "1"], ["0", "1"], ["Bread", "Soup"]]))
    let weights = encoding.featureNames.map { $0 == "total_flags" ? weight : 0 }
    return try LearnedModel(encoding: encoding, weights: weights, intercept: intercept)
  }

  /// Registers a model as a version of its own.
  static func register(_ model: LearnedModel, in registry: ModelRegistry) async throws -> String {
    try await registry.register(
      [(ModelRegistry.modelFile, model.json)], source: "moderation.training_data@1",
      at: Sample.start)
  }
}
