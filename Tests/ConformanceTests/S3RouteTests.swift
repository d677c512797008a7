import Ports
import Testing

@testable import ObjectStorageBackend

/// Where requests go, and what follows an attempt.
@Suite("S3 routes and attempts")
struct S3RouteTests {
  private static func settings(
    _ endpoint: String, _ style: S3Settings.Style = .path, bucket: String = "lake"
  ) -> S3Settings {
    var settings = S3Settings()
    settings.endpoint = endpoint
    settings.bucket = bucket
    settings.style = style
    return settings
  }

  @Test(
    "A key's address, by path and by host",
    arguments: [
      ("http://h:9000", S3Settings.Style.path, "h:9000", "/lake/a/b%20c"),
      ("http://h:9000/", .host, "lake.h:9000", "/a/b%20c"),
      ("https://[::1]:1", .path, "[::1]:1", "/lake/a/b%20c"),
      ("", .path, "s3.us-east-1.amazonaws.com", "/lake/a/b%20c"),
      ("", .host, "lake.s3.us-east-1.amazonaws.com", "/a/b%20c"),
    ])
  func address(
    endpoint: String, style: S3Settings.Style, host: String, path: String
  ) throws {
    let route = try S3Route(Self.settings(endpoint, style))
    #expect(route.host == host)
    #expect(route.path("a/b c") == path)
    #expect(route.path(nil) == (style == .path ? "/lake/" : "/"))
  }

  @Test(
    "Settings that can't be right are refused with the cure",
    arguments: [
      settings("localhost:9000"), settings("ftp://h"), settings("http://"),
      settings("http://user:pass@h"), settings("http://h", bucket: ""),
      settings("http://h", bucket: "a/b"), settings("http://h", bucket: "ab"),
    ])
  func badSettings(settings: S3Settings) {
    let error = #expect(throws: PortError.self) { try S3ObjectStore(settings) }
    #expect(error?.code == .invalid)
  }

  @Test("A prefix that isn't a path is refused", arguments: ["/", "a//b", "../", "a/./", "a\n"])
  func badPrefix(prefix: String) {
    var settings = Self.settings("http://h")
    settings.prefix = prefix
    #expect(throws: PortError.self) { try S3ObjectStore(settings) }
  }

  @Test("A server that sends elsewhere is followed, but not out of encryption")
  func redirection() throws {
    let route = try S3Route(Self.settings("https://h"))
    func redirected(_ headers: [String: String], _ body: String = "") -> S3Route? {
      route.redirected(
        by: HTTPResponse(status: 301, headers: headers), S3ErrorDocument(Array(body.utf8)))
    }
    #expect(redirected(["location": "https://other:9/lake/k?x"])?.host == "other:9")
    let byHost = redirected(["location": "https://lake.s3.eu.example/k"])
    #expect(byHost?.host == "lake.s3.eu.example")
    #expect(byHost?.path("k") == "/k")
    let moved = redirected(
      [:], "<Error><Code>PermanentRedirect</Code><Endpoint>lake.e</Endpoint></Error>")
    #expect(moved?.host == "lake.e")
    #expect(redirected(["x-amz-bucket-region": "eu-west-1"])?.region == "eu-west-1")
    #expect(
      redirected([:], "<Error><Code>A</Code><Region>eu-west-1</Region></Error>")?.region
        == "eu-west-1")
    #expect(redirected(["location": "http://other/lake/k"]) == nil)
    #expect(redirected(["location": "https://h/lake/k"]) == nil)
    #expect(redirected(["location": "/lake/k"]) == nil)
    #expect(redirected([:]) == nil)
  }

  @Test("Amazon's server of another region is found by the region")
  func regionOfAmazon() throws {
    let route = try S3Route(Self.settings(""))
    let response = HTTPResponse(status: 301, headers: ["x-amz-bucket-region": "eu-west-1"])
    #expect(route.redirected(by: response, nil)?.host == "s3.eu-west-1.amazonaws.com")
  }

  private static let lost = TransferFailure(
    reason: "lost", mayHaveArrived: true, isTransient: true)
  private static let refused = TransferFailure(
    reason: "refused", mayHaveArrived: false, isTransient: true)

  /// The code with which a call gives up.
  private func end(
    _ outcomes: [Result<HTTPResponse, TransferFailure>], changes: Bool = true
  ) throws -> PortError.Code? {
    var settings = Self.settings("http://h")
    settings.attempts = outcomes.count
    var attempts = S3Attempts(settings, changes: changes)
    let route = try S3Route(settings)
    for outcome in outcomes {
      if case .giveUp(let code, _) = attempts.next(after: outcome, on: route, jitter: 0) {
        return code
      }
    }
    return nil
  }

  @Test("The end of the attempts tells whether something may have been done")
  func ends() throws {
    let slowDown = Result<HTTPResponse, TransferFailure>.success(HTTPResponse(status: 503))
    let broken = Result<HTTPResponse, TransferFailure>.success(HTTPResponse(status: 500))
    #expect(try end([.failure(Self.refused), .failure(Self.refused)]) == .unavailable)
    #expect(try end([.failure(Self.lost), .failure(Self.refused)]) == .unknownOutcome)
    #expect(try end([.failure(Self.lost), .failure(Self.lost)], changes: false) == .unavailable)
    #expect(try end([slowDown, slowDown]) == .unavailable)
    #expect(try end([broken, slowDown]) == .unknownOutcome)
    var lasting = Self.refused
    lasting.isTransient = false
    #expect(try end([.failure(lasting), .failure(Self.refused)]) == .invalid)
  }

  @Test("Answers that stay the same end a call", arguments: [200, 204, 206, 403, 404, 412, 416])
  func answers(status: Int) throws {
    var attempts = S3Attempts(S3Settings(), changes: true)
    let response = HTTPResponse(status: status)
    let step = attempts.next(
      after: .success(response), on: try S3Route(Self.settings("http://h")), jitter: 0)
    #expect(step == .answer(response))
  }

  @Test("Waits double up to the longest, and jitter takes away up to half")
  func delays() {
    var settings = S3Settings()
    settings.firstDelay = .milliseconds(100)
    settings.longestDelay = .milliseconds(500)
    let full = (1...5).map { S3Attempts.delay(settings, attempt: $0, jitter: 1) }
    #expect(full == [100, 200, 400, 500, 500].map { .milliseconds($0) })
    #expect(S3Attempts.delay(settings, attempt: 2, jitter: 0) == .milliseconds(100))
    #expect(S3Attempts.delay(settings, attempt: 1_000_000, jitter: 0) == .milliseconds(250))
  }

  @Test("A call doesn't follow redirections for ever")
  func redirectionsEnd() throws {
    var attempts = S3Attempts(S3Settings(), changes: false)
    var route = try S3Route(Self.settings("http://h"))
    var follows = 0
    for number in 0..<10 {
      let response = HTTPResponse(status: 307, headers: ["location": "http://h\(number)/"])
      let step = attempts.next(after: .success(response), on: route, jitter: 0)
      guard case .follow(let other, isPermanent: false) = step else {
        #expect(step == .answer(response))
        break
      }
      route = other
      follows += 1
    }
    #expect(follows == 3)
  }
}
