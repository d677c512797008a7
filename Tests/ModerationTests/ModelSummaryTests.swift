import Moderation
import Testing

@Suite("Model summary")
struct ModelSummaryTests {
  @Test("What metadata says in short")
  func summary() throws {
    let text = "{\"rows_seen\":7,\"rows_unripe\":2,\"validation\":{\"auc_roc\":0.75}}"
    let summary = try #require(ModelSummary(metadata: Array(text.utf8)))
    #expect(summary.rows == 7 && summary.unripe == 2 && summary.areaUnderROC == 0.75)
    let bare = ModelSummary(metadata: Array("{\"rows_seen\":7,\"rows_unripe\":2}".utf8))
    #expect(bare != nil && bare?.areaUnderROC == nil)
  }

  @Test(
    "Something else has no summary",
    arguments: [
      "", "[]", "{}", "{\"rows_seen\":1e300,\"rows_unripe\":2}",
      "{\"rows_seen\":1.5,\"rows_unripe\":2}", "{\"rows_seen\":\"7\",\"rows_unripe\":2}",
    ])
  func malformed(text: String) {
    #expect(ModelSummary(metadata: Array(text.utf8)) == nil)
  }
}
