import Testing

@testable import Lakehouse

@Suite("Wrong table metadata is an error that names the field")
struct TableMetadataErrorTests {
  /// A document with one of everything.
  static let document = """
    {
      "format-version": 2, "table-uuid": "u", "location": "memory://t",
      "last-sequence-number": 1, "last-updated-ms": 2, "last-column-id": 1,
      "schemas": [{
        "type": "struct", "schema-id": 0, "identifier-field-ids": [1],
        "fields": [
          {"id": 1, "name": "c", "required": true, "type": "long", "doc": "d"}
        ]
      }],
      "current-schema-id": 0,
      "partition-specs": [{
        "spec-id": 0,
        "fields": [{"source-id": 1, "field-id": 1000, "name": "p", "transform": "day"}]
      }],
      "default-spec-id": 0, "last-partition-id": 1000, "properties": {"k": "v"},
      "current-snapshot-id": 8,
      "snapshots": [
        {
          "snapshot-id": 8, "parent-snapshot-id": 7, "sequence-number": 1, "timestamp-ms": 2,
          "manifest-list": "m", "summary": {"operation": "append"}, "schema-id": 0
        }
      ],
      "snapshot-log": [{"timestamp-ms": 2, "snapshot-id": 8}],
      "metadata-log": [{"timestamp-ms": 1, "metadata-file": "f"}],
      "refs": {"main": {"snapshot-id": 8, "type": "branch"}},
      "sort-orders": [{"order-id": 0, "fields": []}], "default-sort-order-id": 0
    }
    """

  /// Fields that version 2 demands (spec, "Table Metadata Fields"), and that the program reads.
  static let required = [
    "format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms",
    "last-column-id", "schemas", "current-schema-id", "partition-specs", "default-spec-id",
    "last-partition-id", "schemas.0.schema-id", "schemas.0.fields", "schemas.0.fields.0.id",
    "schemas.0.fields.0.name", "schemas.0.fields.0.required", "schemas.0.fields.0.type",
    "partition-specs.0.spec-id", "partition-specs.0.fields",
    "partition-specs.0.fields.0.source-id", "partition-specs.0.fields.0.field-id",
    "partition-specs.0.fields.0.name", "partition-specs.0.fields.0.transform",
    "snapshots.0.snapshot-id", "snapshots.0.timestamp-ms", "snapshots.0.manifest-list",
    "snapshots.0.summary", "snapshot-log.0.timestamp-ms",
    "snapshot-log.0.snapshot-id", "metadata-log.0.timestamp-ms", "metadata-log.0.metadata-file",
    "refs.main.snapshot-id", "refs.main.type",
  ]

  /// Fields that may be missing, but not be something else.
  static let optional = [
    "properties", "properties.k", "current-snapshot-id", "snapshots", "snapshots.0",
    "snapshots.0.parent-snapshot-id", "snapshots.0.sequence-number", "snapshots.0.schema-id",
    "snapshots.0.summary.operation",
    "snapshot-log", "snapshot-log.0", "metadata-log", "metadata-log.0", "refs", "refs.main",
    "schemas.0", "schemas.0.fields.0", "schemas.0.fields.0.doc", "schemas.0.identifier-field-ids",
    "schemas.0.identifier-field-ids.0", "partition-specs.0", "partition-specs.0.fields.0",
  ]

  @Test("The document is read as it stands")
  func intact() throws {
    let metadata = try TableMetadata(reading: Array(Self.document.utf8), file: "f")
    #expect(metadata.currentSnapshot?.id == 8)
    #expect(metadata.spec.fields.count == 1)
  }

  @Test("A snapshot of version 1 has no sequence number in metadata of version 2 that Java writes")
  func noSequenceNumber() throws {
    let document = Self.document.replacing("\"sequence-number\": 1, ", with: "")
    let metadata = try TableMetadata(reading: Array(document.utf8), file: "f")
    #expect(metadata.currentSnapshot?.sequenceNumber == 0)
  }

  @Test("A required field that is missing is named", arguments: required)
  func missing(path: String) throws {
    let error = try Self.failure(path, nil)
    #expect(error?.file == "wrong.json")
    #expect(error?.field == Self.printed(path))
  }

  @Test("A required field that is null is named", arguments: required)
  func null(path: String) throws {
    let error = try Self.failure(path, .null)
    #expect(error?.field == Self.printed(path))
  }

  @Test("A field of another kind is named", arguments: required + optional)
  func wrong(path: String) throws {
    let other: JSONTree = path.hasSuffix("required") ? .text("yes") : .boolean(true)
    // A type that isn't text is a nested one.
    guard !path.hasSuffix(".fields.0.type") else { return }
    let error = try Self.failure(path, other)
    #expect(error?.file == "wrong.json")
    #expect(error?.field == Self.printed(path))
  }

  @Test("An integer mustn't be a fraction or text", arguments: [JSONTree.number(1.5), .text("1")])
  func integers(value: JSONTree) throws {
    for path in ["last-column-id", "snapshots.0.snapshot-id", "current-schema-id"] {
      let error = try Self.failure(path, value)
      #expect(error?.field == Self.printed(path))
    }
  }

  @Test(
    "An id that names nothing is an error",
    arguments: ["current-schema-id", "current-snapshot-id", "default-spec-id"])
  func dangling(path: String) throws {
    let error = try Self.failure(path, .integer(77))
    #expect(error?.field == path)
    #expect(error?.reason.contains("77") == true)
  }

  @Test("A transform that isn't known and a reference of no known kind are errors")
  func unknownWords() throws {
    for path in ["partition-specs.0.fields.0.transform", "refs.main.type"] {
      let error = try Self.failure(path, .text("zorder"))
      #expect(error?.field == Self.printed(path))
      #expect(error?.reason.contains("zorder") == true)
    }
  }

  @Test("Numbers that no id can be are errors, not traps")
  func largeNumbers() async {
    await #expect(processExitsWith: .success) {
      for path in ["last-column-id", "schemas.0.fields.0.id", "partition-specs.0.spec-id"] {
        _ = try TableMetadataErrorTests.failure(path, .integer(.max))
        _ = try TableMetadataErrorTests.failure(path, .integer(.min))
      }
    }
  }

  /// The error of the document with another value at a path; nil removes the field.
  static func failure(_ path: String, _ value: JSONTree?) throws -> LakehouseError? {
    let tree = try JSONTree(parsing: Array(document.utf8))
    let steps = path.split(separator: ".").map(String.init)
    var bytes: [UInt8] = []
    edited(tree, steps[...], value).append(to: &bytes)
    do throws(LakehouseError) {
      _ = try TableMetadata(reading: bytes, file: "wrong.json")
      return nil
    } catch {
      return error
    }
  }

  private static func edited(
    _ tree: JSONTree, _ steps: ArraySlice<String>, _ value: JSONTree?
  ) -> JSONTree {
    guard let step = steps.first else { return value ?? .null }
    let rest = steps.dropFirst()
    if var list = tree.list, let index = Int(step) {
      list[index] = edited(list[index], rest, value)
      return .list(list)
    }
    var object = tree.object ?? [:]
    object[step] = rest.isEmpty ? value : edited(object[step] ?? .null, rest, value)
    return .object(object)
  }

  /// `schemas.0.fields` as errors print it: `schemas[0].fields`.
  private static func printed(_ path: String) -> String {
    path.split(separator: ".").reduce("") { text, step in
      Int(step) != nil ? "\(text)[\(step)]" : text.isEmpty ? "\(step)" : "\(text).\(step)"
    }
  }
}
