import Ports

extension S3ObjectStore {
  /// The most parts that an upload may have.
  private static let mostParts = 10_000

  /// Stores bytes in parts, seen by none before the last; what is up goes when that fails.
  func putInParts(_ key: String, _ bytes: [UInt8]) throws(PortError) {
    let mark = freshMark()
    let upload = try startUpload(key, mark)
    do throws(PortError) {
      let size = max(settings.partSize, (bytes.count + Self.mostParts - 1) / Self.mostParts)
      var tags: [String] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        let part = Array(bytes[start..<min(start + size, bytes.count)])
        tags.append(try putPart(key, upload, number: tags.count + 1, part))
      }
      try finishUpload(key, upload, tags, mark)
    } catch {
      // The first error is the one to tell; `clean` removes parts that stay.
      try? abandonUpload(full(key), upload, "put")
      throw error
    }
  }

  private func startUpload(_ key: String, _ mark: String) throws(PortError) -> String {
    var request = S3Request(method: "POST", key: full(key), query: [("uploads", "")])
    request.headers = [("Content-Type", "application/octet-stream"), (Self.mark, mark)]
    request.body = []
    let response = try client.succeed(request, "put")
    let root = try client.document(
      response, named: "InitiateMultipartUploadResult", request, "put")
    guard let upload = root["UploadId"]?.text, !upload.isEmpty else {
      throw PortError(
        .corrupt, port: "ObjectStore", operation: "put",
        hint: "\(client.describe(request)): the answer has no UploadId; see that the endpoint is "
          + "an S3 server's")
    }
    return upload
  }

  /// Gives the part's tag.
  private func putPart(
    _ key: String, _ upload: String, number: Int, _ bytes: [UInt8]
  ) throws(PortError) -> String {
    var request = Self.put(full(key), bytes)
    request.query = [("partNumber", String(number)), ("uploadId", upload)]
    let response = try client.succeed(request, "put")
    guard let tag = response.headers["etag"] else {
      throw PortError(
        .corrupt, port: "ObjectStore", operation: "put",
        hint: "\(client.describe(request)): part \(number) got no ETag; see that the endpoint is "
          + "an S3 server's")
    }
    return tag
  }

  private func finishUpload(
    _ key: String, _ upload: String, _ tags: [String], _ mark: String
  ) throws(PortError) {
    let parts = tags.enumerated().map { index, tag in
      "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(XMLElement.escape(tag))</ETag></Part>"
    }
    var request = S3Request(method: "POST", key: full(key), query: [("uploadId", upload)])
    request.headers = [("Content-Type", "application/xml")]
    request.body = Array(
      "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>".utf8)
    request.mayFailLate = true
    let response = try client.send(request, "put")
    if response.isSuccess { return }
    let refusal = client.refusal(response, request, "put")
    guard S3ErrorDocument(response.body)?.code == "NoSuchUpload" else { throw refusal }
    // An upload that isn't known any more may be one that is finished, the reply lost.
    if try storedMark(key, "put") == mark { return }
    throw PortError(
      .unknownOutcome, port: "ObjectStore", operation: "put",
      hint: "\(client.describe(request)): the upload is gone: either finished, and the object "
        + "replaced since, or removed before; try again")
  }

  /// Removes the parts of an upload; fine when there is none.
  func abandonUpload(
    _ key: String, _ upload: String, _ operation: String
  ) throws(PortError) {
    let request = S3Request(method: "DELETE", key: key, query: [("uploadId", upload)])
    let response = try client.send(request, operation)
    guard response.isSuccess || response.status == 404 else {
      throw client.refusal(response, request, operation)
    }
  }
}
