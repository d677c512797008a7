import Moderation
import Simulation

// Scenarios made in code: the words are those of scenario files, and so are the defaults.

extension Scenario {
  /// A scenario without traffic, jobs, faults and expectations; the rest is as in a file that
  /// doesn't mention it.
  ///
  /// - Parameters:
  ///   - name: lowercase letters, digits and dashes; also the golden folder's.
  ///   - duration: how long traffic and jobs go on, in virtual time.
  /// - Throws: when the name is no name or the duration isn't positive.
  public init(name: String, duration: Duration) throws(ScenarioError) {
    var quoted: [UInt8] = []
    JSONWriter.appendString(name, to: &quoted)
    let name = String(decoding: quoted, as: UTF8.self)
    try self.init(
      yaml: "name: \(name)\nabout: Made in code.\nduration: \(duration.microseconds)us",
      file: "scenario in code")
  }

  /// Checks what the reader of scenario files would have: that somebody makes each alias that
  /// traffic and actions use, and that nothing is asked for after the end.
  ///
  /// It doesn't check expectations.
  public func check() throws(ScenarioError) {
    let made = aliases
    for use in traffic.map(\.use) + actions.map(\.use) {
      guard use.at <= duration else {
        throw ScenarioError(
          file: name, message: "something at \(use.at) lies after the end, \(duration)")
      }
      for (kind, alias) in [
        ("image", use.image), ("user", use.user), ("comment", use.comment),
      ] {
        guard let alias, let fault = made.fault(kind, alias, at: use.at) else { continue }
        throw ScenarioError(file: name, message: fault.message, hint: fault.hint)
      }
    }
  }

  /// The names that the scenario gives.
  var aliases: MadeAliases {
    var made = MadeAliases()
    for index in 0..<population.images { made.images["image-\(index + 1)"] = .zero }
    for index in 0..<population.users { made.users["user-\(index + 1)"] = .zero }
    for entry in traffic {
      switch entry {
      case .burst(let burst): made.images[burst.image, default: burst.at].lower(to: burst.at)
      case .upload(let upload): made.images[upload.alias, default: upload.at].lower(to: upload.at)
      case .user(let user): made.users[user.alias, default: user.at].lower(to: user.at)
      case .engagement(let step):
        if let alias = step.alias { made.comments[alias, default: step.at].lower(to: step.at) }
      default: break
      }
    }
    return made
  }
}

/// The names that a scenario gives, by kind, and from when on they are somebody's: zero for what is
/// there at the start.
struct MadeAliases {
  var images: [String: Duration] = [:]
  var users: [String: Duration] = [:]
  var comments: [String: Duration] = [:]

  /// Those of a kind: `image`, `user`, `comment`, or `image or user`.
  subscript(kind: String) -> [String: Duration] {
    switch kind {
    case "image": images
    case "user": users
    case "comment": comments
    default: images.merging(users, uniquingKeysWith: min)
    }
  }

  /// What is wrong with the use of a name at an instant; nil when nothing is.
  func fault(
    _ kind: String, _ alias: String, at instant: Duration?
  ) -> (message: String, hint: String)? {
    guard let made = self[kind][alias] else {
      let known = self[kind].keys.sorted().filter { !$0.contains("-") }
      return (
        "there is no \(kind) '\(alias)'", YAMLReader(file: "").suggestion(alias, known)
      )
    }
    guard let instant, instant < made else { return nil }
    return (
      "there is no \(kind) '\(alias)' yet at \(instant.short)",
      "it is made at \(made.short): use it then or later"
    )
  }
}

extension Duration {
  fileprivate mutating func lower(to other: Duration) { self = min(self, other) }
}

/// When an entry happens and which aliases it needs.
private typealias AliasUse = (at: Duration, image: String?, user: String?, comment: String?)

extension TrafficEntry {
  fileprivate var use: AliasUse {
    switch self {
    case .poisson(let poisson): (poisson.from, nil, nil, nil)
    case .burst(let burst): (burst.at + burst.over, nil, nil, nil)
    case .user(let user): (user.at, nil, nil, nil)
    case .upload(let upload): (upload.at, nil, upload.by, nil)
    case .engagement(let step): (step.at, step.image, step.by, nil)
    case .duplicates(let step): (step.at, nil, nil, nil)
    case .poison(let step): (step.at, nil, nil, nil)
    }
  }

  /// Arrivals at random from the start to the end, `perHour` on average.
  public static func poisson(perHour: Double) -> TrafficEntry {
    .poisson(Poisson(perSecond: perHour / 3600))
  }

  /// Much at once on one image, which is uploaded at the start when nothing has that name yet.
  public static func burst(
    on image: String, at: Duration, over: Duration, views: Int = 0, comments: Int = 0,
    flags: Int = 0
  ) -> TrafficEntry {
    .burst(
      Burst(image: image, at: at, over: over, views: views, comments: comments, flags: flags))
  }

  /// One new account.
  public static func user(
    as alias: String, at: Duration, dateOfBirth: CivilDate? = nil, isTestAccount: Bool = false
  ) -> TrafficEntry {
    .user(
      UserStep(alias: alias, at: at, dateOfBirth: dateOfBirth, isTestAccount: isTestAccount))
  }

  /// One upload, by any eligible user unless one is named.
  public static func upload(
    as alias: String, at: Duration, by user: String? = nil, category: String? = nil
  ) -> TrafficEntry {
    .upload(UploadStep(alias: alias, at: at, by: user, category: category))
  }

  /// Views, comments or flags of one image, by any user unless one is named.
  ///
  /// - Parameters:
  ///   - every: how far apart they are.
  ///   - lateBy: how much earlier each happened than it reaches the API.
  ///   - alias: a name for the (first) comment.
  public static func engagement(
    _ kind: EventKind, on image: String, at: Duration, by user: String? = nil, times: Int = 1,
    every: Duration = .seconds(1), lateBy: Duration = .zero, as alias: String? = nil
  ) -> TrafficEntry {
    .engagement(
      EngagementStep(
        kind: kind, image: image, at: at, by: user, times: times, every: every, lateBy: lateBy,
        alias: alias))
  }
}

extension ScheduledAction {
  fileprivate var use: AliasUse {
    switch action {
    case .deleteImage(let alias), .reviewImage(let alias, _): (at, alias, nil, nil)
    case .deleteComment(let alias), .reviewComment(let alias, _): (at, nil, nil, alias)
    case .correctUser(let alias, _, _): (at, nil, alias, nil)
    case .evolve: (at, nil, nil, nil)
    }
  }

  /// What an operator does at an instant after the start.
  public static func at(_ at: Duration, _ action: Action) -> ScheduledAction {
    ScheduledAction(at: at, action: action)
  }
}

extension ScheduledJob {
  /// A job at an instant after the start.
  public static func at(_ at: Duration, _ job: JobName) -> ScheduledJob {
    ScheduledJob(at: at, job: job)
  }

  /// A job at the end, once everything has settled.
  public static func atEnd(_ job: JobName) -> ScheduledJob { ScheduledJob(at: nil, job: job) }
}
