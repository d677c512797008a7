/// The shape of one value in a scenario file: what the reader accepts and the JSON Schema says.
indirect enum ScenarioShape: Sendable {
  case text
  case alias
  case integer(ClosedRange<Int>)
  case number
  case boolean
  case ratio
  case rate
  case duration
  case instant
  case date
  case choice([String])
  case object(ScenarioObject)
  case list(ScenarioShape)
  /// An object of one of these shapes, told apart by which discriminating key it has.
  case variants([ScenarioObject])
  /// Free keys, each with a value of this shape.
  case map(ScenarioShape)
  /// `at: end`, or a duration.
  case durationOrEnd
}

/// A key of an object.
struct ScenarioField: Sendable {
  let name: String
  let shape: ScenarioShape
  let about: String
  let isRequired: Bool

  init(_ name: String, _ shape: ScenarioShape, _ about: String, isRequired: Bool = false) {
    self.name = name
    self.shape = shape
    self.about = about
    self.isRequired = isRequired
  }
}

/// An object of a scenario file.
struct ScenarioObject: Sendable {
  /// The key that tells this variant from the others; nil for a plain object.
  let discriminator: String?
  let about: String
  let fields: [ScenarioField]

  init(_ about: String, by discriminator: String? = nil, _ fields: [ScenarioField]) {
    self.about = about
    self.discriminator = discriminator
    self.fields = fields
  }

  func field(_ name: String) -> ScenarioField? { fields.first { $0.name == name } }
}

/// Every key that a scenario file may have: the one source for reader, schema and documentation.
enum ScenarioFields {
  static let scenario = ScenarioObject(
    "A scenario: a world, what happens in it, and what must come of it.",
    [
      .init(
        "name", .text, "The name; equals the file's and the golden folder's.", isRequired: true),
      .init("about", .text, "One sentence on what it shows.", isRequired: true),
      .init("seed", .integer(0...Int.max), "Decides everything that is random; default 42."),
      .init("start", .instant, "The virtual start, UTC; default 2026-01-05T09:00:00Z."),
      .init("duration", .duration, "How long traffic and jobs go on.", isRequired: true),
      .init("population", .object(population), "Who and what is there at the start."),
      .init("traffic", .list(.variants(traffic)), "What people do."),
      .init("actions", .list(.variants(actions)), "What operators do."),
      .init("jobs", .list(.variants(jobs)), "When jobs run."),
      .init("faults", .list(.variants(faults)), "What breaks."),
      .init("policy", .object(policy), "The pipeline's settings."),
      .init("consumers", .integer(1...16), "Instances of the stream consumer; default 1."),
      .init(
        "schedule", .integer(0...Int.max),
        "Seed of the interleaving of services; default everybody in turn."),
      .init("expect", .list(.variants(expectations)), "What must come of it."),
      .init("golden", .object(golden), "How the golden is kept."),
    ])

  static let population = ScenarioObject(
    "Who and what is there at the start.",
    [
      .init("users", .integer(0...1_000_000), "Accounts; default 10."),
      .init("images", .integer(0...1_000_000), "Images, uploaded at the start; default 20."),
      .init("test_accounts", .ratio, "Share of test accounts, now and later; default 1/50."),
      .init("minors", .ratio, "Share of minors, 13 to 17 years old; default 1/10."),
      .init("near_birthday", .ratio, "Share who turn 18 in or around the scenario; default 1/50."),
      .init("mute_ineligible", .boolean, "Leaves out what ineligible users do; default false."),
      .init(
        "bad_images", .ratio,
        "Share of uploads that deserve their flags: what a model should find; default 0."),
    ])

  static let mix = ScenarioObject(
    "Weights of the kinds of traffic; 1 where not given, delete 0.",
    ["view", "comment", "upload", "user", "flag", "delete"].map {
      .init($0, .number, "Weight of \($0) requests.")
    })

  static let traffic: [ScenarioObject] = [
    entry(
      "poisson", "Arrivals at random.",
      [
        .init("rate", .rate, "Events per time: 3000/h, 50/min, 2/s.", isRequired: true),
        .init("mix", .object(mix), "What arrives."),
        .init("from", .duration, "From when on; default the start."),
        .init("until", .duration, "Until when; default the end."),
        .init("anonymous", .ratio, "Share of views without a user; default 0.2."),
        .init("late", .ratio, "Share of views, comments and flags that come late; default 0."),
        .init("late_by", .duration, "How late at the most; default 10m."),
      ]),
    entry(
      "burst", "Much at once on one image.",
      [
        .init(
          "as", .alias, "The image; uploaded at the start when it has no name yet.",
          isRequired: true),
        .init("at", .duration, "When it starts.", isRequired: true),
        .init("over", .duration, "How long it lasts.", isRequired: true),
        .init("views", .integer(0...1_000_000), "Views in it."),
        .init("comments", .integer(0...1_000_000), "Comments in it."),
        .init("flags", .integer(0...1_000_000), "Flags in it."),
      ]),
    entry(
      "user", "One new account.",
      [
        .init("as", .alias, "The user's alias.", isRequired: true),
        .init("at", .duration, "When.", isRequired: true),
        .init("year_of_birth", .integer(1900...2100), "Year of birth."),
        .init("date_of_birth", .date, "Date of birth, YYYY-MM-DD."),
        .init("test_account", .boolean, "A test account; default false."),
        .init("age", .duration, "How long ago the account was made; default 0s."),
      ]),
    entry(
      "upload", "One upload.",
      [
        .init("as", .alias, "The image's alias.", isRequired: true),
        .init("at", .duration, "When.", isRequired: true),
        .init("by", .alias, "The uploader; default any eligible user."),
        .init("category", .text, "The category."),
        .init("caption", .text, "The caption."),
      ]),
    engagement("view", []),
    engagement("comment", [.init("as", .alias, "An alias for the first comment.")]),
    engagement(
      "flag", [.init("comment", .boolean, "Flags the image's newest comment; default false.")]),
    entry(
      "duplicates", "Records in the log, appended again.",
      [
        .init("at", .duration, "When.", isRequired: true),
        .init("last", .integer(1...100_000), "The newest N of each partition.", isRequired: true),
      ]),
    entry(
      "poison", "Records that aren't events.",
      [
        .init("at", .duration, "When.", isRequired: true),
        .init(
          "topic", .choice(["upload", "view", "comment", "flag"]), "Whose topic is hit.",
          isRequired: true),
        .init("value", .text, "The record's text."),
        .init("bytes", .text, "The record's bytes in hexadecimal, for what isn't text."),
        .init("times", .integer(1...100_000), "How many; default 1."),
      ]),
  ]

  private static func entry(
    _ name: String, _ about: String, _ fields: [ScenarioField]
  ) -> ScenarioObject {
    ScenarioObject(
      about, by: name,
      [.init(name, .object(ScenarioObject(about, fields)), about, isRequired: true)])
  }

  private static func engagement(_ name: String, _ more: [ScenarioField]) -> ScenarioObject {
    entry(
      name, "One or more \(name) requests on one image.",
      [
        .init("on", .alias, "The image.", isRequired: true),
        .init("at", .duration, "When it reaches the API first.", isRequired: true),
        .init("by", .alias, "The user; default any."),
        .init("times", .integer(1...1_000_000), "How many; default 1."),
        .init("every", .duration, "How far apart; default 1s."),
        .init("late_by", .duration, "How much earlier it happened; default 0s."),
      ] + more)
  }
}
