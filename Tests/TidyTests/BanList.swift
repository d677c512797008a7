/// A call that mustn't be written, and what to write instead.
struct BannedCall: Sendable {
  /// What reports and allowances call it.
  let token: String
  /// The tokens that spell it.
  let spelling: [String]
  /// What to write instead.
  let replacement: String
  /// Whether the occurrence at an index is innocent after all.
  let excuse: Excuse

  /// Decides about one occurrence, given all tokens and the index of its first.
  typealias Excuse = @Sendable ([Token], Int) -> Bool

  /// A banned call; its spelling is the token's, unless another is given.
  init(
    _ token: String, _ spelling: [String]? = nil, instead replacement: String,
    unless excuse: @escaping Excuse = { _, _ in false }
  ) {
    self.token = token
    self.spelling = spelling ?? Lexer.read(token).tokens.map(\.text)
    self.replacement = replacement
    self.excuse = excuse
  }
}

/// Banned calls and the files in which they are banned.
struct BanList: Sendable {
  /// What files it is for, as a report says it.
  let scope: String
  /// Whether it is for a file.
  let applies: @Sendable (SourceFile) -> Bool
  /// What is banned.
  let calls: [BannedCall]

  /// All occurrences in the file, allowances not yet considered.
  func violations(in file: SourceFile) -> [Violation] {
    guard applies(file) else { return [] }
    return calls.flatMap { call in
      file.indices(of: call.spelling)
        .filter { !call.excuse(file.tokens, $0) }
        .map { index in
          Violation(
            path: file.path, line: file.tokens[index].line, token: call.token,
            problem: "`\(call.token)` is banned in \(scope)", fix: call.replacement)
        }
    }
  }
}

extension BanList {
  /// Targets that run on the virtual clock.
  static let simulatedTargets = [
    "Moderation", "Ports", "Pipeline", "Simulation", "InMemoryBackends", "Harness",
  ]

  /// Every list there is.
  static let all = [simulated, printing, escapes, traps, tests]

  /// Real clocks, real randomness, tasks off the executor and hidden state.
  static let simulated = BanList(
    scope: "targets that run on the virtual clock",
    applies: { file in
      file.tree == "Sources" && simulatedTargets.contains(file.target ?? "")
    },
    calls: clocks + ids + generators + tasks + ambient)

  /// Output is the executable's.
  static let printing = BanList(
    scope: "everything but Sources/rehearsal",
    applies: { $0.tree != nil && !$0.path.hasPrefix("Sources/rehearsal/") },
    calls: ["print", "debugPrint", "fputs"].map { name in
      BannedCall(
        "\(name)(", instead: "return the text, or record it with `Environment.record`",
        unless: isMemberOrDeclaration)
    })

  /// Promises that the compiler can't check.
  static let escapes = BanList(
    scope: "files without an allowance",
    applies: { _ in true },
    calls: [
      BannedCall(
        "@unchecked Sendable", ["@", "unchecked"],
        instead: "a `Mutex` around the state, or an allowance with its reason"),
      BannedCall(
        "nonisolated(unsafe)",
        instead: "a `let`, a `Mutex`, or an allowance with its reason"),
    ])

  /// Traps that say nothing.
  static let traps = BanList(
    scope: "every file",
    applies: { _ in true },
    calls: ["fatalError", "preconditionFailure"].flatMap { name in
      [["(", ")"], ["(", "\"\""]].map { end in
        BannedCall(
          "\(name)()", [name] + end, instead: "a message with the state that shows the mistake")
      }
    })

  /// What makes a test slow, flaky or empty.
  static let tests = BanList(
    scope: "tests",
    applies: { $0.tree == "Tests" },
    calls: clocks + ids + [
      sleep,
      BannedCall(
        "sleep(", instead: "`environment.time.sleep(for:)` on a VirtualClock",
        unless: isOwnMemberOrDeclaration),
      BannedCall("usleep(", instead: "`environment.time.sleep(for:)` on a VirtualClock"),
      BannedCall("#expect(true)", instead: "the condition that the test is about"),
    ])
}

extension BanList {
  private static let clocks = [
    BannedCall("Date()", instead: "Environment.time (`environment.now`)"),
    BannedCall("Date.now", instead: "Environment.time (`environment.now`)"),
  ]

  private static let ids = [
    BannedCall("UUID()", instead: "Environment.ids (`environment.ids.make(label:)`)")
  ]

  private static let generators =
    [
      BannedCall(
        "SystemRandomNumberGenerator", instead: "a labelled stream of RandomStreams")
    ]
    + ["random", "shuffled", "shuffle", "randomElement"].map { name in
      BannedCall(
        ".\(name)(", instead: "`.\(name)(…, using: &stream)` with a stream of RandomStreams",
        unless: namesGenerator)
    }

