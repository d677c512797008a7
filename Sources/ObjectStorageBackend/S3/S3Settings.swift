/// How to reach and use an S3 bucket; every property's default is what a run without a line about
/// it has.
public struct S3Settings: Hashable, Sendable {
  /// How a bucket is named in a request.
  public enum Style: String, Hashable, Sendable {
    /// `http://endpoint/bucket/key`: what most servers beside Amazon's understand.
    case path
    /// `http://bucket.endpoint/key`.
    case host
  }

  /// Where the server is: `http://` or `https://`, host and port; empty for Amazon's of the region.
  public var endpoint = ""
  /// The bucket, which must exist.
  public var bucket = ""
  /// The bucket's region, which signatures contain; a server that names another is believed.
  public var region = "us-east-1"
  /// How the bucket is named in a request.
  public var style = Style.path
  /// The access key's id; empty for a bucket that anyone may use, whose requests aren't signed.
  public var accessKey = ""
  /// The access key's secret.
  public var secretKey = ""
  /// The token that comes with a temporary access key; empty without one.
  public var sessionToken = ""
  /// What every key begins with in the bucket, such as `runs/17/`; callers see keys without it.
  public var prefix = ""
  /// Whether the server's certificate and name are verified, for `https`.
  public var verifiesTLS = true
  /// A file of certificates to trust instead of the system's; empty for the system's.
  public var certificates = ""
  /// The longest wait for a connection.
  public var connectTimeLimit = Duration.seconds(5)
  /// The longest that one attempt may take altogether.
  public var timeLimit = Duration.seconds(300)
  /// The longest that an attempt may go on with hardly a byte a second.
  public var stallTimeLimit = Duration.seconds(20)
  /// How often a call is tried, the first time included.
  public var attempts = 6
  /// The wait before the second attempt; each further one is twice as long.
  public var firstDelay = Duration.milliseconds(100)
  /// The longest wait between attempts.
  public var longestDelay = Duration.seconds(5)
  /// The bytes of a part: what `put` gets more of goes up in parts. At least 5 MiB for Amazon's.
  public var partSize = 16 << 20
  /// The keys asked for at once when listing or deleting, at most 1000.
  public var pageSize = 1000
  /// The connections kept open between calls.
  public var connections = 16

  /// The defaults.
  public init() {}
}
