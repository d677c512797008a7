import Ports

extension S3ObjectStore {
  /// Removes every object and every unfinished upload under the settings' prefix, those too that
  /// the port doesn't show. `invalid` without a prefix: a whole bucket isn't emptied by this
  /// program.
  public func clean() throws(PortError) {
    guard !settings.prefix.isEmpty else {
      throw PortError(
        .invalid, port: "ObjectStore", operation: "clean",
        hint: "s3://\(settings.bucket): without a prefix that would be the whole bucket; set one, "
          + "or empty the bucket by hand")
    }
    let keys = try stored(prefix: settings.prefix, "clean")
    for start in stride(from: 0, to: keys.count, by: max(settings.pageSize, 1)) {
      try delete(keys[start..<min(start + max(settings.pageSize, 1), keys.count)])
    }
    for (key, upload) in try unfinishedUploads() { try abandonUpload(key, upload, "clean") }
  }

  /// Deletes many objects by one request.
  private func delete(_ keys: ArraySlice<String>) throws(PortError) {
    let objects = keys.map { "<Object><Key>\(XMLElement.escape($0))</Key></Object>" }
    let body = Array("<Delete>\(objects.joined())<Quiet>true</Quiet></Delete>".utf8)
    var request = S3Request(method: "POST", query: [("delete", "")], body: body)
    request.headers = [
      ("Content-Type", "application/xml"),
      // Amazon's server wants a checksum for this, of some kind.
      ("x-amz-checksum-sha256", Base64.encode(SHA256.hash(body))),
      ("x-amz-sdk-checksum-algorithm", "SHA256"),
    ]
    let response = try client.succeed(request, "clean")
    let root = try client.document(response, named: "DeleteResult", request, "clean")
    let isGone: (XMLElement) -> Bool = { $0["Code"]?.text == "NoSuchKey" }
    guard let error = root.all("Error").first(where: { !isGone($0) }) else { return }
    request.key = error["Key"]?.text
    throw S3Refusal(
      status: response.status, error: S3ErrorDocument(error), request: client.describe(request),
      bucket: settings.bucket, date: nil
    ).portError("clean")
  }

  private func unfinishedUploads() throws(PortError) -> [(key: String, upload: String)] {
    var uploads: [(key: String, upload: String)] = []
    var markers: [HTTPField]? = []
    while let from = markers {
      let request = S3Request(
        method: "GET", query: [("uploads", ""), ("prefix", settings.prefix)] + from)
      let response = try client.succeed(request, "clean")
      let root = try client.document(
        response, named: "ListMultipartUploadsResult", request, "clean")
      for upload in root.all("Upload") {
        guard let key = upload["Key"]?.text, let id = upload["UploadId"]?.text,
          key.utf8.starts(with: settings.prefix.utf8)
        else { continue }
        uploads.append((key, id))
      }
      markers = nil
      if root["IsTruncated"]?.text == "true", let key = root["NextKeyMarker"]?.text,
        let id = root["NextUploadIdMarker"]?.text, from.map(\.value) != [key, id]
      {
        markers = [("key-marker", key), ("upload-id-marker", id)]
      }
    }
    return uploads
  }
}

/// Bytes as text of 64 characters, as some headers have them (RFC 4648, section 4).
enum Base64 {
  /// Encodes bytes, padded.
  static func encode(_ bytes: [UInt8]) -> String {
    let digits = Array(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let padded = Array(group) + Array(repeating: 0, count: 3 - group.count)
      let word = padded.reduce(0) { $0 << 8 | Int($1) }
      let characters = [18, 12, 6, 0].map { digits[word >> $0 & 63] }
      text += characters.prefix(group.count + 1)
      text += Array(repeating: UInt8(ascii: "="), count: 3 - group.count)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
