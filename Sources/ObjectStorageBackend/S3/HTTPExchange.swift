/// A header's or a query's name and value.
typealias HTTPField = (name: String, value: String)

/// What is sent to a server.
struct HTTPRequest {
  /// The method, in upper case.
  var method: String
  /// `http://host:port/path?query`, encoded.
  var url: String
  /// The headers, `Host` among them.
  var headers: [HTTPField]
  /// The body; nil for a method that has none.
  var body: [UInt8]?
}

/// What a server answers.
struct HTTPResponse: Equatable {
  /// The status, such as 200.
  var status = 0
  /// Values by name in lower case; of a name that comes twice, the last.
  var headers: [String: String] = [:]
  /// The body.
  var body: [UInt8] = []

  /// Whether the status is one of success.
  var isSuccess: Bool { (200..<300).contains(status) }
}

/// Why there is no answer.
struct TransferFailure: Error, Equatable {
  /// In words.
  var reason: String
  /// Whether the server may have seen the request.
  var mayHaveArrived: Bool
  /// Whether another attempt may do better: not when an address is malformed.
  var isTransient: Bool
}
