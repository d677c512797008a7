import Ports

/// The attempts of one call: what to do after each. It waits longer from one to the next, follows
/// a server that sends it elsewhere, and knows at the end whether the call may have been carried
/// out.
struct S3Attempts {
  /// What comes next.
  enum Step: Equatable {
    /// That is the answer.
    case answer(HTTPResponse)
    /// The same again, after a wait.
    case again(after: Duration)
    /// The same elsewhere, at once; from now on every call when the move is for good.
    case follow(S3Route, isPermanent: Bool)
    /// Enough.
    case giveUp(PortError.Code, reason: String)
  }

  /// How often a call follows a redirection.
  private static let mostRedirections = 3

  private let settings: S3Settings
  private let changes: Bool
  private var made = 0
  private var redirections = 0
  private var mayBeDone = false

  /// Before the first attempt.
  ///
  /// - Parameter changes: whether the call changes what is stored.
  init(_ settings: S3Settings, changes: Bool) {
    self.settings = settings
    self.changes = changes
  }

  /// What to do after an attempt.
  ///
  /// - Parameters:
  ///   - route: where it went.
  ///   - jitter: from 0 to 1: how much of a wait's second half is waited.
  mutating func next(
    after outcome: Result<HTTPResponse, TransferFailure>, on route: S3Route, jitter: Double
  ) -> Step {
    switch outcome {
    case .failure(let failure):
      if failure.mayHaveArrived { mayBeDone = true }
      guard failure.isTransient else { return .giveUp(.invalid, reason: failure.reason) }
      return again(.unavailable, failure.reason, jitter)
    case .success(let response): return next(after: response, on: route, jitter)
    }
  }

  private mutating func next(
    after response: HTTPResponse, on route: S3Route, _ jitter: Double
  ) -> Step {
    let error = response.isSuccess ? nil : S3ErrorDocument(response.body)
    if Self.isElsewhere(response, error) {
      redirections += 1
      if redirections <= Self.mostRedirections, let other = route.redirected(by: response, error) {
        return .follow(other, isPermanent: ![302, 307].contains(response.status))
      }
    }
    guard let code = Self.retryable(response, error) else { return .answer(response) }
    // Of these it is known that nothing was done.
    if ![408, 409, 429, 503].contains(response.status) { mayBeDone = true }
    let said = [error?.code, error?.message].compactMap { $0 }.filter { !$0.isEmpty }
    let answer = ([String(response.status)] + said).joined(separator: ", ")
    return again(code, String(answer.prefix(400)), jitter)
  }

  /// Another attempt, unless it was the last.
  private mutating func again(
    _ code: PortError.Code, _ reason: String, _ jitter: Double
  ) -> Step {
    made += 1
    if made < settings.attempts {
      return .again(after: Self.delay(settings, attempt: made, jitter: jitter))
    }
    return .giveUp(
      changes && mayBeDone ? .unknownOutcome : code, reason: "\(reason) (attempt \(made))")
  }

  /// The wait after so many attempts: from half of a doubling span to all of it.
  static func delay(_ settings: S3Settings, attempt: Int, jitter: Double) -> Duration {
    var delay = settings.firstDelay
    for _ in 1..<max(attempt, 1) where delay < settings.longestDelay { delay *= 2 }
    return min(delay, settings.longestDelay) * (0.5 + jitter / 2)
  }

  private static func isElsewhere(_ response: HTTPResponse, _ error: S3ErrorDocument?) -> Bool {
    [301, 302, 307, 308].contains(response.status)
      || error?.code == "AuthorizationHeaderMalformed" && error?.region != nil
  }

  /// The code of an answer that may be another next time; nil when it stays.
  private static func retryable(
    _ response: HTTPResponse, _ error: S3ErrorDocument?
  ) -> PortError.Code? {
    switch response.status {
    case 408, 429, 500, 502, 503, 504: .unavailable
    case 400 where error?.code == "RequestTimeout": .unavailable
    case 409 where ["OperationAborted", "ConditionalRequestConflict"].contains(error?.code):
      .conflict
    default: nil
    }
  }
}
