// SPDX-License-Identifier: Apache-2.0
// Tasks other than a launch: which code does each.

internal import Options
internal import Running
internal import Sandbox
internal import Text

extension Launcher {
  /// Does a task other than a launch, with the sandbox that the task is about, if any.
  func perform(
    _ task: Draft.Task, _ draft: Draft, _ sandbox: ResolvedSandbox? = nil,
    displaced: ByteString? = nil
  ) throws(UsageError) -> UInt8 {
    switch task {
    case .help(let topic): print(try help(on: topic), draft)
    case .generate(let kind): print(kind.text(surroundings), draft)
    case .version: print(persona.version + "\n", draft)
    case .dryRun:
      sandbox.map { print(dryRun($0, draft, displaced: displaced), draft) } ?? noCommand()
    case .doctor: examine(draft)
    case .compilePolicy:
      write(try PolicyTasks.compile(draft.sandbox.policy), draft)
    case .exportPolicy: print(try PolicyTasks.export(draft.sandbox.policy), draft)
    case .explainPolicy:
      print(try PolicyTasks.explain(draft.sandbox.policy, asJSON: draft.isJSON), draft)
    case .wrap: try wrap(draft)
    case .listProfiles: print(ProfileReport.list(surroundings, asJSON: draft.isJSON), draft)
    case .showProfile(let name):
      print(try ProfileReport.show(name, surroundings, asJSON: draft.isJSON), draft)
    case .list: print(try RunningTasks.list(surroundings.registry, asJSON: draft.isJSON), draft)
    case .inspect(let word):
      print(try RunningTasks.inspect(word, surroundings.registry, asJSON: draft.isJSON), draft)
    case .signal(let signal, let word):
      try done(RunningTasks.signal(signal, word, surroundings.registry))
    case .reviews: print(try ReviewTasks(self, draft).list(), draft)
    case .changes(let name): try ReviewTasks(self, draft).changes(name)
    case .apply(let name): try ReviewTasks(self, draft).apply(name)
    case .discard(let name): try ReviewTasks(self, draft).discard(name)
    // Before there is a sandbox to resolve.
    case .enter: noCommand()
    case .stop(let word):
      try done(
        RunningTasks.stop(
          word, surroundings.registry, patience: draft.sandbox.timeLimit?.value ?? 10_000))
    }
  }

  private func wrap(_ draft: Draft) throws(UsageError) -> UInt8 {
    let surroundings = self.surroundings
    let task = WrapTask(
      request: try WrapRequest(Array(words), surroundings), surroundings: surroundings,
      launcher: persona.path(surroundings))
    return write(
      try task.run(persona.standardProfile) { tell(.warning, $0, draft) }, draft)
  }

  /// The status of a task without an answer.
  private func done(_ task: @autoclosure () throws(UsageError) -> Void) throws(UsageError) -> UInt8
  {
    try task()
    return 0
  }
}
