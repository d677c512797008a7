import Moderation
import Pipeline

extension ScenarioFields {
  static let actions: [ScenarioObject] = [
    ScenarioObject(
      "Soft-deletes an image or a comment.", by: "delete",
      [
        .init("at", .duration, "When.", isRequired: true),
        .init("delete", .object(target("What to delete.")), "What to delete.", isRequired: true),
      ]),
    ScenarioObject(
      "Corrects a user's birth year or date.", by: "correct",
      [
        .init("at", .duration, "When.", isRequired: true),
        .init(
          "correct",
          .object(
            ScenarioObject(
              "Whom, and to what.",
              [
                .init("user", .alias, "The user.", isRequired: true),
                .init("year_of_birth", .integer(1900...2100), "The right year."),
                .init("date_of_birth", .date, "The right date."),
              ])), "Whom, and to what.", isRequired: true),
      ]),
    ScenarioObject(
      "A moderator's decision.", by: "review",
      [
        .init("at", .duration, "When.", isRequired: true),
        .init(
          "review", .object(target("What is reviewed.")), "What is reviewed.", isRequired: true),
        .init("decision", .choice(["confirmed", "rejected"]), "The decision.", isRequired: true),
      ]),
    ScenarioObject(
      "A change of a lake table's columns by somebody else.", by: "evolve",
      [
        .init("at", .duration, "When.", isRequired: true),
        .init("evolve", .text, "The table: events.views, …", isRequired: true),
        .init("add", .text, "A column to add; it may be null."),
        .init(
          "type", .choice(["string", "int", "long", "float", "double", "boolean", "timestamptz"]),
          "The added column's type."),
        .init("rename", .text, "A column to rename."),
        .init("widen", .text, "A column to widen: int to long, float to double."),
        .init("to", .text, "The new name or type."),
      ]),
  ]

  private static func target(_ about: String) -> ScenarioObject {
    ScenarioObject(
      about,
      [
        .init("image", .alias, "An image."), .init("comment", .alias, "A comment."),
      ])
  }

  static let jobs: [ScenarioObject] = [
    ScenarioObject(
      "A job, once or again and again.", by: "run",
      [
        .init("run", .choice(JobName.allCases.map(\.rawValue)), "The job.", isRequired: true),
        .init("at", .durationOrEnd, "When; `end` means once everything has settled."),
        .init(
          "every", .duration, "How often, from then on; jobs of one instant run in file order."),
        .init(
          "beside", .boolean,
          "Runs side by side with the job before it of the same instant, so that both collide."),
        .init(
          "model", .text,
          "promote: latest (default), previous (rolls the last new deployment back) or a version."
        ),
        .init(
          "stage", .choice(ModelStage.allCases.filter { $0 != .candidate }.map(\.rawValue)),
          "promote: where the model goes, 10 s later; default deployed."),
        .init("training", .object(training), "training: how, in place of policy.training."),
      ])
  ]

  static let policy = ScenarioObject(
    "The pipeline's settings.",
    [
      .init("heuristic", .text, "heuristic, heuristic-weighted, or a YAML file beside this one."),
      .init(
        "scoring",
        .choice(PipelinePolicy.Scoring.allCases.map(\.rawValue) + HeuristicPolicy.builtInNames),
        "watermark: as of the request's instant (default); immediate: at once, as of now; "
          + "or the name of a heuristic, as `heuristic` takes it."),
      .init(
        "inference", .choice(PipelinePolicy.Inference.allCases.map(\.rawValue)),
        "Who scores: heuristic (default), the deployed model, or the heuristic with a shadow model."
      ),
      .init("training", .object(training), "How the job training makes models."),
      .init(
        "publish", .choice(PipelinePolicy.Publication.allCases.map(\.rawValue)),
        "outbox (default); direct: after the transaction; none: the API's v1."),
      .init(
        "offline", .choice(PipelinePolicy.Offline.allCases.map(\.rawValue)),
        "How training features are computed; default point-in-time."),
      .init("labels", .choice(["ripe", "lab"]), "How labels are taken; default ripe."),
      .init(
        "minors", .choice(["birth-date", "year-of-birth"]),
        "How a minor is recognised; default birth-date."),
      .init("anchors", .list(.duration), "Whole minutes after the upload; default 0m, 5m, 30m."),
      .init("triggers", .object(triggers), "Thresholds; 0 switches one off."),
      .init("partitions", .integer(1...64), "Partitions of each topic; default 3."),
      .init("batch", .integer(1...100_000), "Records per poll and outbox read; default 500."),
      .init("relay_every", .duration, "How often the outbox is drained; default 1s."),
      .init(
        "snapshot_retention", .duration, "How old snapshots get before `expire`; default 0s."),
    ])