  private static let sleep = BannedCall(
    "Task.sleep", instead: "Environment.time (`environment.time.sleep(for:)`)")

  private static let tasks = [
    BannedCall(
      "Task {", instead: "structured child tasks (`withTaskGroup`, `async let`)",
      unless: namesType),
    BannedCall("Task(", instead: "structured child tasks (`withTaskGroup`, `async let`)"),
    BannedCall(
      "Task<", instead: "structured child tasks (`withTaskGroup`, `async let`)",
      unless: onlyNamesHandle),
    BannedCall("Task.init", instead: "structured child tasks (`withTaskGroup`, `async let`)"),
    BannedCall("Task.detached", instead: "structured child tasks (`withTaskGroup`, `async let`)"),
    BannedCall("Task.immediate", instead: "structured child tasks (`withTaskGroup`, `async let`)"),
    sleep,
    BannedCall("MainActor", instead: "no actor: a `Mutex`, or state passed to the child task"),
    BannedCall("DispatchQueue", instead: "structured child tasks on the SimulationExecutor"),
  ]

  private static let ambient = [
    BannedCall("ContinuousClock", instead: "Environment.time"),
    BannedCall("SuspendingClock", instead: "Environment.time"),
    BannedCall("getenv", instead: "an initialiser's argument; `rehearsal` reads the environment"),
    BannedCall(
      "ProcessInfo", instead: "an initialiser's argument; `rehearsal` reads the environment"),
    BannedCall("@TaskLocal", instead: "an initialiser's argument, or the Environment"),
    BannedCall(
      "static var", instead: "`static let`, or state passed through initialisers",
      unless: isComputed),
  ]
}

extension BanList {
  /// Whether the call's own arguments include `using:`.
  @Sendable private static func namesGenerator(_ tokens: [Token], at index: Int) -> Bool {
    guard let end = tokens.closing(of: index + 2) else { return false }
    var depth = 0
    for position in (index + 2)..<end {
      depth += tokens[position].nesting
      if depth == 1, tokens.matches(["using", ":"], at: position) { return true }
    }
    return false
  }

  /// Whether the word is the name in a declaration, as in `extension Task {`.
  @Sendable private static func namesType(_ tokens: [Token], at index: Int) -> Bool {
    ["extension", "struct", "class", "enum", "actor"].contains(tokens.text(before: index))
  }

  /// Whether a generic `Task` is a type annotation, not followed by a closure or arguments.
  @Sendable private static func onlyNamesHandle(_ tokens: [Token], at index: Int) -> Bool {
    let annotated = [":", "->"].contains(tokens.text(before: index))
    guard !annotated, let end = tokens[index...].firstIndex(where: { $0.text == ">" }) else {
      return true
    }
    return !tokens.matches(["{"], at: end + 1) && !tokens.matches(["("], at: end + 1)
  }

  /// Whether it is another type's method: `report.print(…)`, but not `Swift.print(…)`.
  @Sendable private static func isMemberOrDeclaration(_ tokens: [Token], at index: Int) -> Bool {
    switch tokens.text(before: index) {
    case "func": true
    case ".": index < 2 || !["Swift", "Foundation", "Glibc"].contains(tokens[index - 2].text)
    default: false
    }
  }

  /// Whether it is a sleep on a clock of ours, not the thread's or the C library's; `Task.sleep`
  /// has its own rule.
  @Sendable private static func isOwnMemberOrDeclaration(_ tokens: [Token], at index: Int) -> Bool {
    isMemberOrDeclaration(tokens, at: index)
      && !(index >= 2 && tokens[index - 2].text == "Thread")
  }

  /// Whether the variable has a body in place of storage; one with observers is stored.
  @Sendable private static func isComputed(_ tokens: [Token], at index: Int) -> Bool {
    var depth = 0
    for position in (index + 2)..<max(index + 2, tokens.count) {
      let token = tokens[position]
      if depth == 0, token.text == "=" { return false }
      if depth == 0, token.text == "{" {
        let next = position + 1 < tokens.count ? tokens[position + 1].text : ""
        return next != "willSet" && next != "didSet"
      }
      let continues = [":", ".", "&", ",", "->", "any", "some"].contains(tokens[position - 1].text)
      let endsType = depth == 0 && token.line > tokens[position - 1].line && !continues
      depth += token.nesting
      if depth < 0 || endsType && token.text != "&" && token.text != "." { return false }
    }
    return false
  }
}
