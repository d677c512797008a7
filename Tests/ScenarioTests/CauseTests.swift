import Harness
import Moderation
import Pipeline
import Testing

/// Explanations of the scenarios of the tree: the records that they find give the values.
@Suite struct CauseTests {
  @Test(
    "No score, training row or window contradicts its records",
    arguments: ["comment-spam", "erasure", "lab-semantics", "late-and-outage", "swarm"])
  func contradictions(name: String) throws {
    let run = try played(name)
    let tracer = CauseTracer(run)
    let scores = run.scores.map { CauseQuestion.score($0.request.id.description) }
    let rows = run.trainingRows.map {
      CauseQuestion.row(image: $0.image.description, minutes: $0.decisionPointMinutes)
    }
    let windows = Metric.allCases.flatMap { metric in
      run.windows(metric).map {
        CauseQuestion.window(
          table: metric.windowTable, image: $0.image, start: EventTime(microseconds: $0.start))
      }
    }
    #expect(!scores.isEmpty)
    for question in scores + rows + windows {
      let cause = try tracer.explain(question)
      let found = cause.all(.contradiction).map(\.text)
      #expect(found.isEmpty, "\(cause.text): \(found)")
    }
  }
}
