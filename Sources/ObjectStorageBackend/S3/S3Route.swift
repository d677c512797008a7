import Ports

/// Where a bucket's requests go: the server, how the bucket is named there, and the region that
/// signatures are made for.
struct S3Route: Hashable, Sendable {
  /// `http` or `https`.
  var scheme: String
  /// Host and port as in the `Host` header, without the bucket.
  var authority: String
  /// How the bucket is named.
  var style: S3Settings.Style
  /// The bucket's region.
  var region: String
  /// The bucket.
  let bucket: String

  /// The route that settings describe; `invalid` for a malformed endpoint or bucket.
  init(_ settings: S3Settings) throws(PortError) {
    var endpoint = settings.endpoint
    if endpoint.isEmpty { endpoint = "https://\(Self.amazon(settings.region))" }
    if endpoint.hasSuffix("/") { endpoint.removeLast() }
    guard let (scheme, authority) = Self.split(endpoint) else {
      throw PortError(
        .invalid, port: "ObjectStore", operation: "open",
        hint: "S3 endpoint '\(settings.endpoint)': it must be `http://` or `https://`, a host and "
          + "maybe a port, such as http://127.0.0.1:9000, and nothing after that")
    }
    let bucketBytes = settings.bucket.utf8
    guard (3...63).contains(bucketBytes.count), bucketBytes.allSatisfy(Self.isInBucketName) else {
      throw PortError(
        .invalid, port: "ObjectStore", operation: "open",
        hint: "S3 bucket '\(settings.bucket)': a bucket's name is 3 to 63 letters, digits, '-', "
          + "'.' or '_'")
    }
    (self.scheme, self.authority) = (scheme, authority)
    (style, region, bucket) = (settings.style, settings.region, settings.bucket)
  }

  /// Host and port, with the bucket where the style wants it.
  var host: String {
    switch style {
    case .path: authority
    case .host: "\(bucket).\(authority)"
    }
  }

  /// The encoded path of a key, or of the bucket.
  func path(_ key: String?) -> String {
    let encoded = PercentEncoding.encode(key ?? "", keepingSlashes: true)
    return switch style {
    case .path: "/\(bucket)/\(encoded)"
    case .host: "/\(encoded)"
    }
  }

  /// The server, for a person.
  var endpoint: String { "\(scheme)://\(authority)" }

  /// Where a server sends us; nil when it doesn't say, when that is where we were, or when
  /// encryption would be lost.
  ///
  /// - Parameter error: the answer's document, if it has one.
  func redirected(by response: HTTPResponse, _ error: S3ErrorDocument?) -> S3Route? {
    var route = self
    if let region = response.headers["x-amz-bucket-region"] ?? error?.region {
      if authority == Self.amazon(self.region) { route.authority = Self.amazon(region) }
      route.region = region
    }
    if let location = response.headers["location"], let (scheme, host) = Self.split(location) {
      route.scheme = scheme
      route.adopt(host: host)
    } else if let host = error?.endpoint, Self.split("\(scheme)://\(host)") != nil {
      route.adopt(host: host)
    }
    return route == self || scheme == "https" && route.scheme != "https" ? nil : route
  }

  /// Takes a host that may begin with the bucket.
  private mutating func adopt(host: String) {
    let isHostStyle = host.hasPrefix("\(bucket).")
    style = isHostStyle ? .host : .path
    authority = isHostStyle ? String(host.dropFirst(bucket.count + 1)) : host
  }

  private static func amazon(_ region: String) -> String { "s3.\(region).amazonaws.com" }

  /// Scheme and authority of an address; nil when there is none.
  private static func split(_ address: String) -> (scheme: String, authority: String)? {
    for scheme in ["http", "https"] where address.hasPrefix("\(scheme)://") {
      let rest = address.dropFirst(scheme.count + 3)
      let authority = rest.prefix { !"/?#".contains($0) }
      let isPlain = authority.utf8.allSatisfy { isInBucketName($0) || ":[]".utf8.contains($0) }
      return authority.isEmpty || !isPlain ? nil : (scheme, String(authority))
    }
    return nil
  }

  private static func isInBucketName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
