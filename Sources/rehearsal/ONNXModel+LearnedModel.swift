import Foundation
import Harness
import Moderation
import ONNXExport

extension ONNXModel {
  /// The file's name beside `model.json`.
  static let file = "model.onnx"

  /// A model as other programs read it.
  init(_ model: LearnedModel) throws {
    let encoding = model.encoding
    do {
      self = try ONNXModel(
        numericNames: encoding.numericNames, means: encoding.scaler.means,
        scales: encoding.scaler.scales, categoricalNames: encoding.categoricalNames,
        categories: encoding.encoder.categories, weights: model.weights,
        intercept: model.intercept)
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: no ONNX of this model: \(error)")
    }
  }
}

extension OutputFolder {
  /// Writes `model.onnx` beside each `model.json` of a run.
  func writeONNX(_ run: RunResult) throws {
    for (version, model) in run.models.models {
      let file = URL(fileURLWithPath: "\(path)/models/\(version)/\(ONNXModel.file)")
      try Data(try ONNXModel(model).bytes).write(to: file)
    }
  }
}
