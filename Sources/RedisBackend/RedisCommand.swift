/// A command and its arguments, as bytes.
struct RedisCommand: Sendable {
  private let arguments: [[UInt8]]

  /// A command whose arguments are text.
  init(_ words: String...) { self.init(words) }

  /// A command whose arguments are text.
  init(_ words: [String]) { arguments = words.map { Array($0.utf8) } }

  /// A script that the server knows by its hash, with arguments and no keys: they are made of the
  /// first argument, the prefix.
  init(script hash: String, _ scriptArguments: [[UInt8]]) {
    arguments = [Array("EVALSHA".utf8), Array(hash.utf8), Array("0".utf8)] + scriptArguments
  }

  /// Appends the command in Redis' protocol (RESP2): a list of strings, each with its length.
  func append(to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "*\(arguments.count)\r\n".utf8)
    for argument in arguments {
      bytes.append(contentsOf: "$\(argument.count)\r\n".utf8)
      bytes.append(contentsOf: argument)
      bytes.append(contentsOf: [13, 10])
    }
  }
}
