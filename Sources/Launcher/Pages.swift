// SPDX-License-Identifier: Apache-2.0
// Help texts.

internal import Linux
internal import Options
internal import Sandbox
internal import Text

extension Launcher {
  /// The text for --help.
  func help(on word: ByteString?) throws(UsageError) -> String {
    // bubblewrap ignores every word after --help.
    if persona.isBubblewrap { return Help.page(persona.program.quoted) }
    guard let word else { return FirstSteps.page(persona.program.quoted) }
    let surroundings = self.surroundings
    guard let topic = Topic(word, surroundings) else {
      let near = Suggestion.matches(for: word.text, among: Topic.names(surroundings))
      throw UsageError(
        "--help: no topic \(word.quoted)"
          + (near.isEmpty ? "; nestbox --help names the sections" : Suggestion.question(near)))
    }
    return Help.page(on: topic)
  }
}
