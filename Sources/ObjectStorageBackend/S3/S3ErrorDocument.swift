import Ports

/// What an S3 server says went wrong.
struct S3ErrorDocument: Equatable {
  /// Such as `NoSuchKey`; empty when the server gives none.
  var code = ""
  /// In words, as the server puts it.
  var message = ""
  /// The region in which the bucket is.
  var region: String?
  /// The host at which the bucket is.
  var endpoint: String?

  /// Reads an answer's body; nil when it is none. Proxies answer with pages of their own.
  init?(_ body: [UInt8]) {
    // What isn't an error of S3 is told by its status.
    guard let root = try? XMLReader.read(body), root.name == "Error" else { return nil }
    self.init(root)
  }

  /// Reads an `Error` element.
  init(_ element: XMLElement) {
    code = element["Code"]?.text ?? ""
    message = element["Message"]?.text ?? ""
    region = element["Region"]?.text
    endpoint = element["Endpoint"]?.text
  }
}

/// An answer that isn't the one asked for, as the port tells it.
struct S3Refusal {
  /// The status.
  let status: Int
  /// The document, if the answer has one.
  let error: S3ErrorDocument?
  /// The request, for a person: `PUT s3://bucket/key at http://…`.
  let request: String
  /// The bucket.
  let bucket: String
  /// The server's clock, as the answer's header has it.
  let date: String?

  /// What the caller of the port is told.
  func portError(_ operation: String) -> PortError {
    let (code, cure) = verdict
    let said = [error?.code, error?.message].compactMap { $0 }.filter { !$0.isEmpty }
    let answer = ([String(status)] + said.map { String($0.prefix(300)) }).joined(separator: ", ")
    return PortError(
      code, port: "ObjectStore", operation: operation, hint: "\(request): \(answer); \(cure)")
  }

  private var verdict: (PortError.Code, cure: String) {
    switch error?.code ?? "" {
    case "NoSuchKey": (.notFound, "no such object")
    case "NoSuchBucket":
      (.notFound, "create the bucket '\(bucket)', or set another in the settings")
    case "InvalidAccessKeyId": (.denied, "set the access key that the server knows")
    case "SignatureDoesNotMatch": (.denied, "set the secret key that belongs to the access key")
    case "RequestTimeTooSkewed":
      (.denied, "set this machine's clock: the server's shows \(date ?? "another time")")
    case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
      (.denied, "get a fresh access key with its session token")
    case "KeyTooLongError": (.invalid, "choose a shorter key or prefix")
    case "EntityTooLarge": (.invalid, "the server takes no object of that size")
    case "AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException":
      (.invalid, "set the bucket's region\(error?.region.map { " (\($0))" } ?? "") and endpoint")
    default: statusVerdict
    }
  }

  private var statusVerdict: (PortError.Code, cure: String) {
    switch status {
    case 401, 403:
      (.denied, "let this access key list, read, write and delete in the bucket '\(bucket)'")
    case 404: (.notFound, "no such object")
    case 409, 412: (.conflict, "another writer was first")
    case 507: (.unavailable, "free some space on the server, then try again")
    case 501: (.invalid, "this server can't do that; `check` lists what is needed")
    case 408, 429, 500...: (.unavailable, "look at the server's log, then try again")
    default: (.invalid, "look at the endpoint, which may not be an S3 server's")
    }
  }
}
