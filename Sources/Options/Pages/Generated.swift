// SPDX-License-Identifier: Apache-2.0
// What --generate prints: pages and lists made from the option table and other tables.

internal import Linux
internal import Running
internal import Seccomp
internal import Text

/// What --generate can print.
public enum Generated: String, CaseIterable, Sendable {
  case manual = "man"
  case profileManual = "man-profile"
  case policyManual = "man-policy"
  case bash, zsh, fish
  case profiles, policies
  case systemCalls = "system-calls"
  case capabilities, topics, sandboxes, reviews

  /// The text.
  /// - Parameter surroundings: Where profiles are looked for.
  /// - Returns: Lines.
  public func text(_ surroundings: Surroundings) -> String {
    switch self {
    case .manual: Manual.page
    case .profileManual: ProfileManual.page
    case .policyManual: PolicyManual.page
    case .bash: Bash.script
    case .zsh: Zsh.script
    case .fish: Fish.script
    case .profiles: Generated.list(Profile.all(surroundings).map(\.name.text))
    case .policies: Generated.list(["none"] + PolicyNames.policies)
    case .systemCalls: Generated.list(PolicyNames.calls)
    case .capabilities: Generated.list(["ALL"] + Capabilities.known)
    case .topics: Generated.list(Topic.names(surroundings))
    case .sandboxes: Generated.list((try? Survey.take(surroundings.registry))?.labels ?? [])
    case .reviews:
      Generated.list(((try? Directory.names(of: surroundings.reviews)) ?? []).map(\.text))
    }
  }

  /// Its description in the manual.
  var summary: String {
    switch self {
    case .manual: "The manual page nestbox(1)."
    case .profileManual: "The manual page nestbox-profile(5)."
    case .policyManual: "The manual page nestbox-policy(5)."
    case .bash: "The completion for bash, which needs the package bash-completion."
    case .zsh: "The completion for zsh."
    case .fish: "The completion for fish."
    case .profiles: "A list for completions: the names of profiles, including the user's."
    case .policies: "A list for completions: the names that --seccomp-policy takes."
    case .systemCalls: "A list for completions: system calls and groups of them."
    case .capabilities: "A list for completions: the names of capabilities."
    case .topics: "A list for completions: the topics of --help."
    case .sandboxes: "A list for completions: the running sandboxes."
    case .reviews: "A list for completions: the reviews that wait."
    }
  }

  /// One word per line, without names that contain a newline.
  private static func list(_ words: [String]) -> String {
    words.filter { $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }.map { $0 + "\n" }.joined()
  }
}
