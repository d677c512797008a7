/// Amazon's signature of a request, version 4 (`AWS4-HMAC-SHA256`): everything a request says is
/// signed, its body by its hash.
struct S3Signature {
  /// Whose signature it is.
  struct Credentials: Hashable, Sendable {
    /// The access key's id.
    var accessKey: String
    /// Its secret.
    var secretKey: String
    /// The token that comes with a temporary one; empty without.
    var sessionToken: String
  }

  /// The signer.
  let credentials: Credentials
  /// The region that the signature is good for.
  let region: String
  /// When it is made, as `20251123T071900Z`.
  let time: String

  /// The headers of a signed request: those given, the three that a signature needs (four with a
  /// session token), and the signature itself.
  ///
  /// - Parameters:
  ///   - path: encoded, from the first slash.
  ///   - query: encoded and sorted, as it is sent.
  ///   - headers: all that is sent; `Host` must be among them.
  ///   - bodyHash: the SHA-256 of the body, in hexadecimal.
  func headers(
    method: String, path: String, query: String, headers: [HTTPField], bodyHash: String
  ) -> [HTTPField] {
    var signed = headers
    signed.append(("x-amz-content-sha256", bodyHash))
    signed.append(("x-amz-date", time))
    if !credentials.sessionToken.isEmpty {
      signed.append(("x-amz-security-token", credentials.sessionToken))
    }
    let canonical = signed.map { (name: $0.name.lowercased(), value: $0.value) }
      .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    let names = canonical.map(\.name).joined(separator: ";")
    let lines = canonical.map { "\($0.name):\($0.value)\n" }.joined()
    let request = [method, path, query, lines, names, bodyHash].joined(separator: "\n")
    let authorization =
      "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope),"
      + "SignedHeaders=\(names),Signature=\(signature(of: request))"
    return signed + [("Authorization", authorization)]
  }

  private var day: String { String(time.prefix(8)) }
  private var scope: String { "\(day)/\(region)/s3/aws4_request" }

  private func signature(of request: String) -> String {
    let hash = SHA256.hexHash(Array(request.utf8))
    let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(hash)"
    let key = [day, region, "s3", "aws4_request"]
      .reduce(Array("AWS4\(credentials.secretKey)".utf8)) { SHA256.authenticate($1, key: $0) }
    return SHA256.hex(SHA256.authenticate(text, key: key))
  }
}
