import ArgumentParser
import Foundation
import Lakehouse
import Moderation
import Pipeline
import Ports

/// `rehearsal predict`.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Says what a model gives for each row of a table.",
    discussion: """
      One line per row of the snapshot, in its order: the image, the decision point where the table
      has one, and the probability that the image needs moderation.

      Examples:
        rehearsal predict out/model --catalog sqlite:out/run/lake/catalog.db --format csv
        rehearsal predict out/shadow/models/v1 --catalog sqlite:catalog.db --snapshot 17
      """)

  @Argument(help: "The folder of a model.json: of train --out, or models/VERSION of a run.")
  var model: String

  @OptionGroup var place: PinnedTable

  @Option(help: "table, csv or json.")
  var format = CellFormat.csv

  func run() throws {
    let model = try read()
    let lake = try place.open()
    let pinned = ModelSource.Pinned(place.table, try place.pinned(lake).id)
    let columns = try Blocking.run { () async throws(PortError) in
      try await lake.metadata(of: pinned.table).schema.fields.map(\.name)
    }
    let hasPoints = columns.contains(ModelPrediction.point)
    var cells = CellTable(
      ["image_id"] + (hasPoints ? [ModelPrediction.point] : []) + ["probability"])
    let scan = PinnedTable.scan(lake)
    let predictions = try Blocking.run { () async throws(PortError) in
      var all: [ModelPrediction] = []
      try await scan(pinned, ModelPrediction.columns(hasPoints: hasPoints)) {
        batch throws(PortError) in
        all += try ModelPrediction.all(of: batch, by: model)
      }
      return all
    }
    Terminal.endProgress()
    for prediction in predictions {
      cells.append(
        [.text(prediction.image)]
          + (hasPoints ? [prediction.decisionPoint.map { .integer($0) } ?? .null] : [])
          + [.number(prediction.probability)])
    }
    cells.print(format)
  }

  private func read() throws -> LearnedModel {
    let file = "\(model)/\(ModelRegistry.modelFile)"
    guard let data = FileManager.default.contents(atPath: file) else {
      throw CommandFailure(code: 2, message: "rehearsal: there is no '\(file)'")
    }
    do throws(ModelFormatError) {
      let model = try LearnedModel(json: Array(data))
      guard let reason = model.incompatibility else { return model }
      throw ModelFormatError(place: "model", reason: reason)
    } catch {
      throw CommandFailure(code: 2, message: "rehearsal: \(file): \(error)")
    }
  }
}
