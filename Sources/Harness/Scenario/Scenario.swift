import Moderation
import Pipeline
import Ports
import Simulation

/// A scenario file: a world, what happens in it, and what must come of it (DESIGN §7).
public struct Scenario: Sendable {
  /// The name; also the golden folder's.
  public var name: String
  /// One sentence on what it shows.
  public var about: String
  /// Decides everything that is random.
  public var seed: UInt64
  /// The virtual start.
  public var start: EventTime
  /// How long traffic and jobs go on.
  public var duration: Duration
  /// Who and what is there at the start.
  public var population: Population
  /// What people do.
  public var traffic: [TrafficEntry]
  /// What operators do.
  public var actions: [ScheduledAction]
  /// When jobs run.
  public var jobs: [ScheduledJob]
  /// What breaks, in file order.
  public var faults: [ScheduledFault]
  /// The pipeline's settings.
  public var policy: PipelinePolicy
  /// Instances of the stream consumer.
  public var consumers: Int
  /// Decides the interleaving of services; nil takes everybody in turn.
  public var schedule: UInt64?
  /// What must come of it.
  public var expectations: [Expectation]
  /// How the golden is kept.
  public var golden: GoldenPolicy

  /// The instants that may occur: the years 2000 to 2200.
  static let range =
    EventTime(microseconds: 946_684_800_000_000)..<EventTime(microseconds: 7_289_654_400_000_000)

  /// The virtual end of traffic and jobs.
  public var end: EventTime { start + duration }

  /// The same without faults, with one consumer and everybody in turn.
  var undisturbed: Scenario {
    var scenario = self
    scenario.faults = []
    scenario.consumers = 1
    scenario.schedule = nil
    scenario.expectations = []
    return scenario
  }
}

/// Who and what is there at the start.
public struct Population: Hashable, Sendable {
  /// Accounts.
  public var users = 10
  /// Images, uploaded at the start by those users.
  public var images = 20
  /// The share of test accounts, at the start and later.
  public var testAccounts = 0.02
  /// The share of minors (13 to 17 years).
  public var minors = 0.1
  /// The share of users who turn 18 within the scenario's time or three days around it.
  public var nearBirthday = 0.02
  /// Whether ineligible users' actions are left out (everything else staying as it is).
  public var muteIneligible = false
  /// The share of images that are bad: the planted truth that a model should find. People flag them
  /// sooner or later; many have no caption, and one category has more of them. No feature says so.
  public var badImages = 0.0
}

/// The weights of the kinds of traffic.
public struct TrafficMix: Hashable, Sendable {
  /// Weight of views.
  public var view = 1.0
  /// Weight of comments.
  public var comment = 1.0
  /// Weight of uploads.
  public var upload = 1.0
  /// Weight of new users.
  public var user = 1.0
  /// Weight of flags.
  public var flag = 1.0
  /// Weight of image deletions.
  public var delete = 0.0
}

/// One entry of `traffic:`.
public enum TrafficEntry: Hashable, Sendable {
  /// Arrivals at random.
  case poisson(Poisson)
  /// Much at once on one image.
  case burst(Burst)
  /// One new account.
  case user(UserStep)
  /// One upload.
  case upload(UploadStep)
  /// Views, comments or flags on one image.
  case engagement(EngagementStep)
  /// Records already in the log, appended again.
  case duplicates(DuplicateStep)
  /// Records that aren't events.
  case poison(PoisonStep)

  /// Poisson arrivals between two offsets.
  public struct Poisson: Hashable, Sendable {
    /// Events per second.
    public var perSecond: Double
    /// What arrives.
    public var mix = TrafficMix()
    /// From when on.
    public var from = Duration.zero
    /// Until when; nil means the end.
    public var until: Duration?
    /// The share of views without a user.
    public var anonymous = 0.2
    /// The share of views, comments and flags that reach the API late.
    public var lateShare = 0.0
    /// How late those are at the most.
    public var lateBy = Duration.seconds(600)
  }

  /// A burst.
  public struct Burst: Hashable, Sendable {
    /// The image's alias; uploaded at the burst's start when nothing has that name yet.
    public var image: String
    /// When it starts.
    public var at: Duration
    /// How long it lasts.
    public var over: Duration
    /// Views in it.
    public var views = 0
    /// Comments in it.
    public var comments = 0
    /// Flags in it.
    public var flags = 0
  }

  /// A new account.
  public struct UserStep: Hashable, Sendable {
    /// The alias.
    public var alias: String
    /// When.
    public var at: Duration
    /// Year of birth.
    public var yearOfBirth: Int?
    /// Date of birth.
    public var dateOfBirth: CivilDate?
    /// A test account.
    public var isTestAccount = false
    /// How long ago the account was made.
    public var age = Duration.zero
  }

  /// An upload.
  public struct UploadStep: Hashable, Sendable {
    /// The alias.
    public var alias: String
    /// When.
    public var at: Duration
    /// The uploader's alias; nil takes any eligible user.
    public var by: String?
    /// The category.
    public var category: String?
    /// The caption.
    public var caption: String?
  }

