import Moderation
import Ports
import Testing

@testable import Pipeline

@Suite("Model trainer")
struct ModelTrainerTests {
  private static func train(
    _ rows: [TrainingRow], by size: Int = 50, _ change: (inout TrainingOptions) -> Void = { _ in }
  ) async throws -> TrainedModel {
    var options = TrainingOptions()
    options.alpha = 0.01
    change(&options)
    return try await ModelTrainer(options).train(ModelFixture.source(rows, by: size))
  }

  @Test("What flags say is learned, and told on images that were held back")
  func learns() async throws {
    let trained = try await Self.train(ModelFixture.rows(images: 200))
    let metrics = try #require(trained.validation?.metrics)
    #expect(trained.counts.rows == 600)
    #expect(trained.counts.heldBack == 120 && metrics.count == 120)
    #expect(trained.counts.trained == 480 && trained.counts.positive == 120)
    // At the upload nothing tells them apart; later the flags do.
    #expect(try #require(metrics.areaUnderROC) > 0.8)
    let weights = Dictionary(
      uniqueKeysWithValues: zip(trained.model.encoding.featureNames, trained.model.weights))
    #expect(try #require(weights["total_flags"]) > 0)
  }

  @Test("Rows without a ripe label are left out and counted; the lab takes them as 0")
  func unripe() async throws {
    let rows = ModelFixture.rows(images: 40) { $0 > 30 ? nil : $0 % 4 == 0 }
    let ours = try await Self.train(rows) { $0.validationShare = 0 }
    #expect(ours.counts.unripe == 30 && ours.counts.trained == 90)
    #expect(ours.counts.positive == 21)
    let lab = try await Self.train(rows) { $0.mode = .lab }
    #expect(lab.counts.unripe == 30 && lab.counts.trained == 120)
    #expect(lab.counts.positive == 21)
    #expect(lab.validation == nil && lab.epochs == 1)
  }

  @Test("Scaler and encoder don't depend on how rows are cut into batches; the lab's do")
  func batches() async throws {
    let rows = ModelFixture.rows(images: 60)
    let (one, many) = (try await Self.train(rows, by: 180), try await Self.train(rows, by: 7))
    #expect(one.model.encoding == many.model.encoding)
    #expect(one.counts.trained == many.counts.trained)
    let lab = try await Self.train(rows, by: 7) { $0.mode = .lab }
    let whole = try await Self.train(rows, by: 180) { $0.mode = .lab }
    #expect(lab.model.encoding != whole.model.encoding)
  }

  @Test("No image is both trained on and held back", arguments: TrainingOptions.Split.allCases)
  func split(split: TrainingOptions.Split) async throws {
    // 101 images: the cut by rows falls into the middle of one.
    let rows = ModelFixture.rows(images: 101)
    let trained = try await Self.train(rows, by: 11) { $0.split = split }
    #expect(trained.counts.heldBack % 3 == 0 && trained.counts.heldBack > 0)
    #expect(trained.counts.trained % 3 == 0)
    #expect(trained.counts.trained + trained.counts.heldBack == 303)
    if split == .time { #expect(trained.counts.heldBack == 60) }
  }

  @Test("The same rows give the same bytes")
  func deterministic() async throws {
    let rows = ModelFixture.rows(images: 50)
    let (first, second) = (try await Self.train(rows), try await Self.train(rows))
    #expect(first.model.json == second.model.json)
    #expect(first.counts == second.counts)
    let other = try await Self.train(ModelFixture.rows(images: 51))
    #expect(other.counts.fingerprint != first.counts.fingerprint)
  }

  @Test("Rows that can't be trained on are an error that says why")
  func refusals() async throws {
    func hint(_ rows: [TrainingRow]) async throws -> String? {
      do {
        _ = try await Self.train(rows)
        return nil
      } catch let error as PortError {
        return error.code == .invalid ? error.hint : nil
      }
    }
    #expect(try await hint([])?.contains("run the job training-set") == true)
    let unripe = ModelFixture.rows(images: 3) { _ in nil }
    #expect(try await hint(unripe)?.contains("none of 9 rows has a ripe label") == true)
    let broken: ModelTrainer.Rows = { (_, body) async throws(PortError) in
      try body(
        RecordBatch(
          schema: TableSchema([.init("image_id", .string)]), columns: [.init(.strings(["a"]))]))
    }
    let error = try await failure { try await ModelTrainer(.init()).train(broken) }
    #expect(error?.hint.contains("label_needs_moderation_24h isn't there") == true)
  }
}
