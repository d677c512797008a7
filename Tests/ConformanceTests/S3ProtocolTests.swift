import Ports
import Testing

@testable import ObjectStorageBackend

/// What is said to S3 servers and understood of their answers, without a server.
@Suite("S3 protocol")
struct S3ProtocolTests {
  // FIPS 180-4's examples, and lengths around the ends of blocks; RFC 4231's second and sixth.
  @Test(
    "SHA-256 of known messages",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
          + "lmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
      (
        String(repeating: "a", count: 55),
        "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"
      ),
      (
        String(repeating: "a", count: 56),
        "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"
      ),
      (
        String(repeating: "a", count: 64),
        "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"
      ),
    ])
  func hash(message: String, expected: String) {
    #expect(SHA256.hexHash(Array(message.utf8)) == expected)
  }

  @Test("HMAC-SHA-256 of known messages, with a short and a long key")
  func authentication() {
    let short = SHA256.authenticate("what do ya want for nothing?", key: Array("Jefe".utf8))
    #expect(
      SHA256.hex(short) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    let long = SHA256.authenticate(
      "Test Using Larger Than Block-Size Key - Hash Key First",
      key: Array(repeating: 0xaa, count: 131))
    #expect(
      SHA256.hex(long) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
  }

  @Test(
    "Base64 of RFC 4648's examples",
    arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
  func base64(text: String, expected: String) {
    #expect(Base64.encode(Array(text.utf8)) == expected)
  }

  /// The examples of Amazon's page on signatures in the `Authorization` header.
  struct Example: Sendable {
    let method: String
    let path: String
    let query: String
    let headers: [String]
    let body: String
    let signature: String
  }

  static let examples = [
    Example(
      method: "GET", path: "/test.txt", query: "", headers: ["Range:bytes=0-9"], body: "",
      signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    Example(
      method: "PUT", path: S3ProtocolTests.encodedPath, query: "",
      headers: ["Date:Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class:REDUCED_REDUNDANCY"],
      body: "Welcome to Amazon S3.",
      signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
    Example(
      method: "GET", path: "/", query: S3Client.canonical([("lifecycle", "")]), headers: [],
      body: "", signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    Example(
      method: "GET", path: "/", query: S3Client.canonical([("prefix", "J"), ("max-keys", "2")]),
      headers: [], body: "",
      signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
  ]
  private static let encodedPath =
    "/" + PercentEncoding.encode("test$file.text", keepingSlashes: true)

  @Test("Signatures are those of Amazon's examples", arguments: examples)
  func signature(example: Example) {
    let signature = S3Signature(
      credentials: S3Signature.Credentials(
        accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        sessionToken: ""),
      region: "us-east-1", time: "20130524T000000Z")
    let own = example.headers.map { header -> HTTPField in
      let parts = header.split(separator: ":", maxSplits: 1)
      return (String(parts[0]), String(parts[1]))
    }
    let headers = signature.headers(
      method: example.method, path: example.path, query: example.query,
      headers: [("Host", "examplebucket.s3.amazonaws.com")] + own,
      bodyHash: SHA256.hexHash(Array(example.body.utf8)))
    let authorization = headers.last?.value
    #expect(authorization?.hasSuffix("Signature=\(example.signature)") == true)
    #expect(
      authorization?.hasPrefix(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,")
        == true)
  }

  @Test("A session token is sent and signed")
  func sessionToken() {
    let signature = S3Signature(
      credentials: S3Signature.Credentials(accessKey: "a", secretKey: "b", sessionToken: "token"),
      region: "us-east-1", time: "20130524T000000Z")
    let headers = signature.headers(
      method: "GET", path: "/", query: "", headers: [("Host", "h")], bodyHash: "x")
    #expect(headers.contains { $0 == ("x-amz-security-token", "token") })
    #expect(
      headers.last?.value.contains(
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,") == true)
  }

  @Test(
    "Keys are encoded byte by byte, and decoded whichever way a space comes",
    arguments: [
      ("a/b=1+2:c d", "a/b%3D1%2B2%3Ac%20d"), ("~._-é", "~._-%C3%A9"), ("100%", "100%25"),
      ("😀", "%F0%9F%98%80"),
    ])
  func encoding(text: String, encoded: String) {
    #expect(PercentEncoding.encode(text, keepingSlashes: true) == encoded)
    #expect(PercentEncoding.decode(encoded) == text)
    #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
  }

  @Test("Text that isn't encoded isn't decoded", arguments: ["%", "%4", "%4g", "%ff", "a%C3"])
  func badEncoding(text: String) { #expect(PercentEncoding.decode(text) == nil) }

  @Test("A plus in a listing is a space") func plus() {
    #expect(PercentEncoding.decode("a+b%2Bc") == "a b+c")
  }

  @Test("Queries are sorted and have every `=`")
  func query() {
    #expect(
      S3Client.canonical([("uploads", ""), ("prefix", "a/b c"), ("max-keys", "5")])
        == "max-keys=5&prefix=a%2Fb%20c&uploads=")
  }
}

/// Listings, errors, and other XML.
@Suite("S3 answers")
struct S3AnswerTests {
  private static func read(_ text: String) throws(XMLFlaw) -> XMLElement {
    try XMLReader.read(Array(text.utf8))
  }

  @Test("Elements, entities, sections, comments and attributes are read")
  func document() throws {
    let root = try Self.read(
      """
      \u{FEFF}<?xml version="1.0" encoding="UTF-8"?>
      <!-- before --><s3:A xmlns:s3="http://x/" b = '>'>
        <B>1 &lt;&amp;&gt;&quot;&apos;&#233;&#x1F600; <!-- in -->2<![CDATA[<&]]></B>
        <C/><C d="1"></C >
      </s3:A><!-- after -->
      """)
    #expect(root.name == "A")
    #expect(root["B"]?.text == "1 <&>\"'é😀 2<&")
    #expect(root.all("C").count == 2)
    #expect(root["D"] == nil)
  }

  @Test(
    "What isn't XML is refused",
    arguments: [
      "", "text", "<a>", "<a></b>", "<a></a", "<a></a>b", "<a></a><b/>", "<a b></a>", "<a b=c/>",
      "<a b='c/>", "<a>&unknown;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&amp</a>", "< a/>",
      "<!DOCTYPE a><a/>", "<a><![CDATA[</a>", "<a><!-- </a>",
      String(repeating: "<a>", count: 100_000),
    ])
  func flaws(text: String) {
    #expect(throws: XMLFlaw.self) { try Self.read(text) }
  }

  @Test("Bytes that aren't UTF-8 are refused") func notUTF8() {
    #expect(throws: XMLFlaw.self) {
      try XMLReader.read(Array("<a>".utf8) + [0xff] + Array("</a>".utf8))
    }
  }

  @Test("Every beginning of a document is refused, without a crash") func beginnings() throws {
    let whole = Array("<?xml?><a b=\"c\"><d>&amp;é<![CDATA[e]]></d><!-- f --><g/></a>".utf8)
    #expect(throws: Never.self) { try XMLReader.read(whole) }
    for count in 0..<whole.count {
      #expect(throws: XMLFlaw.self) { try XMLReader.read(Array(whole[..<count])) }
    }
  }

  @Test("Escaped text is read as it was", arguments: ["a<b>&\"c'\r\n", "é😀", "&amp;", ""])
  func escaping(text: String) throws {
    #expect(try Self.read("<a>\(XMLElement.escape(text))</a>").text == text)
  }

  @Test("A listing has its keys decoded, and says how it goes on")
  func listing() throws {
    let page = try Self.read(
      """
      <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>
      <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
      <NextContinuationToken>a+b/=</NextContinuationToken>
      <Contents><Key>a/b%2Bc+d</Key><Owner><ID>Key</ID></Owner></Contents>
      <Contents><Key>%C3%A9%26</Key></Contents></ListBucketResult>
      """)
    #expect(S3ListPage(page)?.keys == ["a/b+c d", "é&"])
    #expect(S3ListPage(page)?.next == "a+b/=")
    let last = try Self.read(
      "<ListBucketResult><IsTruncated>false</IsTruncated><NextContinuationToken>x"
        + "</NextContinuationToken><Contents><Key>a%20+&amp;</Key></Contents></ListBucketResult>")
    #expect(S3ListPage(last)?.keys == ["a%20+&"])
    #expect(S3ListPage(last)?.next == nil)
  }

  @Test(
    "A listing without an end, or with keys that can't be decoded, is none",
    arguments: [
      "<IsTruncated>true</IsTruncated>",
      "<IsTruncated>true</IsTruncated><NextContinuationToken/>",
      "<EncodingType>url</EncodingType><Contents><Key>%</Key></Contents>",
      "<Contents><Size>1</Size></Contents>",
    ])
  func badListing(content: String) throws {
    #expect(S3ListPage(try Self.read("<ListBucketResult>\(content)</ListBucketResult>")) == nil)
  }

  @Test(
    "What the server says becomes a code, with the cure",
    arguments: [
      (404, "NoSuchKey", "not found", "no such object"),
      (404, "NoSuchBucket", "not found", "create the bucket 'lake'"),
      (404, "", "not found", "no such object"),
      (403, "InvalidAccessKeyId", "denied", "access key"),
      (403, "SignatureDoesNotMatch", "denied", "secret key"),
      (403, "RequestTimeTooSkewed", "denied", "clock: the server's shows Monday"),
      (403, "AccessDenied", "denied", "let this access key"), (403, "", "denied", "access key"),
      (400, "ExpiredToken", "denied", "session token"),
      (400, "KeyTooLongError", "invalid", "shorter"), (400, "", "invalid", "endpoint"),
      (412, "PreconditionFailed", "conflict", "first"), (501, "", "invalid", "`check`"),
      (503, "SlowDown", "unavailable", "try again"), (507, "", "unavailable", "space"),
    ])
  func refusal(status: Int, code: String, expected: String, cure: String) {
    let body = "<Error><Code>\(code)</Code><Message>so &amp; so</Message></Error>"
    let error = S3Refusal(
      status: status, error: code.isEmpty ? nil : S3ErrorDocument(Array(body.utf8)),
      request: "GET s3://lake/k at http://h", bucket: "lake", date: "Monday"
    ).portError("get")
    #expect(error.code.name == expected)
    #expect(error.hint.contains(cure), "\(error)")
    #expect(error.hint.contains("s3://lake/k at http://h"))
    #expect(code.isEmpty || error.hint.contains("\(status), \(code), so & so"))
  }

  @Test("A page of a proxy isn't an error of S3", arguments: ["", "<html><p>502</html>", "<a/>"])
  func noError(body: String) { #expect(S3ErrorDocument(Array(body.utf8)) == nil) }
}
