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

  /// A spec.
  public init(id: Int = 0, fields: [Field] = []) {
    self.id = id
    self.fields = fields
  }
}

extension PartitionSpec {
  init(_ tree: JSONTree, at path: String) throws(LakehouseError) {
    var object = try MetadataFields(tree, at: path)
    id = Int(try object.integer("spec-id"))
    fields = []
    for (index, tree) in try object.list("fields").enumerated() {
      let place = "\(path).fields[\(index)]"
      var field = try MetadataFields(tree, at: place)
      let name = try field.text("transform")
      guard let transform = Transform(name: name) else {
        throw LakehouseError(field: "\(place).transform", reason: "'\(name)' isn't known")
      }
      fields.append(
        Field(
          sourceID: Int(try field.integer("source-id")),
          fieldID: Int(try field.optionalInteger("field-id") ?? Int64(1000 + index)),
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
