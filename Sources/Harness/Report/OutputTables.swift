import Moderation
import Pipeline
import Ports
import Simulation

/// The CSV files of a run (DESIGN §8), with ids as they are or with readable names.
struct OutputTables {
  let run: RunResult

  init(_ run: RunResult) { self.run = run }

  /// All tables, with ids as they are.
  var all: [CSVTable] {
    [triggers(), scores(), windows(), trainingData(), skewTable()] + models
  }

  /// All tables with readable names in place of ids, of the images that the golden keeps.
  var golden: [CSVTable] {
    let keepOneIn = run.scenario.golden.keepOneIn
    func isKept(_ id: ImageID) -> Bool { run.aliases.isKept(id, keepOneIn: keepOneIn) }
    let name: (ImageID) -> String = { run.aliases.name($0) }
    return [
      triggers(isKept, name: name), scores(isKept, name: name), windows(isKept, name: name),
      trainingData(isKept, name: name), skewTable(),
    ].map { $0.sortedByKey() } + models
  }

  /// The registry's journal with what each model was made of; only of runs that have models.
  private var models: [CSVTable] {
    let changes = run.models.journal.changes
    guard !changes.isEmpty else { return [] }
    let rows = changes.enumerated().map { index, change -> [String] in
      let (model, summary) = (
        run.models.models[change.version], run.models.summaries[change.version]
      )
      return [
        "\(index + 1)", change.version, change.stage.rawValue, change.effectiveAt.description,
        change.source ?? "", model.map { Self.fingerprint($0.json) } ?? "",
        "\(summary?.rows ?? 0)", "\(summary?.unripe ?? 0)",
        summary?.areaUnderROC.map { "\($0)" } ?? "",
      ]
    }
    return [
      CSVTable(
        name: "models",
        columns: [
          "change", "version", "stage", "effective_at", "source", "model_fingerprint", "rows",
          "unripe", "auc_roc",
        ], keyColumns: ["change"], rows: rows)
    ]
  }

  private static func fingerprint(_ bytes: [UInt8]) -> String {
    var fingerprint = Fingerprint()
    fingerprint.fold(bytes)
    return "\(fingerprint)"
  }

  private func triggers(
    _ isKept: (ImageID) -> Bool = { _ in true },
    name: (ImageID) -> String = { $0.description }
  ) -> CSVTable {
    CSVTable(
      name: "triggers", columns: ["image_id", "trigger", "at"],
      keyColumns: ["image_id", "trigger", "at"],
      rows: run.requests.filter { isKept($0.image) && $0.asOf <= run.scenario.end }.map {
        [name($0.image), $0.trigger.name, $0.asOf.description]
      })
  }

  private func scores(
    _ isKept: (ImageID) -> Bool = { _ in true }, name: ((ImageID) -> String)? = nil
  ) -> CSVTable {
    let sorted = run.scores.sorted { ($0.asOf, $0.row.id) < ($1.asOf, $1.row.id) }
    let rows = sorted.filter { isKept($0.request.image) }.map { score -> [String] in
      let image = name?(score.request.image) ?? score.request.image.description
      let request =
        name == nil
        ? score.request.id.description : "\(image)/\(score.request.trigger.name)"
      return [
        image, request, score.request.trigger.name, score.asOf.description,
        score.row.createdAt.description, score.row.inferenceMode, score.row.modelVersion ?? "",
        "\(score.row.riskScore)",
      ] + Self.texts(score.deciding.values)
    }
    return CSVTable(
      name: "scores",
      columns: [
        "image_id", "request_id", "trigger", "as_of", "scored_at", "inference_mode",
        "model_version", "risk_score",
      ] + FeatureVector.names, keyColumns: ["request_id", "as_of", "inference_mode"], rows: rows)
  }

  private func windows(
    _ isKept: (ImageID) -> Bool = { _ in true },
    name: (ImageID) -> String = { $0.description }
  ) -> CSVTable {
    var rows: [[String]] = []
    for metric in Metric.allCases.sorted(by: { $0.windowTable < $1.windowTable }) {
      for window in run.windows(metric) {
        guard let image = ImageID(window.image), isKept(image) else { continue }
        let start = EventTime(microseconds: window.start).description
        rows.append([metric.windowTable, name(image), start, "\(window.count)"])
      }
    }
    return CSVTable(
      name: "windows", columns: ["table", "image_id", "window_start", "event_count"],
      keyColumns: ["table", "image_id", "window_start"], rows: rows)
  }

  private func trainingData(
    _ isKept: (ImageID) -> Bool = { _ in true },
    name: (ImageID) -> String = { $0.description }
  ) -> CSVTable {
    let rows = run.trainingRows.sorted {
      ($0.image, $0.decisionPointMinutes) < ($1.image, $1.decisionPointMinutes)
    }.filter { isKept($0.image) }
    return CSVTable(
      name: "training_data", columns: LakeTables.trainingSchema.fields.map(\.name),
      keyColumns: ["image_id", "decision_point_minutes"],
      rows: rows.map { row in
        [name(row.image), "\(row.decisionPointMinutes)"] + Self.texts(row.features)
          + [row.category ?? "", row.label.map { $0 ? "1" : "0" } ?? ""]
      })
  }

  private func skewTable() -> CSVTable {
    CSVTable(
      name: "skew",
      columns: [
        "feature", "decision_point_minutes", "pairs", "mismatches", "mean_absolute_difference",
        "late_mismatches",
      ], keyColumns: ["feature", "decision_point_minutes"],
      rows: run.skew.rows.filter { $0.feature != SkewReport.category }.map {
        [
          $0.feature, "\($0.decisionPoint)", "\($0.pairs)", "\($0.mismatches)",
          "\($0.differences.meanAbsolute)", "\($0.lateMismatches)",
        ]
      })
  }

  /// The images that the traffic planted as bad ones: what only the scenario knows.
  var planted: CSVTable {
    CSVTable(
      name: "planted", columns: ["image_id"], keyColumns: ["image_id"],
      rows: run.planted.map { [$0.description] }.sorted { $0[0] < $1[0] })
  }

  /// Feature values: whole numbers without a point, fractions as their shortest text.
  private static func texts(_ values: [Double]) -> [String] {
    values.enumerated().map { index, value in
      fractional[index] ? "\(value)" : "\(Int(value))"
    }
  }

  private static let fractional = FeatureVector.names.map {
    FeatureVector.fractionalNames.contains($0)
  }
}
