import Ports

/// How a table's files are divided (spec, "Partitioning").
public struct PartitionSpec: Hashable, Sendable {
  /// One dimension.
  public struct Field: Hashable, Sendable {
    /// The column that it is made from.
    public var sourceID: Int
    /// Its own id, from 1000 on.
    public var fieldID: Int
    /// Its name.
    public var name: String
    /// How a value is made from the column's.
    public var transform: Transform

    /// A dimension.
    public init(sourceID: Int, fieldID: Int, name: String, transform: Transform) {
      self.sourceID = sourceID
      self.fieldID = fieldID
      self.name = name
      self.transform = transform
    }
  }

  /// The id by which manifests name it.
  public var id: Int
  /// The dimensions; none for an unpartitioned table.
  public var fields: [Field]

  /// Whether no dimension divides anything.
  var isUnpartitioned: Bool { fields.allSatisfy { $0.transform == .void } }

  /// A spec.
  public init(id: Int = 0, fields: [Field] = []) {
    self.id = id
    self.fields = fields
  }
}

extension PartitionSpec {
  /// The spec of a new table: ids from 1000 on, names after Iceberg's custom, each of them unique.
  ///
  /// Throws for a column that isn't there, a transform that isn't known or not defined for the
  /// column's type, and for the same dimension twice.
  init(
    _ partitions: [TableSchema.Partition], of schema: IcebergSchema
  ) throws(LakehouseError) {
    self.init()
    for partition in partitions {
      guard let source = schema.field(named: partition.column) else {
        throw LakehouseError(field: partition.column, reason: "isn't a column")
      }
      guard let transform = Transform(name: partition.transform),
        transform.isDefined(for: source.type)
      else {
        throw LakehouseError(
          field: partition.column,
          reason: "'\(partition.transform)' isn't a transform of \(source.type.name)")
      }
      guard !fields.contains(where: { $0.sourceID == source.id && $0.transform == transform })
      else {
        throw LakehouseError(
          field: partition.column, reason: "is a dimension by \(transform.name) already")
      }
      fields.append(
        Field(
          sourceID: source.id, fieldID: 1000 + fields.count,
          name: name(transform, of: source, schema), transform: transform))
    }
  }

  /// `at_day`; with a number behind it where a dimension or a column has that name already.
  private func name(
    _ transform: Transform, of source: IcebergField, _ schema: IcebergSchema
  ) -> String {
    guard transform != .identity else { return source.name }
    let name = "\(source.name)_\(transform.name.prefix { $0 != "[" })"
    var unique = name
    var count = 1
    while schema.field(named: unique) != nil || fields.contains(where: { $0.name == unique }) {
      count += 1
      unique = "\(name)_\(count)"
    }
    return unique
  }

  init(_ tree: JSONTree, version: Int64, at path: String) throws(LakehouseError) {
    var object = try MetadataFields(tree, version: version, at: path)
    self.init(id: Int(try object.integer("spec-id")))
    try read(try object.list("fields"), version: version, at: "\(path).fields")
  }

  /// The one spec that version 1 had at first: a list of fields, without an id.
  init(versionOne fields: [JSONTree], at path: String) throws(LakehouseError) {
    self.init()
    try read(fields, version: 1, at: path)
  }

  private mutating func read(
    _ trees: [JSONTree], version: Int64, at path: String
  ) throws(LakehouseError) {
    for (index, tree) in trees.enumerated() {
      let place = "\(path)[\(index)]"
      var field = try MetadataFields(tree, version: version, at: place)
      let name = try field.text("transform")
      guard let transform = Transform(name: name) else {
        throw LakehouseError(field: "\(place).transform", reason: "'\(name)' isn't known")
      }
      fields.append(
        Field(
          sourceID: Int(try field.integer("source-id")),
          fieldID: Int(try field.integer("field-id", versionOne: Int64(1000 + index))),
          name: try field.text("name"), transform: transform))
    }
  }

  var json: JSONTree {
    .object([
      "spec-id": .integer(Int64(id)),
      "fields": .list(
        fields.map { field in
          .object([
            "source-id": .integer(Int64(field.sourceID)),
            "field-id": .integer(Int64(field.fieldID)), "name": .text(field.name),
            "transform": .text(field.transform.name),
          ])
        }),
    ])
  }
}