  static let training = ScenarioObject(
    "How the job training makes models.",
    [
      .init(
        "from", .choice(TrainingOptions.Table.allCases.map(\.rawValue)),
        "training_data (default), or feature_log: the scorer's own vectors, with those labels."),
      .init(
        "mode", .choice(TrainingOptions.Mode.allCases.map(\.rawValue)),
        "standard (default), or lab: one pass, unripe labels taken as 0, nothing held back."),
      .init(
        "split", .choice(TrainingOptions.Split.allCases.map(\.rawValue)),
        "What is held back: the last images (time, default), or by a hash of the id (image)."),
      .init("validation", .number, "The share that is held back, 0 to below 1; default 0.2."),
      .init("epochs", .integer(1...1000), "The most passes; default 20."),
      .init("patience", .integer(1...1000), "Passes without a better loss; default 3."),
      .init("balanced", .boolean, "Whether both classes weigh the same; default true."),
      .init("alpha", .number, "Regularisation, above 0 and below 1; default 0.0001."),
    ])

  static let triggers = ScenarioObject(
    "Thresholds; 0 switches one off.",
    [
      .init("viral", .integer(0...Int.max), "Views in 5 minutes; default 100."),
      .init("suspicious", .integer(0...Int.max), "Comments in 1 minute; default 10."),
      .init("flagged", .integer(0...Int.max), "Flags in 5 minutes; default 2."),
      .init("popular", .integer(0...Int.max), "Views in 1 hour, only logged; default 50."),
    ])

  private static let bounds: [ScenarioField] = [
    .init("at_least", .number, "The least allowed."),
    .init("at_most", .number, "The most allowed."),
    .init("equals", .number, "The only allowed."),
  ]

  static let expectations: [ScenarioObject] = [
    ScenarioObject(
      "A score of an image; with a trigger, that one.", by: "scored",
      [
        .init("scored", .alias, "The image.", isRequired: true),
        .init("trigger", .text, "viral, suspicious, flagged, anchor_0m, …"),
      ] + bounds),
    ScenarioObject(
      "No score of an image.", by: "unscored",
      [
        .init("unscored", .alias, "The image.", isRequired: true),
        .init("trigger", .text, "Only by this trigger."),
      ]),
    ScenarioObject(
      "A feature as the scorer saw it.", by: "feature",
      [
        .init("feature", .text, "The feature's name.", isRequired: true),
        .init("of", .alias, "The image.", isRequired: true),
        .init("trigger", .text, "Which of its scores.", isRequired: true),
        .init("flavour", .choice(["observed", "governed"]), "Whose events; default observed."),
      ] + bounds),
    ScenarioObject(
      "No row of an image in a table.", by: "absent",
      [
        .init("absent", .alias, "The image.", isRequired: true),
        .init(
          "from", .text, "The table: moderation.training_data, events.views, …",
          isRequired: true),
      ]),
    ScenarioObject(
      "An image or user that nothing but declared retention holds any more.", by: "erased",
      [.init("erased", .alias, "The image or user.", isRequired: true)]),
    ScenarioObject(
      "Some row of an image in a table.", by: "present",
      [
        .init("present", .alias, "The image.", isRequired: true),
        .init("in", .text, "The table.", isRequired: true),
      ]),
    ScenarioObject(
      "A column of a table at the end.", by: "column",
      [
        .init("column", .text, "The column's name.", isRequired: true),
        .init("in", .text, "The table.", isRequired: true),
      ]),
    ScenarioObject(
      "A value of a training row.", by: "training",
      [
        .init(
          "training", .text, "The column: a feature or label_needs_moderation_24h.",
          isRequired: true),
        .init("of", .alias, "The image.", isRequired: true),
        .init("decision_point", .duration, "0m, 5m or 30m.", isRequired: true),
      ] + bounds),
    ScenarioObject(
      "A count of the run's summary.", by: "count",
      [
        .init(
          "count", .text, "events, scores, late, duplicates, dead_letters, training_rows, …",
          isRequired: true)
      ] + bounds),
    ScenarioObject(
      "The same outcome as without what disturbs.", by: "same_without",
      [.init("same_without", .choice(["faults"]), "What is left out.", isRequired: true)]),
    ScenarioObject(
      "How far the scorer's vectors are from the training rows.", by: "skew",
      [
        .init("skew", .text, "A feature's name, category, or any.", isRequired: true),
        .init(
          "metric", .choice(SkewMetric.allCases.map(\.rawValue)),
          "mismatches (default): their number; else the worst of the rows that are meant."),
      ] + bounds),
  ]

  static let golden = ScenarioObject(
    "How the golden is kept.",
    [
      .init("keep", .ratio, "Share of images kept row by row, as 1/N; default all."),
      .init("tolerance", .map(.number), "Absolute tolerance by column."),
    ])

  static let heuristic = ScenarioObject(
    "A heuristic risk score as data.",
    [
      .init("name", .text, "The policy's name.", isRequired: true),
      .init("version", .text, "Stored with each score; default v1."),
      .init("start", .number, "The score before any rule.", isRequired: true),
      .init("rules", .list(.object(rule)), "Applied in order.", isRequired: true),
    ])

  private static let rule = ScenarioObject(
    "Adds to the score when all its conditions hold.",
    [
      .init("name", .text, "As the rationale shows it.", isRequired: true),
      .init(
        "when", .map(.text), "Feature: comparison and number, as in \"> 10\".",
        isRequired: true),
      .init("add", .number, "What it adds.", isRequired: true),
    ])
}