  /// Views, comments or flags.
  public struct EngagementStep: Hashable, Sendable {
    /// What is done.
    public var kind: EventKind
    /// The image's alias.
    public var image: String
    /// When it is done first.
    public var at: Duration
    /// The actor's alias; nil takes any user.
    public var by: String?
    /// How many times.
    public var times = 1
    /// How far apart.
    public var every = Duration.seconds(1)
    /// How much earlier it happened than it reaches the API.
    public var lateBy = Duration.zero
    /// An alias for the (first) comment.
    public var alias: String?
    /// Whether the flag is on the image's newest comment, not on the image.
    public var onComment = false
  }

  /// Duplicated records.
  public struct DuplicateStep: Hashable, Sendable {
    /// When.
    public var at: Duration
    /// How many of the newest records of each source topic.
    public var last: Int
  }

  /// Malformed records.
  public struct PoisonStep: Hashable, Sendable {
    /// When.
    public var at: Duration
    /// The kind of event whose topic is hit.
    public var topic: EventKind
    /// The record's value.
    public var value: [UInt8]
    /// How many times.
    public var times = 1
  }
}

/// One entry of `actions:`.
public struct ScheduledAction: Hashable, Sendable {
  /// What an operator does.
  public enum Action: Hashable, Sendable {
    case deleteImage(String)
    case deleteComment(String)
    case correctUser(String, yearOfBirth: Int?, dateOfBirth: CivilDate?)
    case reviewImage(String, ReviewStatus)
    case reviewComment(String, ReviewStatus)
    case evolve(TableName, SchemaChange)
  }

  /// When.
  public var at: Duration
  /// What.
  public var action: Action
}

/// One run of a job.
public struct ScheduledJob: Hashable, Sendable {
  /// When, after the start; nil means at the end, once everything has settled.
  public var at: Duration?
  /// The job.
  public var job: JobName
  /// Whether it runs at the same time as the job before it in the file, not after it.
  public var isBeside = false
  /// What `promote` does.
  public var promotion = ModelPromotion.Order()
  /// How `training` trains; nil for the policy's way.
  public var training: TrainingOptions?
}

/// The jobs of a scenario.
public enum JobName: String, Hashable, Sendable, CaseIterable {
  case eventAggregation = "event-aggregation"
  case trainingSet = "training-set"
  case featureLog = "feature-log"
  case erasure
  case compaction
  case expire
  case training
  case promote
}

/// The services of a scenario.
public enum ServiceName: String, Hashable, Sendable, CaseIterable {
  case outboxRelay = "outbox-relay"
  case streamConsumer = "stream-consumer"
  case anchorScheduler = "anchor-scheduler"
  case riskScorer = "risk-scorer"
}

/// Who may suffer a fault.
public enum Component {
  /// What serves people's and moderators' requests.
  public static let api = ["intake", "review-desk"]
  /// All by name.
  public static let names =
    ServiceName.allCases.map(\.rawValue) + JobName.allCases.map(\.rawValue) + api
  /// The services that read as members of a consumer group.
  public static let consumers: [ServiceName] = [.streamConsumer, .riskScorer]
}

extension ScheduledFault {
  /// A fault of a service between two instants.
  public init(at: Duration, duration: Duration, kind: Kind, service: ServiceName) {
    self.init(kind, at: at, for: duration, of: service.rawValue)
  }
}

/// How a scenario's golden is kept.
public struct GoldenPolicy: Hashable, Sendable {
  /// Of how many images one is kept row by row; 1 keeps all. `summary.txt` has a fingerprint of
  /// every whole table, so that a change in any other row still shows.
  public var keepOneIn = 1
  /// Absolute tolerances by column.
  public var tolerances: [String: Double] = [:]
}

/// One entry of `expect:`.
public struct Expectation: Hashable, Sendable {
  /// A bound on a number.
  public struct Bound: Hashable, Sendable {
    /// The least allowed.
    public var atLeast: Double?
    /// The most allowed.
    public var atMost: Double?
    /// The only allowed.
    public var equals: Double?

    /// Whether a value keeps to it.
    public func admits(_ value: Double) -> Bool {
      (atLeast.map { value >= $0 - 1e-9 } ?? true) && (atMost.map { value <= $0 + 1e-9 } ?? true)
        && (equals.map { abs(value - $0) <= 1e-9 } ?? true)
    }
  }

  /// What is expected.
  public enum Kind: Hashable, Sendable {
    /// A score of an image.
    case scored(image: String, trigger: String?, Bound)
    /// No score of an image by a trigger.
    case unscored(image: String, trigger: String?)
    /// A feature of a score.
    case feature(image: String, trigger: String, feature: String, governed: Bool, Bound)
    /// No row of an image in a table.
    case absent(image: String, table: String)
    /// Nothing but declared retention holds the image any more.
    case erased(image: String)
    /// Some rows of an image in a table.
    case present(image: String, table: String)
    /// A column of a table.
    case column(name: String, table: String)
    /// A column of a training row.
    case training(image: String, decisionPoint: Int, column: String, Bound)
    /// A count of the summary.
    case count(name: String, Bound)
    /// Differences between the scorer's vectors and the training rows.
    case skew(feature: String?, SkewMetric, Bound)
    /// The same outcome as without faults, one consumer and everybody in turn.
    case undisturbed
  }

  /// What is expected.
  public var kind: Kind
  /// The entry as written, for reports.
  public var text: String
  /// The line in the scenario file.
  public var line: Int
}
